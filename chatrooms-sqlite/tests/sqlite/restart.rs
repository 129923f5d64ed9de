//! A process that ended in any other way than it should.

use std::{path::Path, time::Duration};

use chatrooms_core::{MessageStore as _, StoreError};
use chatrooms_sqlite::SqliteStore;
use sqlx::Row as _;
use tokio::runtime::Runtime;

use crate::kit::{ALL, begin, fill, numbers, open_again, say, stranger, until};

async fn count(path: &Path, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(&mut stranger(path).await).await.unwrap().get(0)
}

async fn assert_whole(path: &Path) {
    let mut conn = stranger(path).await;
    let told = sqlx::query("PRAGMA integrity_check").fetch_one(&mut conn).await.unwrap();
    assert_eq!(told.get::<String, _>(0), "ok");
}

#[test]
fn a_runtime_that_is_dropped_under_the_store_leaves_what_was_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    for round in 0..5 {
        let runtime = Runtime::new().unwrap();
        let (store, life) = runtime.block_on(async {
            let store = open_again(&path).await;
            assert_eq!(store.abandoned().await.unwrap().len(), round);
            let life = begin(&store, "tea").await;
            fill(&store, &life, 100, "accepted").await;
            // On its way when everything ends.
            let (store_too, life_too) = (store.clone(), life.clone());
            tokio::spawn(async move {
                loop {
                    let _ = say(&store_too, &life_too, "perhaps").await;
                }
            });
            (store, life)
        });
        runtime.shutdown_timeout(Duration::from_secs(10));

        let after = Runtime::new().unwrap();
        after.block_on(async {
            let late = say(&store, &life, "late").await;
            assert!(matches!(late, Err(StoreError::Unavailable { .. })), "{late:?}");
            store.shutdown().await.expect_err("its writer has gone");
        });
        drop(store);
        after.block_on(async {
            let next = open_again(&path).await;
            let kept = next.open(&life.room, Some(life.epoch), ALL).await.unwrap();
            assert!(kept.head >= 100);
            let page = next.read_before(&life, None, ALL).await.unwrap();
            assert!(numbers(&page).into_iter().eq(1..=kept.head));
            assert_whole(&path).await;
            next.shutdown().await.unwrap();
        });
    }
}

#[test]
fn an_ended_life_never_comes_back_although_its_removal_was_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let runtime = Runtime::new().unwrap();
    let (life, store) = runtime.block_on(async {
        let store = SqliteStore::open(&path).await.unwrap();
        let life = begin(&store, "tea").await;
        fill(&store, &life, 30_000, "text").await;
        tokio::spawn({
            let (store, life) = (store.clone(), life.clone());
            async move { store.close(&life).await }
        });
        until("the removal has begun", || async { store.stats().slices > 0 }).await;
        (life, store)
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    assert!(store.stats().removed < 30_000, "the removal was cut off: {:?}", store.stats());
    drop(store);

    Runtime::new().unwrap().block_on(async {
        let store = open_again(&path).await;
        assert_eq!(store.abandoned().await.unwrap(), []);
        let again = store.open(&life.room, Some(life.epoch), ALL).await;
        assert!(matches!(again, Err(StoreError::Closed)), "{again:?}");
        until("the rest is removed without being asked for", || async {
            count(&path, "SELECT (SELECT count(*) FROM chatrooms_messages) + (SELECT count(*) FROM chatrooms_lives)")
                .await
                == 0
        })
        .await;
        assert_whole(&path).await;
    });
}

#[tokio::test]
async fn a_life_whose_end_could_not_be_written_is_abandoned() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let brief = Duration::from_millis(100);
    let store = SqliteStore::builder().path(&path).busy_timeout(brief).open().await.unwrap();
    let life = begin(&store, "tea").await;
    say(&store, &life, "text").await.unwrap();
    let mut other = stranger(&path).await;
    crate::kit::execute(&mut other, "BEGIN IMMEDIATE").await;
    store.close(&life).await.unwrap_err();
    drop(store);
    crate::kit::execute(&mut other, "COMMIT").await;
    let next = open_again(&path).await;
    assert_eq!(next.abandoned().await.unwrap(), std::slice::from_ref(&life));
    assert_eq!(next.close(&life).await.unwrap(), 1);
}

#[tokio::test]
async fn a_store_that_is_dropped_outside_a_runtime_finishes_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let life = begin(&store, "tea").await;
    say(&store, &life, "text").await.unwrap();
    std::thread::spawn(move || drop(store)).join().unwrap();
    let next = open_again(&path).await;
    assert_eq!(next.abandoned().await.unwrap(), [life]);
}
