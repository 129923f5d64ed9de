//! Promises 2, 3, 4, 5 and 12.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::Instant;

use super::kit::{
    ALL, append, assert_closed, begin, draft, duplicate, kept, marked, numbers, say, store_one,
    stored,
};
use crate::{Appended, Data, Draft, MessageStore, Nonce, StoreError};

/// Promise 2: the order is dense.
///
/// # Panics
/// Where the store breaks it.
pub async fn the_order_is_dense(store: &dyn MessageStore) {
    let life = begin(store, "dense").await;
    let mut next = 1;
    for size in [1, 3, 0, 40, 100, 1] {
        let bodies: Vec<_> = (0..size).map(|n| format!("{size}.{n}")).collect();
        let drafts = bodies.iter().map(|body| draft(body)).collect();
        for (body, result) in bodies.iter().zip(append(store, &life, drafts).await) {
            let (message, oldest) = stored(result);
            assert_eq!((message.seq, oldest), (next, 1), "1, 2, 3, … within a life");
            assert_eq!(*message.draft.body, **body, "in the order of the drafts");
            next += 1;
        }
    }
    store_one(store, &life, marked("ada", "once")).await;
    let again = append(store, &life, vec![marked("ada", "once")]).await;
    assert_eq!(duplicate(&again[0]), Some(next));
    assert_eq!(
        store_one(store, &life, draft("after")).await.seq,
        next + 1,
        "a duplicate takes none"
    );

    let rooms = join_all((0..8).map(|room| async move {
        let life = begin(store, &format!("dense {room}")).await;
        for _ in 0..10 {
            say(store, &life, 3).await;
        }
        numbers(&kept(store, &life).await)
    }));
    for numbers in rooms.await {
        assert!(numbers.iter().copied().eq(1..=30), "each life counts for itself: {numbers:?}");
    }
}

/// Promise 3: accepted means kept.
///
/// # Panics
/// Where the store breaks it.
pub async fn accepted_means_kept(store: &dyn MessageStore) {
    let life = begin(store, "kept").await;
    let mut accepted = Vec::new();
    for draft in awkward() {
        accepted.push(store_one(store, &life, draft).await);
        assert_eq!(kept(store, &life).await, accepted, "found at once, as it was sent");
    }
    let in_one_batch = append(store, &life, awkward()).await.into_iter().map(|it| stored(it).0);
    accepted.extend(in_one_batch);
    assert_eq!(kept(store, &life).await, accepted);
    let page = store.read_after(&life, 0, ALL).await.expect("an open life can be read");
    assert_eq!(page.messages, accepted, "from either side");
}

/// Drafts with everything in them that is easily lost.
fn awkward() -> Vec<Draft> {
    let bodies = [
        "plain".to_owned(),
        String::new(),
        "with a \0 inside, and \u{1} and \u{7f}".to_owned(),
        "quotes ' \" ` and a backslash \\, a %s and a ?1".to_owned(),
        "line\r\nbreaks\u{2028}and\ttabs ".to_owned(),
        "🦀 e\u{301} \u{10ffff} \u{feff}".to_owned(),
        "large ".repeat(10_000),
    ];
    let mut drafts: Vec<_> = bodies.iter().map(|body| draft(body)).collect();
    drafts.push(Draft { name: Some("Ada O'Hara".into()), ..draft("with a name") });
    drafts.push(Draft { name: Some("".into()), ..draft("with an empty name") });
    drafts.push(Draft { data: Some(Data::new("{\"a\":[1,null,\"\\u0000\"]}")), ..draft("data") });
    drafts.push(Draft { data: Some(Data::new("")), ..draft("with empty data") });
    drafts.push(Draft { user: None, ..draft("by the host") });
    drafts.push(Draft { user: None, nonce: Nonce::new("unseen"), ..draft("the host's nonce") });
    drafts
}

