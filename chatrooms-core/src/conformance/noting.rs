//! Promise 13, as far as it can be seen without a restart; [`restart`](super::restart) has the rest.

use super::kit::{assert_closed, begin, kept, numbers, room, say};
use crate::{Epoch, Life, MessageStore};

/// Promise 13: a note goes with its life.
///
/// # Panics
/// Where the store breaks it.
pub async fn a_note_goes_with_its_life(store: &dyn MessageStore) {
    let life = begin(store, "tea").await;
    for note in ["ban - eve\n", "", "ban - eve\nmute - bob\n"] {
        store.note(&life, note).await.expect("an open life can have a note");
    }
    assert!(kept(store, &life).await.is_empty(), "it is no message");
    let said = say(store, &life, 2).await;
    store.note(&life, "").await.expect("an open life can have a note");
    assert_eq!(numbers(&said), [1, 2], "it takes no number");
    assert_eq!(kept(store, &life).await, said);
    assert!(store.abandoned().await.expect("it can be asked").is_empty(), "it is not abandoned");

    let silent = begin(store, "silence").await;
    store.note(&silent, &"mute - eve\n".repeat(10_000)).await.expect("it may be large");
    assert_eq!(store.close(&silent).await.expect("it can be closed"), 0, "no message was in it");
    assert_eq!(store.close(&life).await.expect("it can be closed"), 2);
    let nobody = Life { epoch: Epoch::new(), ..life.clone() };
    let elsewhere = Life { room: room("coffee"), ..begin(store, "tea").await };
    for ended in [&silent, &life, &nobody, &elsewhere] {
        assert_closed(store.note(ended, "late").await);
    }
}
