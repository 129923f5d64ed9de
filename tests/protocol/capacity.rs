//! Everything that can be full says so in its own words, and has room again when somebody goes.

use std::future::pending;
use std::time::Duration;

use chatrooms::{
    CloseReason, Config, RoomRegistry,
    ws::{ClientAddress, Options},
};
use serde_json::json;

use crate::history::filled;
use crate::kit::{
    Adapter, Client, Frame, InProcess, Request, Response, encoded, eventually, on_each_adapter,
    opcode, seqs, unique,
};

on_each_adapter!(
    a_full_room_lets_nobody_in,
    a_user_has_so_many_sessions,
    a_server_has_so_many_sessions,
    an_address_has_so_many_sessions,
    a_user_and_an_address_ask_over_http_so_often,
    who_is_behind_a_proxy_is_told_apart_by_it,
    without_a_setting_addresses_do_not_count,
    every_way_to_go_gives_the_place_back,
    a_server_has_so_many_rooms,
    a_room_keeps_so_many_messages,
    what_waits_for_all_together_is_bounded,
    answers_to_all_together_are_bounded,
);

async fn a_full_room_lets_nobody_in(adapter: Adapter) {
    let server = start(adapter, |config| config.members_per_room = 2).await;
    let (user, room) = (server.user("guest").await, unique("hall"));
    let mut one = user.connect_to(&[&room]).await;
    let _two = user.connect_to(&[&room]).await;
    let join = json!({"type": "join", "room": room});
    let mut three = server.user("late").await.connect_with(&format!("?room={room}")).await;
    let error = three.expect("error").await;
    assert_eq!((&error["code"], &error["room"]), (&json!("room_full"), &json!(room)));
    assert_eq!(three.refused("room_full", join).await["room"], room);
    three.join(&unique("elsewhere")).await;
    one.leave(&room).await;
    three.join(&room).await;
}

async fn a_user_has_so_many_sessions(adapter: Adapter) {
    let server = start(adapter, |config| config.sessions_per_user = 2).await;
    let user = server.user("tabs").await;
    let one = user.connect().await;
    let _two = user.connect().await;
    assert_told_to_wait(&user.upgrade("").refused().await, 429, "too_many_sessions");
    assert_told_to_wait(&user.get("/session").await, 429, "too_many_sessions");
    server.user("other").await.connect().await;
    one.close().await;
    eventually("room for a session again", async || user.try_connect("").await.is_ok()).await;
}

async fn a_server_has_so_many_sessions(adapter: Adapter) {
    let server = start(adapter, |config| config.sessions = 2).await;
    let one = server.user("first").await.connect().await;
    let _two = server.user("second").await.connect().await;
    let late = server.user("late").await;
    assert_told_to_wait(&late.upgrade("").refused().await, 503, "server_full");
    assert_told_to_wait(&late.get("/session").await, 503, "server_full");
    one.close().await;
    eventually("room for a session again", async || late.try_connect("").await.is_ok()).await;
}

async fn an_address_has_so_many_sessions(adapter: Adapter) {
    let mut options = Options::default();
    (options.client_address, options.sessions_per_address) = (ClientAddress::Peer, 2);
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let one = server.user("first").await.connect().await;
    let lobby = Request::upgrade(server.addr, "/lobby").open_raw().await;
    let late = server.user("late").await;
    // What the client says of itself makes no difference.
    let refused = late.upgrade("").header("X-Forwarded-For", "192.0.2.1").refused().await;
    assert_told_to_wait(&refused, 429, "too_many_sessions");
    assert_told_to_wait(&late.get("/session").await, 429, "too_many_sessions");
    one.close().await;
    eventually("room for a session again", async || late.try_connect("").await.is_ok()).await;
    lobby.reset();
    eventually("room for another one", async || late.get("/session").await.status == 200).await;
}

