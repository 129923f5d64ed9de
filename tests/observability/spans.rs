//! What is logged while a session is served stands in its span, and names are escaped.

use std::time::Duration;

use chatrooms::testing::{Call, Fault, FaultyStore};
use chatrooms::{Error, Identity, RoomName, RoomPolicy, RoomRegistry, async_trait};
use serde_json::json;

use crate::log::{self, Record};
use crate::service::{Service, eventually};
use crate::tables;

/// Logs as a host may.
#[derive(Debug)]
struct Talkative;

#[async_trait]
impl RoomPolicy for Talkative {
    async fn may_join(&self, who: &Identity, _: &RoomName) -> Result<(), Error> {
        tracing::info!(name: "asked", target: "host", user = ?who.user(), "may they?");
        Ok(())
    }
}

#[tokio::test]
async fn all_that_a_session_causes_stands_in_its_span() {
    log::keep();
    let registry = RoomRegistry::builder().policy(Talkative).start().await.expect("it starts");
    let service = Service::start(&registry).await;
    let mut client = service.joined("spanner", "workshop").await;
    for _ in 0..33 {
        client.send_text("nonsense").await;
    }
    client.ended().await;
    eventually("the session has ended", || registry.stats().sessions == 0).await;

    let records: Vec<_> = log::kept()
        .into_iter()
        .filter(|record| {
            record.field("user") == Some("\"spanner\"")
                || record.field("room") == Some("\"workshop\"")
        })
        .collect();
    let [opened] = &of(&records, "session_opened")[..] else { panic!("{records:#?}") };
    let session = opened.field("session").expect("which");
    assert_eq!(opened.session("session"), None, "the handshake has no session yet");
    for name in ["asked", "room_opened", "abuse", "room_closed", "session_ended"] {
        let [record] = &of(&records, name)[..] else { panic!("{name}: {records:#?}") };
        assert_eq!(record.session("session"), Some(session), "{record:?}");
        assert_eq!(record.session("user"), Some("\"spanner\""), "{record:?}");
    }
    assert_eq!(of(&records, "session_ended")[0].field("reason"), Some("\"abuse\""));
}

#[tokio::test]
async fn nobody_forges_a_line() {
    log::keep();
    let registry = RoomRegistry::new();
    let service = Service::start(&registry).await;
    let hostile = "\" user=\"root\\";
    let mut client = service.connect("?token=forger.x", &[]).await.expect("let in");
    client.send(&json!({"type": "join", "room": hostile})).await;
    client.expect("joined").await;
    client.close().await;
    eventually("the room has gone", || registry.stats().rooms == 0).await;
    let written = format!("{hostile:?}");
    let told = |name: &str| {
        log::kept()
            .iter()
            .any(|record| record.name == name && record.field("room") == Some(&written))
    };
    assert!(told("room_opened") && told("room_closed"));
    assert_eq!(written, r#""\" user=\"root\\""#, "quoted from end to end");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_told_of_while_it_does() {
    log::keep();
    let store = FaultyStore::new();
    let registry = RoomRegistry::builder().store(store.clone()).start().await.expect("it starts");
    let ada = chatrooms::testing::TestClient::joined(&registry, "ada", "hanging garden").await;
    store.next(Call::Append, Fault::Hang);
    let _receipt = ada.send("hanging garden", "hello?").await.expect("it has its turn");
    tokio::time::sleep(Duration::from_millis(1001)).await;
    let records = log::kept();
    let slow = records.iter().find(|record| {
        record.name == "store_slow" && record.field("room") == Some("\"hanging garden\"")
    });
    assert_eq!(slow.and_then(|slow| slow.field("operation")), Some("\"append\""), "{slow:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_everybody_does_not_fill_the_log() {
    log::keep();
    let store = FaultyStore::new();
    let registry = RoomRegistry::builder().store(store.clone()).start().await.expect("it starts");
    let told = || {
        let is_told = |record: &&log::Record| {
            record.name == "store_failed" && record.field("room") == Some("\"broken cellar\"")
        };
        log::kept().iter().filter(is_told).count()
    };
    let guests = async |name: usize| {
        chatrooms::testing::TestClient::joined(&registry, &format!("u{name}"), "broken cellar")
            .await
    };
    let guests = futures_util::future::join_all((0..50).map(guests)).await;
    store.always(Call::Append, Fault::Fail);
    for guest in &guests {
        guest.say("broken cellar", "hello?").await.expect_err("it fails");
    }
    assert_eq!(told(), 20);
    tokio::time::advance(Duration::from_secs(1)).await;
    for guest in &guests {
        guest.say("broken cellar", "hello?").await.expect_err("it fails");
    }
    assert_eq!(told(), 21);
}

/// What was emitted is what the page says, whatever the source looks like.
#[tokio::test]
async fn what_is_emitted_is_in_the_table() {
    log::keep();
    let registry = RoomRegistry::new();
    let service = Service::start(&registry).await;
    service.joined("ada", "hall").await.close().await;
    assert_eq!(service.connect("", &[]).await.err(), Some(401));
    registry.shutdown(Duration::from_secs(5)).await;
    let table = tables::events();
    let ours: Vec<_> =
        log::kept().into_iter().filter(|record| record.target.starts_with("chatrooms")).collect();
    assert!(ours.len() >= 7, "{ours:#?}");
    for record in ours {
        let row = table.get(&record.name).unwrap_or_else(|| panic!("no row for {record:?}"));
        assert_eq!((&row.level, &row.target), (&record.level, &record.target), "{record:?}");
        let fields =
            record.fields.iter().map(|(field, _)| field).filter(|field| *field != "message");
        assert!(fields.clone().all(|field| row.fields.contains(field)), "{record:?}");
        assert!(
            row.fields
                .iter()
                .all(|field| field == "room" || fields.clone().any(|there| there == field)),
            "{record:?}"
        );
    }
}

fn of<'a>(records: &'a [Record], name: &str) -> Vec<&'a Record> {
    records.iter().filter(|record| record.name == name).collect()
}
