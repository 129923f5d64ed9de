//! Every metric, after something has happened that moves it: exactly those are not 0 that should not be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, request::Parts};
use chatrooms::redis::RedisCluster;
use chatrooms::testing::{Call, Fault, FaultyStore, TestClient, room, settle, user};
use chatrooms::ws::{ClientAddress, Endpoint, Options, PeerAddr};
use chatrooms::{
    CloseReason, Config, Draft, Epoch, Error, Identity, Join, RoomEnd, RoomName, RoomPolicy,
    RoomRegistry, RoomRules, async_trait,
};
use serde_json::json;

use crate::counting::Counting;
use crate::redis::Server as Redis;
use crate::service::{Service, eventually};
use crate::tables;

#[tokio::test]
async fn the_table_has_every_metric_with_every_label_and_no_other() {
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().start().await.expect("it starts");
    let _chat = Endpoint::new(registry, |_: &_| Err(chatrooms::ws::Refusal::Unauthorized));
    let mut found: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for line in counting.page().lines() {
        if let Some(line) = line.strip_prefix("# TYPE ") {
            let (name, kind) = line.split_once(' ').expect("a name and a kind");
            found.entry(name.to_owned()).or_default().0 = kind.to_owned();
        }
    }
    for sample in counting.samples().into_keys() {
        let (name, labels) = sample.split_once('{').unwrap_or((&sample, ""));
        let name = name.strip_suffix("_count").unwrap_or(name);
        found.get_mut(name).expect("its kind").1.insert(labels.trim_end_matches('}').to_owned());
    }
    let told = tables::metrics().into_iter().map(|(name, metric)| {
        let labels = match metric.label {
            Some((label, values)) => {
                values.iter().map(|value| format!("{label}=\"{value}\"")).collect()
            }
            None => BTreeSet::from([String::new()]),
        };
        (name, (metric.kind, labels))
    });
    assert_eq!(found, told.collect());
}

