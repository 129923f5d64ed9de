//! The session loop against a client that is played by hand, over real frames in memory and on a paused clock.

mod forging;

use chatrooms_core::{
    Config, Draft, Error, EventKind, Identity, Post, RoomPolicy, RoomRegistry, UserName,
    testing::{Call, Fault, FaultyStore},
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, DuplexStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{
        Role,
        frame::{
            Frame,
            coding::{self, OpCode},
        },
    },
};

use super::*;
use crate::{
    frames::Watch, framing::text, metered::Metered, outgoing::Direct, response::event_frame,
    shortcut::Shortcut, upgrade::layer,
};

type Client = WebSocketStream<DuplexStream>;

const HOUR: Duration = Duration::from_secs(3600);

/// A client whose socket holds so many bytes, and the loop that serves it.
async fn connect(
    registry: &RoomRegistry,
    identity: Identity,
    buffer: usize,
) -> (Client, JoinHandle<()>) {
    connect_to(&[], registry, identity, buffer).await
}

/// The same, with rooms named in the request.
async fn connect_to(
    rooms: &[&str],
    registry: &RoomRegistry,
    identity: Identity,
    buffer: usize,
) -> (Client, JoinHandle<()>) {
    let rooms = rooms.iter().map(|room| (*room).to_owned()).collect();
    let session = registry.open_session(identity).unwrap();
    connect_with(Options::default(), rooms, session, buffer).await
}

/// The same, as a host has set it up.
async fn connect_with(
    options: Options,
    rooms: Vec<String>,
    session: Session,
    buffer: usize,
) -> (Client, JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let meter = session.outbox().meter().clone();
    let io = Metered::new(ours, Bytes::new(), meter, Watch::new(&options));
    let config = Some(layer(&options));
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, config).await;
    let serving = tokio::spawn(serve_direct(session, socket, rooms, options));
    (WebSocketStream::from_raw_socket(theirs, Role::Client, None).await, serving)
}

/// As an endpoint does. The connection ends with this, whoever still tells the session something.
async fn serve_direct(
    session: Session,
    socket: WebSocketStream<Metered<DuplexStream>>,
    rooms: Vec<String>,
    options: Options,
) {
    let shortcut = Arc::new(Shortcut::new(Direct::new(socket), session.owned_outbox(), true));
    serve_vouched(&session, shortcut.socket(), &shortcut, rooms, &options, None).await;
}

fn user(name: &str) -> Identity {
    Identity::new(UserName::new(name).unwrap())
}

async fn say(client: &mut Client, frame: Value) {
    client.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next frame of text, as JSON.
async fn hear(client: &mut Client) -> Value {
    loop {
        match client.next().await.expect("the socket is open").unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("no text: {other:?}"),
        }
    }
}

/// The next frame of that type.
async fn expect(client: &mut Client, kind: &str) -> Value {
    let heard = async {
        loop {
            let frame = hear(client).await;
            if frame["type"] == kind {
                return frame;
            }
        }
    };
    // Pings would go on for ever.
    timeout(HOUR, heard).await.unwrap_or_else(|_| panic!("no {kind}"))
}

