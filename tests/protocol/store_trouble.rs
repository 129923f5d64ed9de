//! A store in trouble: each request learns what became of it, and nothing is shown that is not stored.

use std::pin::pin;

use chatrooms::{
    Config, RoomRegistry,
    testing::{Call, Fault, FaultyStore},
};
use futures_util::FutureExt;
use futures_util::future::{join_all, select_all};
use serde_json::{Value, json};

use crate::kit::{Adapter, InProcess, on_each_adapter, seqs, unique};

on_each_adapter!(
    what_the_store_refuses_is_not_said,
    a_room_that_cannot_be_opened_is_not_joined,
    what_may_have_happened_is_known_by_its_nonce,
    more_than_may_wait_for_the_store_is_busy,
    who_asks_for_many_pages_waits_for_themselves_and_nobody_else_does,
);

async fn what_the_store_refuses_is_not_said(adapter: Adapter) {
    let (server, store) = with_store(adapter, Config::default()).await;
    let (user, room) = (server.user("author").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    store.always(Call::Append, Fault::Fail);
    let send = json!({"type": "send", "room": room, "body": "lost"});
    assert_retry(&client.refused("store_unavailable", send).await, &room);
    let posted = user.post(&room, &json!({"body": "lost too"})).await;
    posted.assert_error(503, "store_unavailable");
    assert!(posted.header("Retry-After").is_some(), "{posted:?}");
    store.heal();
    assert_eq!(client.say(&room, "kept").await, 1, "what was refused took no place");
    client.catch_up(&room).await;
    assert_eq!(seqs(&client.history(&room, json!({})).await), [1, 2]);
    assert_eq!(client.trace().of("message").count(), 2);
}

async fn a_room_that_cannot_be_opened_is_not_joined(adapter: Adapter) {
    let (server, store) = with_store(adapter, Config::default()).await;
    let (user, room) = (server.user("guest").await, unique("hall"));
    store.always(Call::Open, Fault::Fail);
    let mut client = user.connect_with(&format!("?room={room}")).await;
    let error = client.expect("error").await;
    assert_eq!(error["code"], "store_unavailable", "{error}");
    assert_retry(&error, &room);
    let join = json!({"type": "join", "room": room});
    assert_retry(&client.refused("store_unavailable", join).await, &room);
    user.get(&format!("/rooms/{room}")).await.assert_error(404, "not_found");
    store.heal();
    client.join(&room).await;
}

async fn what_may_have_happened_is_known_by_its_nonce(adapter: Adapter) {
    let (server, store) = with_store(adapter, Config::default()).await;
    let room = unique("hall");
    let mut client = server.user("author").await.connect_to(&[&room]).await;
    store.next(Call::Append, Fault::Unsure);
    let send = json!({"type": "send", "room": room, "body": "perhaps", "nonce": "n"});
    assert_retry(&client.refused("outcome_unknown", send.clone()).await, &room);
    let sent = client.granted("sent", send).await;
    assert_eq!((&sent["seq"], &sent["duplicate"]), (&json!(1), &json!(true)));
    assert_eq!(client.expect("message").await["body"], "perhaps");
    assert_eq!(client.say(&room, "next").await, 2);
}

async fn more_than_may_wait_for_the_store_is_busy(adapter: Adapter) {
    let mut config = Config::default();
    config.store_queue = 2;
    let (server, store) = with_store(adapter, config).await;
    let room = unique("hall");
    let mut first = server.user("first").await.connect_to(&[&room]).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(server.user("other").await.connect_to(&[&room]).await);
    }
    store.next(Call::Append, Fault::Hold);
    let send = json!({"type": "send", "room": room, "body": "waiting"});
    let id = first.ask(send.clone()).await;
    let held = store.held(Call::Append).await;
    // One is with the store and two may wait: of three more, one is answered at once.
    let asking = others.iter_mut().map(|other| other.request(send.clone()).boxed_local());
    let (busy, _, waiting) = select_all(asking).await;
    assert_eq!(busy["code"], "busy", "{busy}");
    assert_retry(&busy, &room);
    held.release();
    for sent in join_all(waiting).await {
        assert_eq!(sent["type"], "sent", "{sent}");
    }
    assert_eq!(first.answer(id).await["seq"], 1);
    assert_eq!(first.say(&room, "again").await, 4);
}

async fn who_asks_for_many_pages_waits_for_themselves_and_nobody_else_does(adapter: Adapter) {
    let mut config = Config::default();
    config.reads_per_user = 1;
    let (server, store) = with_store(adapter, config).await;
    let (user, room) = (server.user("eager").await, unique("hall"));
    let [mut tab, mut other_tab] =
        [user.connect_to(&[&room]).await, user.connect_to(&[&room]).await];
    let mut neighbour = server.user("neighbour").await.connect_to(&[&room]).await;
    store.next(Call::ReadBefore, Fault::Hold);
    let history = json!({"type": "history", "room": room});
    let read = tab.ask(history.clone()).await;
    let held = store.held(Call::ReadBefore).await;
    let waits = other_tab.ask(history).await;
    let ping = other_tab.ask(json!({"type": "ping"})).await;
    other_tab.answer(ping).await;
    let address = format!("/rooms/{room}/messages");
    let mut page = pin!(user.get(&address));
    for _ in 0..3 {
        assert!(page.as_mut().now_or_never().is_none());
        assert_eq!(neighbour.history(&room, json!({})).await["type"], "history");
    }
    assert_eq!(store.calls(Call::ReadBefore), 4, "the one that is held, and the neighbour's");
    held.release();
    assert_eq!(tab.answer(read).await["type"], "history");
    assert_eq!(other_tab.answer(waits).await["type"], "history");
    assert_eq!(page.await.status, 200);
}

async fn with_store(adapter: Adapter, config: Config) -> (InProcess, FaultyStore) {
    let store = FaultyStore::new();
    let rooms = RoomRegistry::builder().config(config).store(store.clone());
    (InProcess::start(adapter, rooms).await, store)
}

#[track_caller]
fn assert_retry(error: &Value, room: &str) {
    assert!(error["retry_after_ms"].as_u64().is_some_and(|wait| wait >= 1), "{error}");
    assert_eq!(error["room"], room, "{error}");
}
