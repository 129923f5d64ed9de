//! Promises 9 and 10.

use super::kit::{
    ALL, append, assert_closed, begin, draft, duplicate, kept, marked, numbers, say, store_one,
    stored, user,
};
use crate::{Data, Draft, MessageStore, Redaction};

/// Promise 9: a redacted message says nothing.
///
/// # Panics
/// Where the store breaks it.
pub async fn a_redacted_message_says_nothing(store: &dyn MessageStore) {
    let life = begin(store, "redacted").await;
    let said = Draft { name: Some("Ada".into()), data: Some(Data::new("1")), ..marked("ada", "n") };
    let said = store_one(store, &life, said).await;
    store_one(store, &life, Draft { user: None, ..draft("the host") }).await;
    say(store, &life, 2).await;

    let (ada, bob) = (user("ada"), user("bob"));
    for (seq, author, expected) in [
        (1, Some(&bob), Redaction::NotAuthor),
        (1, Some(&ada), Redaction::Done),
        (1, Some(&ada), Redaction::Already),
        (1, None, Redaction::Already),
        (2, Some(&ada), Redaction::NotAuthor),
        (2, None, Redaction::Done),
        (0, None, Redaction::NotFound),
        (5, Some(&ada), Redaction::NotFound),
        (u64::MAX, None, Redaction::NotFound),
    ] {
        let told = store.redact(&life, seq, author).await.expect("it can be redacted");
        assert_eq!(told, expected, "message {seq} as {author:?}");
    }
    for page in [
        store.read_before(&life, None, ALL).await.expect("an open life can be read"),
        store.read_after(&life, 0, ALL).await.expect("an open life can be read"),
    ] {
        assert_eq!(numbers(&page.messages), [1, 2, 3, 4], "it keeps its place");
        assert_eq!(*page.messages[0], said.redact(), "its author and its nonce, and nothing said");
        assert!(page.messages[1].redacted && page.messages[1].draft.body.is_empty());
        assert!(page.messages[2..].iter().all(|message| !message.redacted), "the others speak");
    }
    let again = append(store, &life, vec![marked("ada", "n")]).await;
    assert_eq!(duplicate(&again[0]), Some(1), "its nonce stays known");
    store.close(&life).await.expect("it can be closed");
}

/// Promise 10: trimming takes the oldest.
///
/// # Panics
/// Where the store breaks it.
pub async fn trimming_takes_the_oldest(store: &dyn MessageStore) {
    let life = begin(store, "trimmed").await;
    store_one(store, &life, marked("ada", "n")).await;
    say(store, &life, 9).await;
    for (up_to, left) in [(0, 1..=10), (3, 4..=10), (2, 4..=10), (3, 4..=10), (5, 6..=10)] {
        store.trim(&life, up_to).await.expect("an open life can be trimmed");
        let numbers = numbers(&kept(store, &life).await);
        assert!(numbers.iter().copied().eq(left), "up to {up_to}: {numbers:?}");
    }
    let page = store.read_before(&life, Some(6), ALL).await.expect("an open life can be read");
    assert!(page.messages.is_empty() && !page.more, "what is trimmed is no more: {page:?}");
    assert_eq!(store.redact(&life, 5, None).await.expect("it is open"), Redaction::NotFound);

    let (message, oldest) = stored(append(store, &life, vec![marked("ada", "n")]).await.remove(0));
    assert_eq!((message.seq, oldest), (11, 6), "its nonce is free, the order goes on");

    store.trim(&life, u64::MAX).await.expect("an open life can be trimmed");
    assert!(kept(store, &life).await.is_empty(), "all of them");
    let (message, oldest) = stored(append(store, &life, vec![draft("next")]).await.remove(0));
    assert_eq!((message.seq, oldest), (12, 12), "the order goes on");

    let long = begin(store, "long").await;
    say(store, &long, 2500).await;
    store.trim(&long, 2400).await.expect("an open life can be trimmed");
    assert_eq!(kept(store, &long).await.len(), 100, "however many");
    assert_eq!(store.close(&long).await.expect("it can be closed"), 100);
    assert_eq!(store.close(&life).await.expect("it can be closed"), 1);
    for result in append(store, &life, vec![draft("late")]).await {
        assert_closed(result);
    }
}