/// What the server says at the end: its `bye` and the code of its close.
async fn farewell(client: &mut Client) -> (Value, u16) {
    let mut bye = Value::Null;
    let ended = async {
        loop {
            match client.next().await.expect("a close comes first") {
                Ok(Message::Text(text)) => bye = serde_json::from_str(&text).unwrap(),
                Ok(Message::Close(Some(close))) => return close.code.into(),
                Ok(_) => {}
                Err(error) => panic!("no close: {error}"),
            }
        }
    };
    // Pings would go on for ever.
    let code = timeout(HOUR, ended).await.expect("the session ends");
    (bye, code)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays() {
    let registry = RoomRegistry::new();
    let (mut client, _serving) = connect(&registry, user("ada"), 1 << 16).await;
    let began = Instant::now();
    let mut pings = 0;
    while pings < 20 {
        let frame = client.next().await.expect("the socket is open").unwrap();
        pings += u32::from(matches!(frame, Message::Ping(_)));
    }
    // The first one comes earlier, by chance.
    assert!((19 * 25 + 12..=20 * 25).contains(&began.elapsed().as_secs()));
    assert_eq!(registry.stats().sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_of_which_nothing_is_heard_is_let_go_after_35_seconds() {
    let registry = RoomRegistry::new();
    let began = Instant::now();
    let (mut client, serving) = connect(&registry, user("ada"), 1 << 16).await;
    // Nobody reads, so nobody answers a ping.
    serving.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 35 + 5, "and 5 s for an answer to the close");
    let mut unread = Vec::new();
    client.get_mut().read_to_end(&mut unread).await.unwrap();
    let unread = String::from_utf8_lossy(&unread);
    assert!(
        unread.contains("\"code\":\"heartbeat_timeout\"") && unread.contains("\"reconnect\":true"),
        "{unread}"
    );
    assert_eq!(registry.stats().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_slept_grants_everybody_another_period() {
    let mut deadline = Deadline::new(Duration::from_secs(35));
    let began = Instant::now();
    let mut passed = pin!(deadline.passed());
    assert!(futures_util::poll!(&mut passed).is_pending());
    tokio::time::advance(Duration::from_secs(60)).await;
    passed.await;
    assert_eq!(began.elapsed().as_secs(), 60 + 35);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_is_closed_as_slow_and_delays_nobody() {
    let mut config = Config::default();
    (config.outbox_bytes, config.send_burst) = (64 * 1024, 10_000);
    let registry = RoomRegistry::builder().config(config).start().await.unwrap();
    let (mut slow, serving) = connect(&registry, user("slow"), 4096).await;
    say(&mut slow, json!({"type": "join", "room": "r"})).await;
    let (mut quick, _) = connect(&registry, user("quick"), 1 << 20).await;
    say(&mut quick, json!({"type": "join", "room": "r"})).await;
    expect(&mut quick, "joined").await;
    let began = Instant::now();
    let mut left = Value::Null;
    for seq in 1..=100 {
        say(&mut quick, json!({"type": "send", "room": "r", "body": "x".repeat(4000)})).await;
        loop {
            let frame = hear(&mut quick).await;
            match frame["type"].as_str() {
                Some("message") => break assert_eq!(frame["seq"], seq),
                Some("presence") => left = frame["left"].clone(),
                _ => {}
            }
        }
    }
    assert_eq!(began.elapsed().as_secs(), 0, "nobody waited");
    assert_eq!(left, json!(["slow"]));
    serving.await.unwrap();
    assert!(began.elapsed().as_secs() <= 10);
    // The loop has ended without the client reading a byte; what the client finds in its socket ends without a farewell.
    while let Some(Ok(_)) = slow.next().await {}
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_and_never_reads_is_closed_as_slow() {
    let registry = RoomRegistry::new();
    let room = RoomName::new("r").unwrap();
    let (client, serving) = connect(&registry, user("ada"), 4096).await;
    let (mut asking, _never_read) = client.split();
    asking.send(Message::text("{\"type\":\"join\",\"room\":\"r\"}")).await.unwrap();
    while registry.announce(&room, Post::new("x".repeat(4000))).await.is_err() {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    for _ in 0..500 {
        // Refused once the server has ended the session.
        let _ = asking.send(Message::text("{\"type\":\"history\",\"room\":\"r\"}")).await;
    }
    serving.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(registry.stats().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_does_not_end_ends_the_session_however_little_waits() {
    let registry = RoomRegistry::new();
    let session = registry.open_session(user("deaf")).unwrap();
    let room = RoomName::new("r").unwrap();
    session.join(&room, Join::default()).await.unwrap();
    registry.announce(&room, Post::new("x".repeat(4000))).await.unwrap();
    let (ours, _never_read) = tokio::io::duplex(1024);
    let socket = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
    // Nobody is to be let go for being silent here.
    let options = Options { heartbeat: 2 * HOUR, ..Options::default() };
    let began = Instant::now();
    let served = timeout(HOUR, serve(session, socket, Vec::new(), options.into())).await;
    assert!(served.is_ok(), "it does not end");
    assert_eq!(began.elapsed().as_secs(), 30 + 5, "and 5 s to end after all");
    assert_eq!((registry.stats().sessions, registry.stats().rooms), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_kept_as_long_as_bytes_move() {
    let mut config = Config::default();
    config.outbox_bytes = 200_000;
    let registry = RoomRegistry::builder().config(config).start().await.unwrap();
    let session = registry.open_session(user("slow")).unwrap();
    let room = RoomName::new("r").unwrap();
    session.join(&room, Join::default()).await.unwrap();
    for _ in 0..45 {
        registry.announce(&room, Post::new("x".repeat(4000))).await.unwrap();
    }
    let (io, mut theirs) = tokio::io::duplex(1024);
    let options = Options { write_timeout: Duration::from_secs(3600), ..Options::default() };
    let meter = session.outbox().meter().clone();
    let io = Metered::new(io, Bytes::new(), meter, Watch::new(&options));
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    let serving = tokio::spawn(serve_direct(session, socket, Vec::new(), options));
    for _ in 0..20 {
        theirs.read_exact(&mut [0; 1024]).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(registry.stats().sessions, 1, "more than half of the bound waits, and it moves");
    let began = Instant::now();
    serving.await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(5 + 5 + 1), "{:?}", began.elapsed());
    assert_eq!(registry.stats().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_comes_back_in_time_learns_why() {
    let mut config = Config::default();
    (config.outbox_bytes, config.send_burst) = (64 * 1024, 10_000);
    let registry = RoomRegistry::builder().config(config).start().await.unwrap();
    let (mut slow, _serving) = connect(&registry, user("slow"), 4096).await;
    say(&mut slow, json!({"type": "join", "room": "r"})).await;
    expect(&mut slow, "joined").await;
    let host = RoomName::new("r").unwrap();
    while registry.stats().rooms > 0 {
        let announced = registry.announce(&host, Post::new("x".repeat(4000))).await;
        assert!(announced.is_ok() || announced == Err(Error::NotFound));
    }
    let (bye, code) = farewell(&mut slow).await;
    assert_eq!((bye["code"].as_str(), code), (Some("slow_consumer"), 4000));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_answers_the_close_is_dropped_after_5_seconds() {
    let registry = RoomRegistry::new();
    let (mut client, serving) = connect(&registry, user("ada"), 1 << 16).await;
    expect(&mut client, "hello").await;
    let began = Instant::now();
    registry.end_sessions(&UserName::new("ada").unwrap(), &CloseReason::LoggedOut);
    serving.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 5);
    let (bye, code) = farewell(&mut client).await;
    assert_eq!(
        (bye["code"].as_str(), bye["reconnect"].as_bool(), code),
        (Some("logged_out"), Some(false), 4501)
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_never_means_it() {
    let never = Duration::MAX;
    let options = Options {
        heartbeat: never,
        grace: never,
        write_timeout: never,
        close_timeout: never,
        ..Options::default()
    };
    let registry = RoomRegistry::new();
    let session = registry.open_session(user("ada")).unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let socket = WebSocketStream::from_raw_socket(ours, Role::Server, None).await;
    let serving = tokio::spawn(serve(session, socket, Vec::new(), options.into()));
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    tokio::time::sleep(Duration::from_secs(365 * 86_400)).await;
    assert_eq!(registry.stats().sessions, 1);
    registry.end_sessions(&UserName::new("ada").unwrap(), &CloseReason::LoggedOut);
    assert_eq!(farewell(&mut client).await.1, 4501);
    drop(client);
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_close_the_socket() {
    let registry = RoomRegistry::new();
    let expiring = user("ada").expires_at(std::time::SystemTime::now() + Duration::from_secs(10));
    let (mut client, _serving) = connect(&registry, expiring, 1 << 16).await;
    let began = Instant::now();
    let (bye, code) = farewell(&mut client).await;
    assert_eq!((bye["code"].as_str(), code), (Some("unauthorized"), 4500));
    assert!((9..=10).contains(&began.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn more_than_32_malformed_frames_in_10_seconds_are_abuse() {
    let registry = RoomRegistry::new();
    let (mut client, _serving) = connect(&registry, user("ada"), 1 << 16).await;
    expect(&mut client, "hello").await;
    for _ in 0..32 {
        say(&mut client, json!("nonsense")).await;
        assert_eq!(hear(&mut client).await["code"], "bad_request");
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    for _ in 0..32 {
        say(&mut client, json!("nonsense")).await;
        assert_eq!(hear(&mut client).await["code"], "bad_request");
    }
    say(&mut client, json!("nonsense")).await;
    let (bye, code) = farewell(&mut client).await;
    assert_eq!(
        (bye["code"].as_str(), bye["reconnect"].as_bool(), code),
        (Some("abuse"), Some(false), 4504)
    );
}

#[tokio::test(start_paused = true)]
async fn malformed_frames_count_within_the_time_that_the_host_says() {
    for (window, stays) in [(1, true), (9, true), (11, false), (60, false)] {
        let registry = RoomRegistry::new();
        let malformed_window = Duration::from_secs(window);
        let options = Options { malformed_window, ..Options::default() };
        let session = registry.open_session(user("ada")).unwrap();
        let (mut client, _serving) = connect_with(options, Vec::new(), session, 1 << 16).await;
        expect(&mut client, "hello").await;
        for _ in 0..32 {
            say(&mut client, json!("nonsense")).await;
            assert_eq!(hear(&mut client).await["code"], "bad_request");
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        say(&mut client, json!("nonsense")).await;
        assert_eq!(hear(&mut client).await["code"], "bad_request");
        if stays {
            say(&mut client, json!({"type": "ping", "id": 1})).await;
            assert_eq!(expect(&mut client, "pong").await["id"], 1, "within {window} s");
        } else {
            is_told_of_abuse(&mut client).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_flushes_what_waits_and_says_when_to_return() {
    let registry = RoomRegistry::new();
    let (mut client, _serving) = connect(&registry, user("ada"), 1 << 16).await;
    say(&mut client, json!({"type": "join", "room": "r"})).await;
    expect(&mut client, "joined").await;
    let room = RoomName::new("r").unwrap();
    registry.announce(&room, Post::new("last words")).await.unwrap();
    let stopping = tokio::spawn({
        let registry = registry.clone();
        async move { registry.shutdown(Duration::from_secs(5)).await }
    });
    assert_eq!(hear(&mut client).await["body"], "last words");
    let (bye, code) = farewell(&mut client).await;
    assert_eq!(
        (bye["code"].as_str(), bye["reconnect"].as_bool(), code),
        (Some("shutting_down"), Some(true), 1001)
    );
    assert!(bye["after_ms"].as_u64().unwrap() <= 5000);
    while let Some(Ok(_)) = client.next().await {}
    let report = stopping.await.unwrap();
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
    assert_eq!((registry.stats().rooms, registry.stats().sessions), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_writes_all_that_waits_for_whoever_reads_on() {
    let registry = RoomRegistry::new();
    // A hundredth of what waits.
    let (mut client, _serving) = connect_to(&["r"], &registry, user("ada"), 2048).await;
    expect(&mut client, "joined").await;
    let room = RoomName::new("r").unwrap();
    for _ in 0..50 {
        registry.announce(&room, Post::new("x".repeat(4000))).await.unwrap();
    }
    let stopping = tokio::spawn({
        let registry = registry.clone();
        async move { registry.shutdown(Duration::from_secs(5)).await }
    });
    settle().await;
    assert!(registry.is_stopping());
    for seq in 1..=50 {
        assert_eq!(hear(&mut client).await["seq"], seq);
    }
    let (bye, code) = farewell(&mut client).await;
    assert_eq!((bye["code"].as_str(), code), (Some("shutting_down"), 1001));
    while let Some(Ok(_)) = client.next().await {}
    assert_eq!(stopping.await.unwrap().cut_off, 0);
}

/// Takes its time over messages that ask for it.
#[derive(Debug)]
struct Slow;

#[chatrooms_core::async_trait]
impl RoomPolicy for Slow {
    async fn may_join(&self, _: &Identity, room: &RoomName) -> Result<(), Error> {
        if room.as_str() == "slow" {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        Ok(())
    }

    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        if &*draft.body == "slow" {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        Ok(draft)
    }
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_request_order_within_a_room_and_other_rooms_do_not_wait() {
    let registry = RoomRegistry::builder().policy(Slow).start().await.unwrap();
    let (mut client, _serving) = connect(&registry, user("ada"), 1 << 16).await;
    for (id, room) in [(1, "a"), (2, "b")] {
        say(&mut client, json!({"type": "join", "id": id, "room": room})).await;
    }
    say(&mut client, json!({"type": "send", "id": 3, "room": "a", "body": "slow"})).await;
    say(&mut client, json!({"type": "send", "id": 4, "room": "a", "body": "quick"})).await;
    say(&mut client, json!({"type": "signal", "id": 5, "room": "a", "name": "typing"})).await;
    say(&mut client, json!({"type": "leave", "id": 6, "room": "a"})).await;
    say(&mut client, json!({"type": "send", "id": 7, "room": "b", "body": "quick"})).await;
    say(&mut client, json!({"type": "ping", "id": 8})).await;
    let mut answers = Vec::new();
    while answers.len() < 8 {
        let frame = hear(&mut client).await;
        answers.extend(frame["id"].as_u64());
    }
    answers[..4].sort_unstable();
    assert_eq!(answers, [1, 2, 7, 8, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_before_a_leave_is_stored_before_it() {
    let store = FaultyStore::new();
    store.always(Call::Append, Fault::Slow(Duration::from_secs(2)));
    let registry = RoomRegistry::builder().store(store).start().await.unwrap();
    let (mut client, _serving) = connect_to(&["r"], &registry, user("ada"), 1 << 16).await;
    say(&mut client, json!({"type": "send", "id": 1, "room": "r", "body": "last words"})).await;
    say(&mut client, json!({"type": "leave", "id": 2, "room": "r"})).await;
    assert_eq!(expect(&mut client, "sent").await["id"], 1);
    assert_eq!(expect(&mut client, "left").await["id"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_ends_while_its_first_rooms_are_joined_is_noticed_at_once() {
    let registry = RoomRegistry::builder().policy(Slow).start().await.unwrap();
    let (mut bob, _) = connect_to(&["quick"], &registry, user("bob"), 1 << 16).await;
    expect(&mut bob, "joined").await;
    let (mut ada, serving) = connect_to(&["quick", "slow"], &registry, user("ada"), 1 << 16).await;
    expect(&mut ada, "joined").await;
    let began = Instant::now();
    drop(ada);
    serving.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 0);
    expect(&mut bob, "presence").await;
    assert_eq!(expect(&mut bob, "presence").await["left"], json!(["ada"]));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_before_the_first_rooms_are_joined_is_answered_after_them() {
    let registry = RoomRegistry::builder().policy(Slow).start().await.unwrap();
    let (mut ada, _serving) = connect_to(&["slow"], &registry, user("ada"), 1 << 16).await;
    say(&mut ada, json!({"type": "send", "id": 1, "room": "slow", "body": "hello"})).await;
    assert_eq!(hear(&mut ada).await["type"], "hello");
    assert_eq!(hear(&mut ada).await["type"], "joined");
    assert_eq!(expect(&mut ada, "sent").await["id"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_faster_than_it_is_answered_waits_in_the_socket() {
    let registry = RoomRegistry::builder().policy(Slow).start().await.unwrap();
    let session = registry.open_session(user("ada")).unwrap();
    let options = Options { requests: 4, ..Options::default() };
    let rooms = vec!["r".to_owned()];
    let (mut client, _serving) = connect_with(options, rooms, session, 1024).await;
    expect(&mut client, "joined").await;
    let send = |id: usize| {
        let send = json!({"type": "send", "id": id, "room": "r", "body": "slow"});
        Message::text(send.to_string())
    };
    let frame = send(100).len() + 8;
    // Four are under way and four more are known of; the rest lies in buffers, the one that is read into included.
    let most = 8 + (1024 + 4096) / frame + 2;
    let mut asked = 1;
    // Nothing is answered so soon.
    while timeout(Duration::from_secs(1), client.send(send(asked))).await.is_ok() {
        asked += 1;
        assert!(asked <= most, "{asked} frames of {frame} bytes are taken");
    }
    assert!(asked > 8, "{asked} frames are too few to fill it");

    let (mut asking, mut answers) = client.split();
    let flushing = async { asking.flush().await.unwrap() };
    let answered = async {
        let mut next = 1;
        while next <= asked {
            let Message::Text(text) = answers.next().await.unwrap().unwrap() else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if let Some(id) = frame["id"].as_u64() {
                assert_eq!((id, &frame["type"]), (next as u64, &json!("sent")), "{frame}");
                next += 1;
            }
        }
    };
    tokio::join!(flushing, answered);
}

#[tokio::test(start_paused = true)]
async fn no_frame_is_larger_than_what_it_counts() {
    let mut config = Config::default();
    config.sends_per_second = 10_000;
    let registry = RoomRegistry::builder().config(config).start().await.unwrap();
    let room = RoomName::new("\"\\ a room \u{1F600}").unwrap();
    let mut watcher = registry.open_session(user("watcher")).unwrap();
    watcher.join(&room, Join::default()).await.unwrap();
    let nasty = "\u{1}\"\\\n\u{7f}é\u{2028}".repeat(100);
    let names: Vec<_> = (0..20).map(|n| format!("\"{n}\\")).collect();
    for name in &names {
        let data = chatrooms_core::Data::new(json!({ "x": nasty }).to_string());
        let session = registry.open_session(user(name).display_name(&nasty[..200])).unwrap();
        let join = Join {
            tag: Some(u64::MAX >> 11),
            meta: Some(chatrooms_core::Data::new("{\"a\":1}")),
            ..Join::default()
        };
        session.join(&room, join).await.unwrap();
        let nonce = chatrooms_core::Nonce::new(&"\u{1}".repeat(64));
        let post = Post::new(&*nasty).data(Some(data.clone())).nonce(nonce);
        let sent = session.publish(&room, post).await.unwrap();
        session.signal(&room, &"\u{1}".repeat(64), Some(data)).unwrap();
        session.redact(&room, sent.seq).await.unwrap().wait().await.unwrap();
    }
    watcher.ask_members(&room, None, Some(u64::MAX >> 11)).unwrap();
    let watcher_name = UserName::new("watcher").unwrap();
    let data = chatrooms_core::Data::new(json!({ "x": nasty }).to_string());
    registry.notify(&watcher_name, &"\u{1}".repeat(64), Some(data)).unwrap();
    registry.moderation(&room).kick(&watcher_name, Some(&nasty)).await.unwrap();
    let (mut kinds, mut frames) = (std::collections::HashSet::new(), 0);
    loop {
        let event = watcher.next().await.unwrap();
        let frame = event_frame(&event);
        assert!(frame.len() <= event.cost(), "{} > {}: {event:?}", frame.len(), event.cost());
        kinds.insert(std::mem::discriminant(event.kind()));
        frames += 1;
        if matches!(event.kind(), EventKind::Removed { .. }) {
            break;
        }
    }
    assert_eq!(kinds.len(), 8, "every kind was there");
    assert_eq!(frames, 1 + 20 * 5 + 1 + 1 + 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_join_stays_under_its_bound() {
    let mut config = Config::default();
    (config.send_burst, config.presence_exact) = (10_000, 1000);
    // Nobody here reads.
    (config.outbox_bytes, config.outbox_bytes_in_all) = (usize::MAX, usize::MAX);
    let reply_bytes = config.reply_bytes;
    let registry = RoomRegistry::builder().config(config).start().await.unwrap();
    let room = RoomName::new("r").unwrap();
    let meta = chatrooms_core::Data::new(json!({ "x": "x".repeat(1000) }).to_string());
    let mut there = Vec::new();
    for n in 0..299 {
        let session = registry.open_session(user(&format!("user {n:03}"))).unwrap();
        let join = Join { meta: Some(meta.clone()), ..Join::default() };
        session.join(&room, join).await.unwrap();
        session.publish(&room, Post::new("\u{1}".repeat(4096))).await.unwrap();
        there.push(session);
    }
    let mut last = registry.open_session(user("zoe")).unwrap();
    last.join(&room, Join { history: Some(200), ..Join::default() }).await.unwrap();
    let event = last.next().await.unwrap();
    let frame = text(event_frame(&event));
    assert!(frame.len() <= reply_bytes, "{}", frame.len());
    let joined: Value = serde_json::from_slice(&frame).unwrap();
    assert_eq!((&joined["members_more"], &joined["more"]), (&json!(true), &json!(true)));
    assert_eq!(joined["members"][0]["user"], "zoe", "oneself in any case");
    assert!(joined["messages"].as_array().unwrap().len() >= 3);
    // The other members come in pages that fit, and end.
    let (mut seen, mut after) = (0, None);
    loop {
        last.ask_members(&room, after.as_ref(), Some(1)).unwrap();
        let event = last.next().await.unwrap();
        let frame = event_frame(&event);
        assert!(frame.len() <= reply_bytes, "{}", frame.len());
        let EventKind::Members { page, .. } = event.kind() else { panic!("{event:?}") };
        seen += page.members.iter().filter(|member| Some(&member.user) > after.as_ref()).count();
        after = page.members.last().map(|member| member.user.clone());
        if !page.more {
            break;
        }
    }
    assert!(seen >= 300, "{seen}");
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_ping_is_not_left_behind_by_what_is_told_meanwhile() {
    let registry = RoomRegistry::new();
    // Whichever half of the loop has its turn first when the socket takes something again.
    for turns in 0..4 {
        let (mut client, _serving) = connect_to(&["tea"], &registry, user("ada"), 64).await;
        expect(&mut client, "joined").await;
        let tea = RoomName::new("tea").unwrap();
        registry.announce(&tea, Post::new("x".repeat(500))).await.unwrap();
        settle().await;
        for _ in 0..turns {
            registry.notify(&UserName::new("ada").unwrap(), "turn", None).unwrap();
            settle().await;
        }
        client.send(Message::Ping(Bytes::from_static(b"!"))).await.unwrap();
        settle().await;
        let began = Instant::now();
        while !matches!(client.next().await, Some(Ok(Message::Pong(_)))) {}
        assert_eq!(began.elapsed().as_secs(), 0, "it came by itself");
    }
}

/// Lets everybody run who can.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// What the server says to one that it has to end for abuse.
async fn is_told_of_abuse(client: &mut Client) {
    let (bye, code) = farewell(client).await;
    assert_eq!((bye["code"].as_str(), code), (Some("abuse"), 4504));
}

#[tokio::test(start_paused = true)]
async fn too_many_control_frames_are_abuse_and_said_to_be() {
    let registry = RoomRegistry::new();
    let (mut client, _serving) = connect(&registry, user("ada"), 1 << 16).await;
    expect(&mut client, "hello").await;
    for _ in 0..2 * Options::default().control_frames {
        client.feed(Message::Ping(Bytes::new())).await.unwrap();
    }
    client.flush().await.unwrap();
    is_told_of_abuse(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_fragments_are_abuse_and_said_to_be() {
    let registry = RoomRegistry::new();
    let (mut client, _serving) = connect_to(&["tea"], &registry, user("ada"), 1 << 16).await;
    expect(&mut client, "joined").await;
    let fragment = |opcode| Frame::message(Bytes::from_static(b"x"), OpCode::Data(opcode), false);
    client.feed(Message::Frame(fragment(coding::Data::Text))).await.unwrap();
    for _ in 0..2 * Options::default().fragments {
        client.feed(Message::Frame(fragment(coding::Data::Continue))).await.unwrap();
    }
    client.flush().await.unwrap();
    // What waits for them is told before.
    registry.announce(&RoomName::new("tea").unwrap(), Post::new("hello")).await.unwrap();
    is_told_of_abuse(&mut client).await;
}

/// A registry in which a session asks ten times a second.
async fn unhurried() -> RoomRegistry {
    let mut config = Config::default();
    (config.requests_per_second, config.request_burst) = (10, 10);
    RoomRegistry::builder().config(config).start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_soon_is_refused_in_turn_and_told_when_to_ask_again() {
    let registry = unhurried().await;
    let (mut ada, _serving) = connect(&registry, user("ada"), 1 << 20).await;
    say(&mut ada, json!({"type": "join", "room": "r", "id": 1})).await;
    for id in 2..=10 {
        say(&mut ada, json!({"type": "send", "room": "r", "body": "x", "id": id})).await;
    }
    let requests = [
        json!({"type": "send", "room": "r", "body": "x", "id": 11}),
        json!({"type": "signal", "room": "r", "name": "typing"}),
        json!({"type": "leave", "room": "r", "id": 12}),
        json!({"type": "members", "room": "r", "id": 13}),
        json!({"type": "history", "room": "r", "id": 14}),
        json!({"type": "ping", "id": 15}),
    ];
    for request in requests {
        say(&mut ada, request).await;
    }
    let (mut answers, mut refused) = (Vec::new(), Vec::new());
    while refused.len() < 5 {
        let frame = hear(&mut ada).await;
        let Some(id) = frame["id"].as_u64() else {
            assert_ne!(frame["type"], "error", "a signal is not answered: {frame}");
            continue;
        };
        if frame["type"] == "error" {
            assert_eq!(frame["code"], "rate_limited");
            assert_eq!(frame["retry_after_ms"], 100);
            assert_eq!(frame["room"], if id == 15 { Value::Null } else { json!("r") });
            refused.push(id);
        }
        answers.push(id);
    }
    refused.sort_unstable();
    assert_eq!(refused, [11, 12, 13, 14, 15]);
    answers.retain(|id| *id <= 12);
    assert_eq!(answers, (1..=12).collect::<Vec<_>>(), "one room's answers keep their order");
    tokio::time::advance(Duration::from_millis(100)).await;
    say(&mut ada, json!({"type": "leave", "room": "r", "id": 16})).await;
    assert_eq!(expect(&mut ada, "left").await["id"], 16);
}

#[tokio::test(start_paused = true)]
async fn who_never_heeds_it_is_let_go() {
    let registry = unhurried().await;
    let (mut ada, serving) = connect(&registry, user("ada"), 1 << 20).await;
    let most = 10 + Options::default().hasty;
    for id in 1..=most {
        say(&mut ada, json!({"type": "ping", "id": id})).await;
        let answer = if id > 10 { "error" } else { "pong" };
        assert_eq!(expect(&mut ada, answer).await["id"], id);
    }
    say(&mut ada, json!({"type": "ping"})).await;
    let (bye, code) = farewell(&mut ada).await;
    assert_eq!((&bye["code"], code), (&json!("abuse"), 4504));
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn pongs_that_nobody_reads_are_not_kept() {
    let registry = RoomRegistry::new();
    let session = registry.open_session(user("ada")).unwrap();
    // Not even where a host lets as many pings pass as come.
    let options = Options { control_frames: usize::MAX, ..Options::default() };
    let (mut client, _serving) = connect_with(options, Vec::new(), session, 4096).await;
    expect(&mut client, "hello").await;
    let (mut asking, mut answers) = client.split();
    for _ in 0..10_000 {
        asking.send(Message::Ping(Bytes::from_static(&[7; 125]))).await.unwrap();
    }
    settle().await;
    let mut pongs = 0;
    while let Ok(Some(Ok(answer))) = timeout(Duration::from_secs(1), answers.next()).await {
        pongs += usize::from(matches!(answer, Message::Pong(_)));
    }
    // What the connection holds, as much in the buffer, and the newest.
    assert!((1..=2 * 4096 / 125 + 1).contains(&pongs), "{pongs}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_and_never_reads_is_let_go() {
    let registry = RoomRegistry::new();
    let (client, serving) = connect(&registry, user("ada"), 4096).await;
    let (mut asking, _never_read) = client.split();
    let began = Instant::now();
    while !serving.is_finished() {
        // Refused once the server has had enough.
        let _ = asking.send(Message::Ping(Bytes::from_static(&[7; 125]))).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let lasted = began.elapsed().as_secs();
    assert!(lasted <= 25 + 30 + 5, "a ping that cannot be written: {lasted} s");
    assert_eq!(registry.stats().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn hello_comes_first_whatever_a_session_has_been_told_before_it_is_served() {
    let registry = RoomRegistry::new();
    let session = registry.open_session(user("ada")).unwrap();
    registry.notify(&UserName::new("ada").unwrap(), "early", None).unwrap();
    let (mut client, _serving) = connect_with(Options::default(), vec![], session, 4096).await;
    let first = [hear(&mut client).await, hear(&mut client).await];
    assert_eq!(first.map(|frame| frame["type"].clone()), ["hello", "notice"]);
}
