//! A database in trouble, seen over the wire: what it cannot keep is refused and shown to nobody, its rooms live on, and nobody waits for it.

use std::{fs, time::Duration};

use chatrooms::RoomRegistry;
use chatrooms::sqlite::{SqliteStore, SqliteStoreBuilder};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Executor as _};
use tempfile::TempDir;

use crate::kit::{
    Adapter, Client, InProcess, eventually, everything_is_recorded, on_each_adapter, seqs, unique,
    where_servers_run,
};

on_each_adapter!(
    what_a_full_database_refuses_is_shown_to_nobody_and_its_rooms_live_on,
    while_somebody_else_holds_it_nothing_is_kept_and_nobody_waits_to_come_or_go,
    a_file_that_is_deleted_is_gone_on_with_and_no_other_takes_its_place,
);

async fn what_a_full_database_refuses_is_shown_to_nobody_and_its_rooms_live_on(adapter: Adapter) {
    everything_is_recorded();
    let chat = Chat::start(adapter, |store| store.max_page_count(60)).await;
    let (hall, other) = (unique("hall"), unique("other"));
    let mut author = chat.server.user("author").await.connect_to(&[&hall, &other]).await;
    let mut reader = chat.server.user("reader").await.connect_to(&[&hall]).await;
    let large = "x".repeat(3500);
    let (kept, refusal) = fill(&mut author, &hall, &large).await;
    assert_eq!(refusal["code"], "store_unavailable", "after {kept} messages: {refusal}");
    assert!(refusal["retry_after_ms"].as_u64().is_some_and(|wait| wait >= 1), "{refusal}");
    assert!(kept > 20, "there was space before: {kept}");
    assert!(chat.store.stats().failures > 0);

    let joined = chat.server.user("late").await.connect().await.join(&hall).await;
    assert_eq!(joined["seq"], kept, "what was refused has taken no place");
    author.send(json!({"type": "signal", "room": hall, "name": "typing"})).await;
    reader.expect("signal").await;
    assert_eq!(seqs(&reader.history(&hall, json!({"limit": 200})).await).len() as u64, kept);
    assert_eq!(reader.trace().of("message").count() as u64, kept, "nobody was shown the rest");

    reader.close().await;
    author.leave(&hall).await;
    eventually("the room's end makes space", async || chat.store.stats().removed >= kept).await;
    assert_eq!(author.say(&other, &large).await, 1);
    assert_eq!(author.join(&hall).await["seq"], 0);
    assert_eq!(author.say(&hall, &large).await, 1);
}

async fn while_somebody_else_holds_it_nothing_is_kept_and_nobody_waits_to_come_or_go(
    adapter: Adapter,
) {
    everything_is_recorded();
    let chat = Chat::start(adapter, |store| store.busy_timeout(Duration::from_millis(200))).await;
    let (hall, ended) = (unique("hall"), unique("ended"));
    let mut author = chat.server.user("author").await.connect_to(&[&hall, &ended]).await;
    assert_eq!(author.say(&hall, "before").await, 1);
    author.say(&ended, "before").await;

    let holder = chat.hold().await;
    author.refused("store_unavailable", json!({"type": "send", "room": hall, "body": "x"})).await;
    let mut late = chat.server.user("late").await.connect().await;
    assert_eq!(late.join(&hall).await["messages"][0]["body"], "before");
    author.leave(&ended).await;
    let anew = author.join(&ended).await;
    assert_eq!((&anew["seq"], &anew["messages"]), (&json!(0), &json!([])));
    author.refused("store_unavailable", json!({"type": "send", "room": ended, "body": "x"})).await;
    let purges = || chat.server.registry().stats().purges;
    eventually("the first life cannot be purged", async || purges().failed > 0).await;
    assert_eq!((purges().pending, purges().done), (1, 0), "it is tried again");

    let_go(holder).await;
    eventually("the first life is purged", async || purges().done == 1).await;
    assert_eq!((purges().pending, chat.store.stats().removed), (0, 1));
    assert_eq!(author.say(&hall, "after").await, 2);
    assert_eq!(author.say(&ended, "after").await, 1);
    late.catch_up(&hall).await;
    assert_eq!(late.trace().of("message").count(), 2);
}

async fn a_file_that_is_deleted_is_gone_on_with_and_no_other_takes_its_place(adapter: Adapter) {
    everything_is_recorded();
    let chat = Chat::start(adapter, |store| store).await;
    let hall = unique("hall");
    let mut author = chat.server.user("author").await.connect_to(&[&hall]).await;
    author.say(&hall, "before").await;
    for entry in fs::read_dir(chat.folder.path()).expect("its folder").flatten() {
        fs::remove_file(entry.path()).expect("it can be deleted");
    }
    assert_eq!(author.say(&hall, "after").await, 2);
    assert_eq!(seqs(&author.history(&hall, json!({})).await), [1, 2]);
    author.leave(&hall).await;
    assert_eq!(author.join(&hall).await["seq"], 0);
    assert_eq!(author.say(&hall, "anew").await, 1);
    assert_eq!(fs::read_dir(chat.folder.path()).expect("its folder").count(), 0);
}

/// A server whose messages are in a file of its own.
struct Chat {
    server: InProcess,
    store: SqliteStore,
    folder: TempDir,
}

impl Chat {
    async fn start(
        adapter: Adapter,
        set: impl FnOnce(SqliteStoreBuilder) -> SqliteStoreBuilder,
    ) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let builder = set(SqliteStore::builder().path(folder.path().join("chat.db")));
        let store = where_servers_run(builder.open()).await.expect("the file opens");
        let rooms = RoomRegistry::builder().store(store.clone());
        Self { server: InProcess::start(adapter, rooms).await, store, folder }
    }

    /// Keeps the store from writing, as another program may.
    async fn hold(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("chat.db"));
        let mut connection = options.connect().await.expect("the file opens");
        connection.execute("BEGIN IMMEDIATE").await.expect("nobody else writes");
        connection
    }
}

async fn let_go(mut holder: SqliteConnection) {
    holder.execute("ROLLBACK").await.expect("it was held");
}

/// Says the same until it is refused for another reason than haste; how many were kept, and the refusal.
async fn fill(author: &mut Client, room: &str, body: &str) -> (u64, Value) {
    let mut kept = 0;
    loop {
        let answer = author.request(json!({"type": "send", "room": room, "body": body})).await;
        match (answer["type"].as_str(), answer["code"].as_str()) {
            (Some("sent"), _) => kept = answer["seq"].as_u64().expect("sent.seq"),
            (_, Some("rate_limited")) => author.wait_as_told(&answer).await,
            _ => return (kept, answer),
        }
    }
}