async fn a_user_and_an_address_ask_over_http_so_often(adapter: Adapter) {
    let mut options = Options::default();
    options.client_address = ClientAddress::Peer;
    (options.http_per_second, options.http_burst) = (1, 2);
    (options.http_per_second_per_address, options.http_burst_per_address) = (1, 50);
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let user = server.user("eager").await;
    let mut answers = 0;
    let refused = loop {
        match user.get("/session").await {
            answer if answer.status == 200 => answers += 1,
            refused => break refused,
        }
    };
    assert_told_to_wait(&refused, 429, "rate_limited");
    assert!((2..50).contains(&answers), "the address would have let {answers} pass");
    // A newcomer has an allowance of their own, and shares that of their address.
    eventually("the address has asked enough", async || {
        let newcomer = server.user("newcomer").await;
        newcomer.get("/session").await.status == 429
    })
    .await;
    eventually("a handshake is asked too much too", async || {
        server.user("another").await.try_connect("").await.is_err()
    })
    .await;
}

async fn who_is_behind_a_proxy_is_told_apart_by_it(adapter: Adapter) {
    let mut options = Options::default();
    options.client_address = ClientAddress::x_forwarded_for(["127.0.0.0/8".parse().unwrap()]);
    options.sessions_per_address = 1;
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    let from = |hops: &str| ada.upgrade("").header("X-Forwarded-For", hops);
    let _first = from("192.0.2.1").open_raw().await;
    // The part before the last is what the client has sent itself.
    let refused = from("198.51.100.7, 192.0.2.1").refused().await;
    assert_told_to_wait(&refused, 429, "too_many_sessions");
    let _second = from("192.0.2.1, 192.0.2.2").open_raw().await;
    bob.connect().await;
}

async fn without_a_setting_addresses_do_not_count(adapter: Adapter) {
    let mut options = Options::default();
    options.sessions_per_address = 1;
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let user = server.user("guest").await;
    let _several = [user.connect().await, user.connect().await];
}