/// Promise 4: a nonce is stored once.
///
/// # Panics
/// Where the store breaks it.
pub async fn a_nonce_is_stored_once(store: &dyn MessageStore) {
    let life = begin(store, "once").await;
    let first = store_one(store, &life, marked("ada", "n")).await;
    say(store, &life, 2).await;
    for _ in 0..2 {
        let other_text = Draft { body: "another text".into(), ..marked("ada", "n") };
        match append(store, &life, vec![other_text]).await.remove(0) {
            Ok(Appended::Duplicate { seq, at }) => assert_eq!((seq, at), (first.seq, first.at)),
            other => panic!("the nonce is known: {other:?}"),
        }
    }
    let batch =
        vec![marked("bob", "n"), marked("ada", "m"), marked("ada", "m"), marked("ada", "n")];
    let results = append(store, &life, batch).await;
    assert_eq!(stored(results[0].clone()).0.seq, 4, "another user's nonce is another one");
    assert_eq!(stored(results[1].clone()).0.seq, 5);
    assert_eq!(duplicate(&results[2]), Some(5), "within one batch, too");
    assert_eq!(duplicate(&results[3]), Some(1));
    assert_eq!(numbers(&kept(store, &life).await), [1, 2, 3, 4, 5]);

    store.redact(&life, 1, None).await.expect("it is there");
    let again = append(store, &life, vec![marked("ada", "n")]).await;
    assert_eq!(duplicate(&again[0]), Some(1), "also when its message has been redacted");

    let case = begin(store, "case").await;
    let different = [("ada", "n"), ("ada", "N"), ("Ada", "n"), ("Ada", "N")];
    for (seq, (user, nonce)) in (1..).zip(different) {
        let message = store_one(store, &case, marked(user, nonce)).await;
        assert_eq!(message.seq, seq, "case counts, in users and nonces");
    }
    let again = different.map(|(user, nonce)| marked(user, nonce)).to_vec();
    for (seq, result) in (1..).zip(append(store, &case, again).await) {
        assert_eq!(duplicate(&result), Some(seq));
    }
    let in_one_batch = begin(store, "case").await;
    let batch = different.map(|(user, nonce)| marked(user, nonce)).to_vec();
    for (seq, result) in (1..).zip(append(store, &in_one_batch, batch).await) {
        assert_eq!(stored(result).0.seq, seq, "within one batch, too");
    }

    let other = begin(store, "once").await;
    assert_eq!(
        store_one(store, &other, marked("ada", "n")).await.seq,
        1,
        "lives do not share them"
    );

    let many: Vec<_> = (0..100).map(|n| marked("eve", &format!("{n}"))).collect();
    let first = append(store, &life, many.clone()).await;
    let again = append(store, &life, many).await;
    for (first, again) in first.into_iter().zip(&again) {
        assert_eq!(duplicate(again), Some(stored(first).0.seq), "in large batches, too");
    }
}

/// Promise 5: one draft never fails another.
///
/// # Panics
/// Where the store breaks it.
pub async fn one_draft_never_fails_another(store: &dyn MessageStore) {
    let life = begin(store, "batch").await;
    store_one(store, &life, marked("ada", "known")).await;
    let host = Draft { user: None, ..marked("ada", "host") };
    let batch = vec![
        draft("a"),
        marked("ada", "known"),
        draft("b"),
        marked("ada", "new"),
        marked("ada", "new"),
        host.clone(),
        host,
        draft("c"),
    ];
    let results = append(store, &life, batch).await;
    let told: Vec<_> = results
        .into_iter()
        .map(|result| match result {
            Ok(Appended::Stored { message, .. }) => (true, message.seq),
            Ok(Appended::Duplicate { seq, .. }) => (false, seq),
            Err(error) => panic!("there is nothing wrong with any of them: {error}"),
        })
        .collect();
    let expected =
        [(true, 2), (false, 1), (true, 3), (true, 4), (false, 4), (true, 5), (true, 6), (true, 7)];
    assert_eq!(told, expected, "each has a result of its own");
    assert_eq!(numbers(&kept(store, &life).await), [1, 2, 3, 4, 5, 6, 7]);
}

/// Promise 12: an error means what it says.
///
/// # Panics
/// Where the store breaks it.
pub async fn an_error_means_what_it_says(store: &dyn MessageStore) {
    let life = begin(store, "late").await;
    say(store, &life, 1).await;
    let past = Instant::now().checked_sub(Duration::from_millis(1)).expect("time has begun");
    let late = vec![draft("late"), marked("ada", "late")];
    let results = store.append(&life, late, past).await;
    assert_eq!(results.len(), 2, "one result for each draft");
    for result in results {
        assert!(matches!(result, Err(StoreError::Unavailable { .. })), "withdrawn: {result:?}");
    }
    let next = store_one(store, &life, marked("ada", "late")).await;
    assert_eq!(next.seq, 2, "nothing was stored, and its nonce is free");
    assert_eq!(kept(store, &life).await.last(), Some(&Arc::clone(&next)), "and nothing will be");

    store.close(&life).await.expect("it can be closed");
    for result in append(store, &life, vec![draft("too late"), draft("much too late")]).await {
        assert_closed(result);
    }
}
