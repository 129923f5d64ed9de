//! Promises 11 and 13, for stores that outlive their process and for those that do not.

use std::collections::HashSet;

use super::kit::{
    ALL, append, assert_closed, assert_nothing, begin, draft, duplicate, kept, marked, numbers,
    room, say, store_one,
};
use crate::{Epoch, Life, MessageStore, Redaction, StoreError};

/// Promise 11: the lives of an earlier process are listed, and never return by themselves. And promise 13: what was noted of them is found with them.
///
/// Each call of `start` stands for a process that starts and finds what the one before it has left. That one has been shut
/// down, or only dropped; where it takes a moment to let go of its data, `start` has to wait for it.
///
/// # Panics
/// Where the store breaks it.
pub async fn the_lives_of_an_earlier_process_are_listed<S: MessageStore>(
    start: impl AsyncFn() -> S,
) {
    for end in [End::ShutDown, End::Dropped] {
        let store = start().await;
        let left = leave_behind(&store).await;
        end.of(store).await;

        let store = start().await;
        find_again(&store, &left).await;
        end.of(store).await;

        let store = start().await;
        assert_eq!(listed(&store).await, left.lives());
        find_notes_again(&store, &left).await;
        end.of(store).await;

        let store = start().await;
        assert_eq!(listed(&store).await, left.lives());
        assert_eq!(store.close(&left.silent).await.expect("it can be closed unopened"), 0);
        assert_eq!(store.close(&left.talk).await.expect("it can be closed unopened"), 6);
        assert_nothing(store.read_before(&left.talk, None, ALL).await);
        assert_eq!(store.close(&left.empty).await.expect("it can be closed unopened"), 1);
        assert_eq!(listed(&store).await, HashSet::new());
        end.of(store).await;

        let store = start().await;
        assert_eq!(listed(&store).await, HashSet::new(), "what is closed never comes back");
        assert_closed(store.open(&left.talk.room, Some(left.talk.epoch), ALL).await);
        end.of(store).await;
    }
}

/// Promise 11, for a store that ends with its process: nothing is listed, and nothing returns.
///
/// # Panics
/// Where the store breaks it.
pub async fn an_earlier_process_leaves_nothing<S: MessageStore>(start: impl AsyncFn() -> S) {
    for end in [End::ShutDown, End::Dropped] {
        let store = start().await;
        let left = leave_behind(&store).await;
        end.of(store).await;

        let store = start().await;
        assert_eq!(listed(&store).await, HashSet::new());
        for life in [&left.talk, &left.empty, &left.silent, &left.closed] {
            assert_closed(store.open(&life.room, Some(life.epoch), ALL).await);
            assert_nothing(store.read_before(life, None, ALL).await);
            assert_eq!(store.close(life).await.expect("there is nothing to close"), 0);
        }
        end.of(store).await;
    }
}

/// How a process ends.
#[derive(Clone, Copy)]
enum End {
    ShutDown,
    Dropped,
}

impl End {
    async fn of(self, store: impl MessageStore) {
        if matches!(self, Self::ShutDown) {
            store.shutdown().await.expect("it can be shut down");
        }
    }
}

/// What a process leaves behind.
struct Left {
    /// 5 messages: the first trimmed, the third redacted, the second with a nonce.
    talk: Life,
    /// 3 messages, all of them trimmed.
    empty: Life,
    /// No message, and a note.
    silent: Life,
    closed: Life,
}

impl Left {
    /// Those that were not closed.
    fn lives(&self) -> HashSet<Life> {
        [&self.talk, &self.empty, &self.silent].into_iter().cloned().collect()
    }
}

const FIRST_NOTE: &str = "of the first process ' \" \\ ?1 \u{1f980}\n";
const SECOND_NOTE: &str = "of the second\n";

async fn leave_behind(store: &impl MessageStore) -> Left {
    let talk = begin(store, "talk").await;
    say(store, &talk, 1).await;
    store_one(store, &talk, marked("ada", "n")).await;
    say(store, &talk, 3).await;
    store.trim(&talk, 1).await.expect("an open life can be trimmed");
    assert_eq!(store.redact(&talk, 3, None).await.expect("it is there"), Redaction::Done);

    let empty = begin(store, "empty").await;
    say(store, &empty, 3).await;
    store.trim(&empty, 3).await.expect("an open life can be trimmed");

    store.note(&talk, "an earlier one").await.expect("an open life can have a note");
    store.note(&talk, FIRST_NOTE).await.expect("an open life can have a note");
    let silent = begin(store, "silent").await;
    store.note(&silent, &FIRST_NOTE.repeat(10_000)).await.expect("it may be large");

    let closed = begin(store, "talk").await;
    say(store, &closed, 3).await;
    store.note(&closed, "closed").await.expect("an open life can have a note");
    store.close(&closed).await.expect("it can be closed");
    Left { talk, empty, silent, closed }
}