async fn every_way_to_go_gives_the_place_back(adapter: Adapter) {
    let mut config = Config::default();
    config.sessions = 1;
    // Whoever waits for the place asks as often as they can.
    let mut options = Options::default();
    (options.http_per_second, options.http_burst) = (u32::MAX, u32::MAX);
    let builder = RoomRegistry::builder().config(config);
    let server = InProcess::start_with(adapter, builder, options).await;
    let user = server.user("guest").await;
    let raw = async || {
        let upgrade = user.upgrade("?room=hall");
        eventually("the place is free", async || user.get("/session").await.status == 200).await;
        let mut socket = upgrade.open_raw().await;
        while !socket.text().await.contains(r#""type":"joined""#) {}
        socket
    };
    let close = Frame::new(opcode::CLOSE, 1000_u16.to_be_bytes());
    raw().await.write(&close).await;
    drop(raw().await);
    raw().await.reset();
    let mut torn = raw().await;
    torn.write_bytes(&close.bytes()[..3]).await;
    torn.reset();
    raw().await.write(&Frame { masked: false, ..Frame::text("{}") }).await;
    raw().await.write(&Frame::new(opcode::TEXT, b"\xff".to_vec())).await;
    raw().await.write_bytes(&Frame::new(opcode::PING, "").bytes().repeat(100)).await;
    raw().await.write_bytes(&Frame::text("{").bytes().repeat(100)).await;
    // Those who stay as long as they can are made to go.
    let stays = raw().await;
    server.registry().end_sessions(&user.name.parse().expect("a name"), &CloseReason::Kicked);
    let _lets_go = raw().await;
    drop(stays);
}

async fn a_server_has_so_many_rooms(adapter: Adapter) {
    let server = start(adapter, |config| config.rooms = 1).await;
    let (only, other) = (unique("only"), unique("other"));
    let mut client = server.user("guest").await.connect_to(&[&only]).await;
    let join = json!({"type": "join", "room": other});
    let error = client.refused("server_full", join).await;
    assert_eq!(error["room"], other);
    server.user("second").await.connect_to(&[&only]).await;
    client.leave(&only).await;
    eventually("room for a room again", async || {
        client.request(json!({"type": "join", "room": other})).await["type"] == "joined"
    })
    .await;
}

async fn a_room_keeps_so_many_messages(adapter: Adapter) {
    let server = start(adapter, |config| config.keep = 20).await;
    let (user, room) = (server.user("talker").await, unique("hall"));
    let mut client = user.connect().await;
    let epoch = client.join(&room).await["epoch"].clone();
    for number in 1..=50 {
        assert_eq!(client.say(&room, &number.to_string()).await, number);
    }
    let path = format!("/rooms/{}/messages?limit=200", encoded(&room));
    eventually("the oldest are trimmed", async || {
        let history = client.history(&room, json!({"limit": 200})).await;
        assert_eq!(history["more"], false);
        seqs(&history).len() <= 20
    })
    .await;
    let mut late = server.user("late").await.connect().await;
    let joined = late.join_with(json!({"room": room, "history": 200})).await;
    let read = user.get(&path).await.assert_json(200);
    let first = seqs(&joined)[0];
    for answer in [&joined, &read] {
        assert_eq!(seqs(answer), (first..=50).collect::<Vec<_>>());
        assert_eq!(answer["more"], false);
    }
    let beyond = client.history(&room, json!({"before": first})).await;
    assert_eq!((&beyond["messages"], &beyond["more"]), (&json!([]), &json!(false)));
    late.leave(&room).await;
    assert_eq!(late.resume(&room, &epoch, 1).await["resumed"], false, "never partial");
    assert_eq!(client.say(&room, "and on").await, 51);
}

async fn what_waits_for_all_together_is_bounded(adapter: Adapter) {
    ends_the_deaf(adapter, |config| config.outbox_bytes_in_all = 1_000_000).await;
}

async fn answers_to_all_together_are_bounded(adapter: Adapter) {
    ends_the_deaf(adapter, |config| config.answer_bytes_in_all = 1_000_000).await;
}

/// Nothing else ends the one who does not read: their own bounds are far away, and so is the time that a write may take.
async fn ends_the_deaf(adapter: Adapter, bound: impl FnOnce(&mut Config)) {
    let server = start(adapter, |config| {
        (config.outbox_bytes, config.outbox_frames) = (usize::MAX, usize::MAX);
        config.outbox_stall = Duration::from_secs(3600);
        config.requests_per_second = u32::MAX;
        (config.outbox_bytes_in_all, config.answer_bytes_in_all) = (usize::MAX, usize::MAX);
        bound(config);
    })
    .await;
    let room = unique("hall");
    let mut witness = filled(&server, &room, 40, &"x".repeat(4_000)).await;
    let user = server.user("deaf").await;
    let deaf = Client::open(user.upgrade("").with_receive_buffer(4096)).await;
    let mut deaf = deaf.expect("let in");
    deaf.join_with(json!({"room": room, "history": 0})).await;
    let asking = async {
        for _ in 0..500 {
            deaf.send(json!({"type": "history", "room": room, "limit": 40})).await;
        }
        pending::<()>().await;
    };
    let left = json!([user.name]);
    let gone = witness.expect_where("the deaf one's end", |frame| frame["left"] == left);
    tokio::select! {
        () = asking => {}
        _ = gone => {}
    }
}

async fn start(adapter: Adapter, bound: impl FnOnce(&mut Config)) -> InProcess {
    let mut config = Config::default();
    bound(&mut config);
    InProcess::start(adapter, RoomRegistry::builder().config(config)).await
}

#[track_caller]
fn assert_told_to_wait(refusal: &Response, status: u16, code: &str) {
    refusal.assert_error(status, code);
    let wait = refusal.header("Retry-After").and_then(|value| value.parse::<u64>().ok());
    assert!(wait.is_some_and(|seconds| seconds >= 1), "{refusal:?}");
}
