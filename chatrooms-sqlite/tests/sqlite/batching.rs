//! Many appends share a transaction, and each is its own all the same.

use std::pin::pin;

use chatrooms_core::{Appended, MessageStore as _, Nonce, StoreError};
use chatrooms_sqlite::SqliteStore;
use futures_util::{FutureExt as _, future::join_all};

use crate::kit::{
    ALL, append, begin, draft, execute, is_unavailable, numbers, open_again, say, stranger, until,
};

#[tokio::test]
async fn appends_that_wait_together_share_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("chat.db")).await.unwrap();
    let mut lives = Vec::new();
    for room in 0..20 {
        lives.push(begin(&store, &format!("room {room}")).await);
    }
    let before = store.stats();
    let appends = (0..200).map(|n| say(&store, &lives[n % 20], "all at once"));
    for result in join_all(appends).await {
        result.unwrap();
    }
    let after = store.stats();
    assert_eq!(after.appended - before.appended, 200);
    assert!(after.batches - before.batches <= 20, "{} for 200", after.batches - before.batches);
    for life in &lives {
        let page = store.read_before(life, None, ALL).await.unwrap();
        assert!(numbers(&page).into_iter().eq(1..=10), "{page:?}");
    }
}

#[tokio::test]
async fn a_dropped_append_is_neither_lost_nor_doubled() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("chat.db")).await.unwrap();
    let life = begin(&store, "tea").await;
    for n in 1..=20 {
        let marked = chatrooms_core::Draft { nonce: Nonce::new(&n.to_string()), ..draft("once") };
        {
            let dropped = pin!(append(&store, &life, vec![marked.clone()]));
            assert!(dropped.now_or_never().is_none(), "the writer has it, and has not answered");
        }
        let again = append(&store, &life, vec![marked]).await.remove(0);
        assert!(matches!(again, Ok(Appended::Duplicate { seq, .. }) if seq == n), "{again:?}");
    }
    let page = store.read_before(&life, None, ALL).await.unwrap();
    assert!(numbers(&page).into_iter().eq(1..=20));
}

#[tokio::test]
async fn a_row_that_the_database_refuses_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    execute(
        &mut stranger(&path).await,
        "CREATE TRIGGER poison BEFORE INSERT ON chatrooms_messages WHEN NEW.body = 'poison'
         BEGIN SELECT RAISE(ABORT, 'poisoned'); END",
    )
    .await;
    let (life, other) = (begin(&store, "tea").await, begin(&store, "coffee").await);
    let bodies = ["a", "poison", "b", "poison", "c"].repeat(20);
    let drafts = bodies.iter().map(|body| draft(body)).collect();
    let (results, others) = futures_util::future::join(
        append(&store, &life, drafts),
        append(&store, &other, vec![draft("well"); 10]),
    )
    .await;
    for (body, result) in bodies.iter().zip(&results) {
        assert_eq!(is_unavailable(result), *body == "poison", "{body}: {result:?}");
    }
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    let page = store.read_before(&life, None, ALL).await.unwrap();
    assert!(numbers(&page).into_iter().eq(1..=60), "a refused draft takes no number");
    assert!(page.messages.iter().all(|message| *message.draft.body != *"poison"));

    let alone = append(&store, &begin(&store, "milk").await, vec![draft("poison")]).await;
    assert!(is_unavailable(&alone[0]), "{alone:?}");
}

#[tokio::test]
async fn reads_that_are_dropped_give_their_reader_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::builder().path(&path).readers(1).open().await.unwrap();
    let life = begin(&store, "tea").await;
    crate::kit::fill(&store, &life, 500, "text").await;
    for _ in 0..50 {
        let read = pin!(store.read_before(&life, None, ALL));
        assert!(read.now_or_never().is_none(), "it was on its way");
    }
    let reads = join_all((0..50).map(|_| store.read_after(&life, 400, ALL))).await;
    assert!(reads.into_iter().all(|page| page.unwrap().messages.len() == 100));
}

#[tokio::test]
async fn a_store_that_is_shut_down_is_unavailable_and_its_clones_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let life = begin(&store, "tea").await;
    let clone = store.clone();
    let (said, down) =
        futures_util::future::join(say(&store, &life, "last"), store.shutdown()).await;
    said.unwrap();
    down.unwrap();
    clone.shutdown().await.unwrap();
    assert!(is_unavailable(&say(&clone, &life, "too late").await));
    assert!(is_unavailable(&clone.read_before(&life, None, ALL).await));
    assert!(matches!(clone.close(&life).await, Err(StoreError::Unavailable { .. })));
    let next = open_again(&path).await;
    assert_eq!(next.abandoned().await.unwrap(), std::slice::from_ref(&life));
    next.close(&life).await.unwrap();
    until("the next store's log is emptied", || async { next.stats().checkpoints > 0 }).await;
}