/// The lives that are listed.
async fn listed(store: &impl MessageStore) -> HashSet<Life> {
    let lives = store.abandoned().await.expect("it can be asked");
    let count = lives.len();
    let listed = HashSet::from_iter(lives);
    assert_eq!(listed.len(), count, "each once: {listed:?}");
    listed
}

async fn find_again(store: &impl MessageStore, left: &Left) {
    let Left { talk, empty, silent, closed } = left;
    assert_eq!(listed(store).await, left.lives());
    assert_fenced(store, talk).await;
    assert_closed(store.open(&talk.room, Some(closed.epoch), ALL).await);
    assert_closed(store.open(&talk.room, Some(Epoch::new()), ALL).await);
    assert_closed(store.open(&room("another"), Some(talk.epoch), ALL).await);
    let fresh = begin(store, "talk").await;
    assert!(kept(store, &fresh).await.is_empty(), "a new life is not the old one");

    let opened = store.open(&talk.room, Some(talk.epoch), ALL).await.expect("it is listed");
    assert_eq!((&opened.life, opened.head, opened.oldest), (talk, 5, 2));
    assert_eq!(numbers(&opened.recent), [2, 3, 4, 5]);
    assert_eq!(opened.redacted, [3]);
    assert_eq!(opened.note, FIRST_NOTE, "the newest one");
    assert_eq!(opened.recent, kept(store, talk).await);
    assert_eq!(listed(store).await, [empty.clone(), silent.clone()].into());
    assert_closed(store.open(&talk.room, Some(talk.epoch), ALL).await);
    let again = append(store, talk, vec![marked("ada", "n")]).await;
    assert_eq!(duplicate(&again[0]), Some(2), "its nonces are known");
    say(store, talk, 2).await;
    assert_eq!(numbers(&kept(store, talk).await), [2, 3, 4, 5, 6, 7], "its order goes on");

    let opened = store.open(&empty.room, Some(empty.epoch), ALL).await.expect("it is listed");
    assert_eq!((opened.head, opened.oldest, opened.recent.len()), (3, 4, 0));
    assert_eq!(opened.note, "", "it has none");
    assert_eq!(store_one(store, empty, draft("next")).await.seq, 4, "its order goes on");
    store.close(&fresh).await.expect("it can be closed");

    let opened = store.open(&silent.room, Some(silent.epoch), ALL).await.expect("it is listed");
    assert_eq!((opened.head, opened.oldest, opened.recent.len()), (0, 1, 0));
    assert_eq!(opened.note, FIRST_NOTE.repeat(10_000), "all of it");
    store.note(silent, "").await.expect("an open life can have a note");
    store.note(empty, SECOND_NOTE).await.expect("an open life can have a note");
}

/// What another process has made of the notes, and what it has left as it was.
async fn find_notes_again(store: &impl MessageStore, left: &Left) {
    for (life, note) in [(&left.talk, FIRST_NOTE), (&left.empty, SECOND_NOTE), (&left.silent, "")] {
        let opened = store.open(&life.room, Some(life.epoch), ALL).await.expect("it is listed");
        assert_eq!(opened.note, note, "{life:?}");
    }
}

/// Nobody reads or writes an abandoned life before it is opened.
async fn assert_fenced(store: &impl MessageStore, life: &Life) {
    for result in append(store, life, vec![draft("a ghost")]).await {
        assert_closed(result);
    }
    assert_nothing(store.read_before(life, None, ALL).await);
    assert_nothing(store.read_after(life, 0, ALL).await);
    let redaction = store.redact(life, 2, None).await;
    assert!(
        matches!(redaction, Err(StoreError::Closed) | Ok(Redaction::NotFound)),
        "{redaction:?}"
    );
    let trim = store.trim(life, 5).await;
    assert!(matches!(trim, Err(StoreError::Closed) | Ok(())), "{trim:?}");
    assert_closed(store.note(life, "a ghost").await);
}
