//! What the promises are written with.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    Appended, Budget, Draft, Life, Message, MessageStore, Nonce, Page, RoomName, StoreError,
    UserName,
};

/// More than any life here keeps.
pub(super) const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

pub(super) fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a good name")
}

pub(super) fn user(name: &str) -> UserName {
    UserName::new(name).expect("a good name")
}

/// A draft of Ada's.
pub(super) fn draft(body: &str) -> Draft {
    Draft::new(user("ada"), body)
}

/// A draft of somebody's, with a nonce.
pub(super) fn marked(by: &str, nonce: &str) -> Draft {
    Draft { nonce: Nonce::new(nonce), ..Draft::new(user(by), "marked") }
}

pub(super) fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A life that begins now.
pub(super) async fn begin(store: &dyn MessageStore, name: &str) -> Life {
    let opened = store.open(&room(name), None, ALL).await.expect("a new life can always begin");
    opened.life
}

pub(super) async fn append(
    store: &dyn MessageStore,
    life: &Life,
    drafts: Vec<Draft>,
) -> Vec<Result<Appended, StoreError>> {
    let count = drafts.len();
    let results = store.append(life, drafts, in_a_minute()).await;
    assert_eq!(results.len(), count, "one result for each draft");
    results
}

/// Appends one draft, which has to be stored.
pub(super) async fn store_one(store: &dyn MessageStore, life: &Life, draft: Draft) -> Arc<Message> {
    stored(append(store, life, vec![draft]).await.remove(0)).0
}

/// Says so many things, all of which have to be stored.
pub(super) async fn say(store: &dyn MessageStore, life: &Life, count: usize) -> Vec<Arc<Message>> {
    let drafts = (0..count).map(|n| draft(&format!("{} says {n}", life.room))).collect();
    append(store, life, drafts).await.into_iter().map(|result| stored(result).0).collect()
}

/// The message, and the oldest one that is kept.
pub(super) fn stored(result: Result<Appended, StoreError>) -> (Arc<Message>, u64) {
    match result {
        Ok(Appended::Stored { message, oldest }) => (message, oldest),
        other => panic!("this has to be stored: {other:?}"),
    }
}

/// Says whether a draft was a duplicate, and of which message.
pub(super) fn duplicate(result: &Result<Appended, StoreError>) -> Option<u64> {
    match result {
        Ok(Appended::Duplicate { seq, .. }) => Some(*seq),
        _ => None,
    }
}

/// Everything that a life keeps.
pub(super) async fn kept(store: &dyn MessageStore, life: &Life) -> Vec<Arc<Message>> {
    let page = store.read_before(life, None, ALL).await.expect("an open life can be read");
    assert!(!page.more, "nothing is left out without need");
    page.messages
}

pub(super) fn numbers(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.seq).collect()
}

pub(super) fn assert_closed<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Closed)), "this life has ended: {result:?}");
}

/// A page of a life that has ended: there is none, or nothing on it.
pub(super) fn assert_nothing(result: Result<Page, StoreError>) {
    match result {
        Err(StoreError::Closed) => {}
        Ok(page) => assert!(page.messages.is_empty() && !page.more, "it has ended: {page:?}"),
        Err(error) => panic!("a life that has ended can only be closed: {error}"),
    }
}