#[test]
fn every_metric_has_its_test() {
    let tests = include_str!("numbers.rs");
    for name in tables::metrics().into_keys() {
        assert!(tests.contains(&name), "{name} is compared with nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_and_their_people() {
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().start().await.expect("it starts");
    let ada = TestClient::joined(&registry, "ada", "hall").await;
    let bob = TestClient::joined(&registry, "bob", "hall").await;
    ada.join("nook").await.expect("let in");
    ada.say("hall", "hello").await.expect("kept");
    bob.say("hall", "hello you").await.expect("kept");
    ada.redact("hall", 1).await.expect("taken back");
    bob.signal("hall", "typing", None).expect("relayed");
    let page = ada.session.history(&room("hall"), None, 10).await.expect("read");
    let waiting = ada.session.outbox().waiting().1 + bob.session.outbox().waiting().1;
    counting.assert(&[
        ("chatrooms_sessions", 2),
        ("chatrooms_sessions_opened_total", 2),
        ("chatrooms_outbox_bytes", waiting as u64),
        ("chatrooms_rooms", 2),
        ("chatrooms_rooms_opened_total", 2),
        ("chatrooms_connections", 3),
        ("chatrooms_joins_total{resumed=\"false\"}", 3),
        ("chatrooms_messages_total", 2),
        ("chatrooms_deliveries_total", 4),
        ("chatrooms_signals_total", 1),
        ("chatrooms_store_seconds_count{operation=\"abandoned\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"open\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"append\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"redact\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"read\"}", 1),
    ]);
    assert_eq!(page.messages.len(), 2);

    let epoch = registry.room(&room("hall")).await.expect("it is there").epoch;
    ada.leave("hall").expect("she was there");
    let back = Join { resume: Some((epoch, 2)), ..Join::default() };
    assert!(ada.join_with("hall", back).await.expect("let in").resumed);
    registry.moderation(&room("nook")).close(None).await.unwrap();
    assert_eq!(registry.end_sessions(&user("bob"), &CloseReason::Kicked), 1);
    drop((ada, bob));
    settle().await;
    registry.shutdown(Duration::from_secs(1)).await;
    counting.assert(&[
        ("chatrooms_sessions_opened_total", 2),
        ("chatrooms_sessions_ended_total{reason=\"gone\"}", 1),
        ("chatrooms_sessions_ended_total{reason=\"kicked\"}", 1),
        ("chatrooms_rooms_opened_total", 2),
        ("chatrooms_rooms_closed_total{reason=\"closed\"}", 1),
        ("chatrooms_rooms_closed_total{reason=\"lost\"}", 1),
        ("chatrooms_joins_total{resumed=\"false\"}", 3),
        ("chatrooms_joins_total{resumed=\"true\"}", 1),
        ("chatrooms_messages_total", 2),
        ("chatrooms_deliveries_total", 4),
        ("chatrooms_signals_total", 1),
        ("chatrooms_purges_total{outcome=\"done\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"abandoned\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"open\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"append\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"redact\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"read\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"close\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"shutdown\"}", 1),
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_store_in_trouble() {
    let store = FaultyStore::new();
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().store(store.clone()).start().await.expect("it starts");
    store.next(Call::Open, Fault::Fail);
    let ada = TestClient::new(&registry, "ada");
    ada.join("hall").await.expect_err("it cannot be opened");
    ada.join("hall").await.expect("now it can");
    store.next(Call::Append, Fault::Fail);
    ada.say("hall", "lost").await.expect_err("it is not kept");
    store.next(Call::Append, Fault::Panic);
    ada.say("hall", "perhaps").await.expect_err("nobody knows");
    store.next(Call::ReadBefore, Fault::Hang);
    ada.session.history(&room("hall"), None, 10).await.expect_err("no answer");
    store.always(Call::Close, Fault::Fail);
    ada.leave("hall").expect("she was there");
    settle().await;
    let troubled = [
        ("chatrooms_sessions_opened_total", 1),
        ("chatrooms_rooms_opened_total", 1),
        ("chatrooms_rooms_closed_total{reason=\"left\"}", 1),
        ("chatrooms_joins_total{resumed=\"false\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"abandoned\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"open\"}", 2),
        ("chatrooms_store_seconds_count{operation=\"append\"}", 2),
        ("chatrooms_store_failures_total{operation=\"open\"}", 1),
        ("chatrooms_store_failures_total{operation=\"append\"}", 2),
        ("chatrooms_store_failures_total{operation=\"read\"}", 1),
    ];
    let waiting = ada.session.outbox().waiting().1 as u64;
    let pending = [
        ("chatrooms_sessions", 1),
        ("chatrooms_outbox_bytes", waiting),
        ("chatrooms_purges_pending", 1),
        ("chatrooms_purges_total{outcome=\"failed\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"close\"}", 1),
        ("chatrooms_store_seconds_count{operation=\"read\"}", 1),
        ("chatrooms_store_failures_total{operation=\"close\"}", 1),
    ];
    counting.assert(&[&troubled[..], &pending[..]].concat());

    store.heal();
    tokio::time::sleep(Duration::from_secs(60)).await;
    drop(ada);
    counting.assert(
        &[
            &troubled[..],
            &[
                ("chatrooms_sessions_ended_total{reason=\"gone\"}", 1),
                ("chatrooms_purges_total{outcome=\"failed\"}", 1),
                ("chatrooms_purges_total{outcome=\"done\"}", 1),
                ("chatrooms_store_seconds_count{operation=\"close\"}", 2),
                ("chatrooms_store_seconds_count{operation=\"read\"}", 1),
                ("chatrooms_store_failures_total{operation=\"close\"}", 1),
            ],
        ]
        .concat(),
    );
}

/// A policy that is there, except where it is not.
#[derive(Debug)]
struct Absent;

#[async_trait]
impl RoomPolicy for Absent {
    async fn may_join(&self, _: &Identity, room: &RoomName) -> Result<(), Error> {
        match room.as_str() {
            "panic" => panic!("on purpose"),
            "hang" => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn open_room(&self, _: &RoomName, rules: RoomRules) -> Result<RoomRules, Error> {
        Ok(rules)
    }

    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        Ok(draft)
    }

    async fn room_closed(&self, _: &RoomName, _: Epoch, _: RoomEnd) {}
}

#[tokio::test(start_paused = true)]
async fn a_policy_and_what_it_takes() {
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().policy(Absent).start().await.expect("it starts");
    let ada = TestClient::joined(&registry, "ada", "hall").await;
    assert_eq!(ada.join("panic").await.err(), Some(Error::Internal));
    assert_eq!(ada.join("hang").await.err(), Some(Error::Internal));
    ada.say("hall", "hello").await.expect("kept");
    ada.redact("hall", 1).await.expect("taken back");
    ada.leave("hall").expect("she was there");
    drop(ada);
    settle().await;
    let mut samples = counting.samples();
    samples.retain(|name, value| name.starts_with("chatrooms_policy") && *value > 0);
    let expected = [
        ("chatrooms_policy_failures_total{failure=\"panicked\"}", 1),
        ("chatrooms_policy_failures_total{failure=\"timed_out\"}", 1),
        ("chatrooms_policy_seconds_count{hook=\"before_publish\"}", 1),
        ("chatrooms_policy_seconds_count{hook=\"may_join\"}", 3),
        ("chatrooms_policy_seconds_count{hook=\"may_redact\"}", 1),
        ("chatrooms_policy_seconds_count{hook=\"open_room\"}", 1),
        ("chatrooms_policy_seconds_count{hook=\"room_closed\"}", 1),
        ("chatrooms_policy_seconds_count{hook=\"room_opened\"}", 1),
    ];
    assert_eq!(samples, expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[tokio::test(start_paused = true)]
async fn those_who_do_not_take_what_they_are_told() {
    let mut config = Config::default();
    config.outbox_frames = 8;
    config.watch_events = 4;
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().config(config).start().await.expect("it starts");
    let _watch = registry.watch_all();
    let mut ada = TestClient::joined(&registry, "ada", "hall").await;
    let bob = TestClient::joined(&registry, "bob", "hall").await;
    ada.next_presence("hall").await;
    // More waits for bob than a quarter of what may wait.
    for _ in 0..3 {
        ada.say("hall", "hello").await.expect("kept");
    }
    ada.signal("hall", "typing", None).expect("relayed");
    assert_eq!(counting.samples()["chatrooms_signals_dropped_total"], 1);
    // All that may wait, and one more.
    for _ in 0..6 {
        ada.say("hall", "hello?").await.expect("kept");
        ada.next_message("hall").await;
    }
    assert_eq!(bob.session.outbox().closed(), Some(CloseReason::SlowConsumer));
    drop(bob);
    let samples = counting.samples();
    for (name, value) in [
        ("chatrooms_sessions", 1),
        ("chatrooms_connections", 1),
        ("chatrooms_sessions_ended_total{reason=\"slow_consumer\"}", 1),
        ("chatrooms_watch_lagged_total", 1),
        ("chatrooms_messages_total", 9),
        // The one that was too much was not delivered to bob.
        ("chatrooms_deliveries_total", 9 + 8),
        ("chatrooms_outbox_bytes", ada.session.outbox().waiting().1 as u64),
    ] {
        assert_eq!(samples[name], value, "{name}");
    }
    drop(ada);
    let samples = counting.samples();
    for name in
        ["chatrooms_sessions", "chatrooms_connections", "chatrooms_rooms", "chatrooms_outbox_bytes"]
    {
        assert_eq!(samples[name], 0, "{name} has not drifted");
    }
}

#[tokio::test]
async fn sockets_and_what_is_refused_on_them() {
    let counting = Counting::begin();
    let mut config = Config::default();
    config.sessions_per_user = 1;
    let rooms = RoomRegistry::builder().policy(Closed).config(config);
    let registry = rooms.start().await.expect("it starts");
    let service = Service::start(&registry).await;
    assert_eq!(service.connect("", &[]).await.err(), Some(401));
    assert_eq!(service.connect("?token=panic.x", &[]).await.err(), Some(500));
    let rooms = "?token=ada.x&room=hall&room=members%20only&room=%0a";
    let mut ada = service.connect(rooms, &[]).await.expect("let in");
    ada.expect("joined").await;
    for _ in 0..2 {
        ada.expect("error").await;
    }
    assert_eq!(service.connect("?token=ada.x", &[]).await.err(), Some(429));
    for frame in [
        json!({"type": "join", "room": "members only"}),
        json!({"type": "join", "room": "hall"}),
        json!({"type": "leave", "room": "elsewhere"}),
        json!({"type": "send", "room": "elsewhere", "body": "hello"}),
        json!({"type": "fly"}),
    ] {
        ada.send(&frame).await;
        ada.expect("error").await;
    }
    // A signal without an id is refused and not answered; the answer of what comes behind it says when that has happened.
    ada.send(&json!({"type": "signal", "room": "elsewhere", "name": "typing"})).await;
    ada.send(&json!({"type": "leave", "room": "elsewhere"})).await;
    ada.expect("error").await;
    for _ in 0..33 {
        ada.send_text("nonsense").await;
    }
    ada.ended().await;
    eventually("the session has ended", || registry.stats().sessions == 0).await;
    registry.shutdown(Duration::ZERO).await;
    assert_eq!(service.connect("?token=ada.x", &[]).await.err(), Some(503));
    let mut samples = counting.samples();
    samples.retain(|name, value| {
        *value > 0 && !name.starts_with("chatrooms_store") && !name.starts_with("chatrooms_policy")
    });
    let expected = [
        ("chatrooms_authenticator_failures_total{failure=\"panicked\"}", 1),
        ("chatrooms_authenticator_seconds_count{question=\"authenticate\"}", 4),
        ("chatrooms_authenticator_seconds_count{question=\"still_valid\"}", 1),
        ("chatrooms_handshakes_total{status=\"101\"}", 1),
        ("chatrooms_handshakes_total{status=\"401\"}", 1),
        ("chatrooms_handshakes_total{status=\"429\"}", 1),
        ("chatrooms_handshakes_total{status=\"500\"}", 1),
        ("chatrooms_handshakes_total{status=\"503\"}", 1),
        ("chatrooms_joins_total{resumed=\"false\"}", 1),
        ("chatrooms_offences_total{of=\"malformed_frames\"}", 1),
        ("chatrooms_purges_total{outcome=\"done\"}", 1),
        ("chatrooms_refusals_total{code=\"already_in_room\"}", 1),
        ("chatrooms_refusals_total{code=\"bad_request\"}", 33),
        ("chatrooms_refusals_total{code=\"internal\"}", 1),
        ("chatrooms_refusals_total{code=\"invalid_room\"}", 1),
        ("chatrooms_refusals_total{code=\"not_in_room\"}", 4),
        ("chatrooms_refusals_total{code=\"shutting_down\"}", 1),
        ("chatrooms_refusals_total{code=\"too_many_sessions\"}", 1),
        ("chatrooms_refusals_total{code=\"unauthorized\"}", 1),
        ("chatrooms_refusals_total{code=\"unknown_type\"}", 1),
        ("chatrooms_refusals_total{code=\"x\"}", 2),
        ("chatrooms_rooms_closed_total{reason=\"left\"}", 1),
        ("chatrooms_rooms_opened_total", 1),
        ("chatrooms_sessions_ended_total{reason=\"abuse\"}", 1),
        ("chatrooms_sessions_opened_total", 1),
    ];
    assert_eq!(samples, expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_too_fast_over_http() {
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().start().await.expect("it starts");
    let mut options = Options::default();
    options.client_address = ClientAddress::Peer;
    (options.http_burst, options.http_burst_per_address) = (2, 4);
    let ada = |_: &Parts| Ok(Identity::new(user("ada")));
    let chat = Endpoint::new(registry, ada).with_options(options);
    for status in [200, 200, 429, 429, 429] {
        let request = Request::get("/session").extension(PeerAddr([192, 0, 2, 1].into()));
        let answer = chat.handle("/session", request.body(Body::empty()).expect("one")).await;
        assert_eq!(answer.status(), status);
    }
    let samples = counting.samples();
    for (name, value) in [
        ("chatrooms_http_rate_limited_total{of=\"user\"}", 2),
        ("chatrooms_http_rate_limited_total{of=\"address\"}", 1),
        ("chatrooms_refusals_total{code=\"rate_limited\"}", 3),
    ] {
        assert_eq!(samples[name], value, "{name}");
    }
}

#[tokio::test]
async fn every_rule_of_a_socket_that_is_broken() {
    let counting = Counting::begin();
    let registry = RoomRegistry::builder().start().await.expect("it starts");
    let service = Service::start(&registry).await;
    let mut options = Options::default();
    options.message_time = Duration::ZERO;
    let hurried = Service::start_with(&registry, options).await;
    // Masked with nothing.
    let frame = |first: u8, text: &str| {
        let length = u8::try_from(text.len()).expect("a short frame");
        [&[first, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
    };
    let giant = [0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    for (of, service, bytes) in [
        ("malformed_frames", &service, frame(0x81, "{{{").repeat(33)),
        ("hasty_requests", &service, frame(0x81, r#"{"type":"ping"}"#).repeat(6000)),
        ("control_frames", &service, frame(0x89, "x").repeat(100)),
        ("fragments", &service, [frame(0x01, "{"), frame(0x00, "").repeat(100)].concat()),
        ("message_time", &hurried, [frame(0x01, "{"), frame(0x00, "")].concat()),
        ("frame_bytes", &service, giant.to_vec()),
        ("framing", &service, frame(0xf1, "{}")),
        ("framing", &service, vec![0x81, 0x81, 0, 0, 0, 0, 0xff]),
    ] {
        let sample = format!("chatrooms_offences_total{{of=\"{of}\"}}");
        let before = counting.samples()[&sample];
        let mut vandal = service.joined("vandal", "hall").await;
        vandal.send_bytes(&bytes).await;
        vandal.ended().await;
        eventually(of, || counting.samples()[&sample] == before + 1).await;
    }
}

/// A policy with a code of its own.
#[derive(Debug)]
struct Closed;

#[async_trait]
impl RoomPolicy for Closed {
    async fn may_join(&self, _: &Identity, room: &RoomName) -> Result<(), Error> {
        if room.as_str() == "members only" {
            return Err(Error::Refused {
                code: "x-members-only".into(),
                message: "join the club".into(),
            });
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn several_registries_add_up() {
    let counting = Counting::begin();
    let registries = [RoomRegistry::new(), RoomRegistry::new()];
    let people = registries.each_ref().map(|registry| TestClient::new(registry, "ada"));
    assert_eq!(counting.samples()["chatrooms_sessions"], 2);
    drop(people);
    assert_eq!(counting.samples()["chatrooms_sessions"], 0);
}

#[tokio::test]
async fn news_that_no_announcement_told_of() {
    let (counting, redis) = (Counting::begin(), Redis::start().await);
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let cluster = RedisCluster::connect(&redis.url()).await.expect("redis runs");
        nodes.push(RoomRegistry::builder().cluster(cluster).start().await.expect("redis runs"));
    }
    let ada = TestClient::joined(&nodes[0], "ada", "hall").await;
    let healed = || counting.samples()["chatrooms_cluster_healed_total"];
    assert_eq!(healed(), 0);
    // From here on nothing is announced.
    assert_eq!(redis.ask(&["ACL", "SETUSER", "default", "-publish"]), "OK");
    let _bob = TestClient::joined(&nodes[1], "bob", "hall").await;
    eventually("ada's node has looked", || {
        ada.session.members(&room("hall"), None).is_ok_and(|page| page.members.len() == 2)
    })
    .await;
    eventually("that is counted", || healed() >= 1).await;
}
