//! F13 and F14: every call may be dropped after any poll, and nothing is half done, lost or held.

use std::{
    future::poll_fn,
    pin::pin,
    task::Poll::{Pending, Ready},
};

use chatrooms_core::{Appended, Draft, Life, MessageStore as _, Nonce, Redaction, StoreError};
use chatrooms_sqlite::SqliteStore;

use crate::kit::{ALL, append, begin, draft, numbers, open_again, say};

/// Polls so many times, whenever it is woken, and drops; `None` where that was too early.
async fn drop_after<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let (mut call, mut left) = (pin!(call), polls);
    poll_fn(|context| {
        while left > 0 {
            left -= 1;
            match call.as_mut().poll(context) {
                Ready(done) => return Ready(Some(done)),
                Pending if left > 0 => return Pending,
                Pending => {}
            }
        }
        Ready(None)
    })
    .await
}

/// Tells a story for every number of polls until its call completes; the story returns whether it did. The store's thread may be done before the first poll has
/// looked: then it is tried again.
async fn for_every_poll(story: impl AsyncFn(usize) -> bool) {
    let (mut polls, mut tries) = (0, 0);
    loop {
        assert!(polls < 100, "it never completes");
        assert!(tries < 200, "there was nothing to be cancelled in");
        let is_done = story(polls).await;
        if is_done && polls > 1 {
            return;
        }
        polls += usize::from(!is_done);
        tries += 1;
    }
}

/// The same of a life with one message, in a file and in memory.
#[expect(clippy::future_not_send, reason = "each test runs on its own thread")]
async fn for_every_poll_in_a_life(story: impl AsyncFn(&SqliteStore, &Life, usize) -> bool) {
    let dir = tempfile::tempdir().unwrap();
    // Whoever keeps the one reader is missed.
    let file = SqliteStore::builder().path(dir.path().join("chat.db")).readers(1).open();
    for store in [file.await.unwrap(), SqliteStore::in_memory().await.unwrap()] {
        for_every_poll(async |polls| {
            let life = begin(&store, "tea").await;
            say(&store, &life, "hello").await.unwrap();
            let is_done = story(&store, &life, polls).await;
            store.close(&life).await.unwrap();
            assert!(matches!(say(&store, &life, "late").await, Err(StoreError::Closed)));
            is_done
        })
        .await;
    }
}

#[tokio::test]
async fn a_cancelled_append_is_stored_or_not_and_once_in_any_case() {
    for_every_poll_in_a_life(async |store, life, polls| {
        let once = Draft { nonce: Nonce::new("n"), ..draft("once") };
        let done = drop_after(polls, append(store, life, vec![once.clone()])).await.is_some();
        match append(store, life, vec![once]).await.remove(0).unwrap() {
            Appended::Stored { message, .. } => assert_eq!((message.seq, done), (2, false)),
            Appended::Duplicate { seq, .. } => assert_eq!(seq, 2),
        }
        assert_eq!(say(store, life, "and on").await.unwrap().seq, 3);
        let page = store.read_before(life, None, ALL).await.unwrap();
        assert_eq!(numbers(&page), [1, 2, 3]);
        done
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_redaction_is_done_or_not() {
    for_every_poll_in_a_life(async |store, life, polls| {
        let done = drop_after(polls, store.redact(life, 1, None)).await.is_some();
        let again = store.redact(life, 1, None).await.unwrap();
        assert!(again == Redaction::Already || (again == Redaction::Done && !done));
        done
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_trim_is_done_or_not() {
    for_every_poll_in_a_life(async |store, life, polls| {
        say(store, life, "newer").await.unwrap();
        let done = drop_after(polls, store.trim(life, 1)).await.is_some();
        let page = store.read_before(life, None, ALL).await.unwrap();
        assert!(numbers(&page) == [2] || (numbers(&page) == [1, 2] && !done));
        assert_eq!(say(store, life, "newest").await.unwrap().seq, 3);
        store.trim(life, 1).await.unwrap();
        done
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_note_leaves_room_for_the_next() {
    for_every_poll_in_a_life(async |store, life, polls| {
        let done = drop_after(polls, store.note(life, "one")).await.is_some();
        store.note(life, "two").await.unwrap();
        done
    })
    .await;
}

#[tokio::test]
async fn a_life_is_over_as_soon_as_its_end_was_asked_for() {
    for_every_poll_in_a_life(async |store, life, polls| {
        let done = drop_after(polls, store.close(life)).await.is_some();
        let said = say(store, life, "late").await;
        assert_eq!(matches!(said, Err(StoreError::Closed)), polls > 0, "{said:?}");
        done
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_read_harms_nothing() {
    for_every_poll_in_a_life(async |store, life, polls| {
        let done = drop_after(polls, store.read_before(life, None, ALL)).await.is_some();
        let done = drop_after(polls, store.read_after(life, 0, ALL)).await.is_some() && done;
        let page = store.read_after(life, 0, ALL).await.unwrap();
        assert_eq!(numbers(&page), [1]);
        done
    })
    .await;
}

/// A file in which an earlier process has left a life with one message.
async fn left_behind(dir: &tempfile::TempDir) -> (SqliteStore, Life) {
    let path = dir.path().join("chat.db");
    let before = SqliteStore::open(&path).await.unwrap();
    let life = begin(&before, "tea").await;
    say(&before, &life, "hello").await.unwrap();
    before.shutdown().await.unwrap();
    (open_again(&path).await, life)
}

#[tokio::test]
async fn a_life_whose_reopening_is_cancelled_stays_where_it_was() {
    for_every_poll(async |polls| {
        let dir = tempfile::tempdir().unwrap();
        let (store, life) = left_behind(&dir).await;
        let reopen = || store.open(&life.room, Some(life.epoch), ALL);
        if let Some(opened) = drop_after(polls, reopen()).await {
            assert_eq!(opened.unwrap().head, 1);
            return true;
        }
        assert_eq!(store.abandoned().await.unwrap(), std::slice::from_ref(&life));
        assert_eq!(reopen().await.unwrap().head, 1);
        assert_eq!(say(&store, &life, "and on").await.unwrap().seq, 2);
        false
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_shutdown_goes_on_when_it_is_called_again() {
    for_every_poll(async |polls| {
        let dir = tempfile::tempdir().unwrap();
        let (store, life) = left_behind(&dir).await;
        let done = drop_after(polls, store.shutdown()).await.is_some();
        store.shutdown().await.unwrap();
        let next = open_again(&dir.path().join("chat.db")).await;
        assert_eq!(next.abandoned().await.unwrap(), [life]);
        done
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_opening_lets_go_of_the_file() {
    for_every_poll(async |polls| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chat.db");
        let done = drop_after(polls, SqliteStore::open(&path)).await.is_some();
        let store = open_again(&path).await;
        let life = begin(&store, "tea").await;
        assert_eq!(say(&store, &life, "hello").await.unwrap().seq, 1);
        done
    })
    .await;
}
