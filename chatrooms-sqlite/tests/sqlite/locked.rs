//! Another program holds the write lock.

use std::time::Duration;

use chatrooms_core::{MessageStore as _, StoreError};
use chatrooms_sqlite::SqliteStore;
use tokio::time::{Instant, interval};

use crate::kit::{
    ALL, append, begin, draft, execute, fill, is_unavailable, numbers, say, stranger,
};

#[tokio::test]
async fn a_lock_that_lasts_makes_writes_unavailable_until_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let brief = Duration::from_millis(200);
    let store = SqliteStore::builder().path(&path).busy_timeout(brief).open().await.unwrap();
    let (life, ended) = (begin(&store, "tea").await, begin(&store, "coffee").await);
    say(&store, &life, "before").await.unwrap();
    say(&store, &ended, "before").await.unwrap();

    let mut other = stranger(&path).await;
    execute(&mut other, "BEGIN IMMEDIATE").await;
    let since = Instant::now();
    assert!(is_unavailable(&say(&store, &life, "during").await));
    assert!(since.elapsed() >= brief, "it has waited: {:?}", since.elapsed());
    assert_eq!(numbers(&store.read_before(&life, None, ALL).await.unwrap()), [1], "reads go on");
    assert!(is_unavailable(&store.redact(&life, 1, None).await));
    assert!(is_unavailable(&store.trim(&life, 1).await));
    assert!(is_unavailable(&store.note(&life, "note").await));
    assert!(is_unavailable(&store.note(&begin(&store, "silent").await, "note").await));
    assert!(is_unavailable(&store.close(&ended).await));
    assert!(matches!(say(&store, &ended, "over").await, Err(StoreError::Closed)));
    assert!(matches!(store.read_before(&ended, None, ALL).await, Err(StoreError::Closed)));

    execute(&mut other, "COMMIT").await;
    assert_eq!(say(&store, &life, "after").await.unwrap().seq, 2);
    assert_eq!(store.close(&ended).await.unwrap(), 1, "trying again removes it");
    assert_eq!(store.close(&ended).await.unwrap(), 0);
    let page = store.read_before(&life, None, ALL).await.unwrap();
    assert_eq!(numbers(&page), [1, 2], "nothing was redacted, trimmed or stored meanwhile");
}

#[tokio::test]
async fn what_waits_for_a_lock_at_its_deadline_is_withdrawn() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let life = begin(&store, "tea").await;
    let mut other = stranger(&path).await;
    execute(&mut other, "BEGIN IMMEDIATE").await;
    let deadline = Instant::now() + Duration::from_millis(100);
    let (first, second) = futures_util::future::join(
        store.append(&life, vec![draft("one"), draft("two")], deadline),
        store.append(&life, vec![draft("three")], deadline),
    )
    .await;
    assert!(first.iter().chain(&second).all(is_unavailable), "{first:?} {second:?}");
    // Others, with more time, have been waiting behind them.
    let patient = append(&store, &life, vec![draft("patient")]);
    let unlock = execute(&mut other, "COMMIT");
    let (patient, ()) = futures_util::future::join(patient, unlock).await;
    assert!(patient[0].is_ok(), "{patient:?}");
    let page = store.read_before(&life, None, ALL).await.unwrap();
    assert_eq!(numbers(&page), [1]);
    assert_eq!(&*page.messages[0].draft.body, "patient");
}

#[tokio::test]
async fn a_place_in_a_full_queue_is_waited_for_until_the_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let long = Duration::from_secs(30);
    let builder = SqliteStore::builder().path(&path).queue(1).busy_timeout(long);
    let store = builder.open().await.unwrap();
    let life = begin(&store, "tea").await;
    let mut other = stranger(&path).await;
    execute(&mut other, "BEGIN IMMEDIATE").await;
    let since = Instant::now();
    let deadline = since + Duration::from_millis(100);
    let appends = (0..10).map(|_| store.append(&life, vec![draft("late")], deadline));
    for results in futures_util::future::join_all(appends).await {
        assert!(is_unavailable(&results[0]), "{results:?}");
    }
    assert!(since.elapsed() < long / 2, "they have waited for the lock: {:?}", since.elapsed());
    execute(&mut other, "COMMIT").await;
    assert_eq!(say(&store, &life, "first").await.unwrap().seq, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_writes_all_the_time_makes_nothing_fail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (life, ended) = (begin(&store, "tea").await, begin(&store, "coffee").await);
    fill(&store, &ended, 3000, "text").await;
    let mut other = stranger(&path).await;
    execute(&mut other, "CREATE TABLE of_the_host (at INTEGER)").await;
    let writing = tokio::spawn(async move {
        // Half of the time the lock is its own.
        let mut pace = interval(Duration::from_millis(2));
        loop {
            pace.tick().await;
            execute(&mut other, "BEGIN IMMEDIATE; INSERT INTO of_the_host VALUES (1)").await;
            pace.tick().await;
            execute(&mut other, "COMMIT").await;
        }
    });
    let close = store.close(&ended);
    let talk = async {
        for seq in 1..=60 {
            assert_eq!(say(&store, &life, "text").await.unwrap().seq, seq);
            store.redact(&life, seq, None).await.unwrap();
            // What reads first and writes later would find that somebody has written meanwhile.
            store.trim(&life, seq / 2).await.unwrap();
        }
    };
    let (closed, ()) = futures_util::future::join(close, talk).await;
    assert_eq!(closed.unwrap(), 3000);
    assert_eq!(store.stats().failures, 0);
    assert!(!writing.is_finished(), "it went on");
    writing.abort();
}
