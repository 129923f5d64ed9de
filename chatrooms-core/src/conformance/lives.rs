//! Promises 1, 6 and 7.

use futures_util::future::join;

use super::kit::{
    ALL, append, assert_closed, assert_nothing, begin, draft, in_a_minute, kept, marked, numbers,
    room, say, store_one,
};
use crate::{Epoch, Life, MessageStore, Redaction, StoreError};

/// Promise 1: a life starts empty.
///
/// # Panics
/// Where the store breaks it.
pub async fn a_life_starts_empty(store: &dyn MessageStore) {
    let tea = room("tea");
    let opened = store.open(&tea, None, ALL).await.expect("a new life can always begin");
    assert_eq!(opened.life.room, tea);
    assert_eq!((opened.head, opened.oldest), (0, 1));
    assert!(
        opened.recent.is_empty() && opened.redacted.is_empty(),
        "nobody has seen it: {opened:?}"
    );
    let life = opened.life;
    for page in [
        store.read_before(&life, None, ALL).await,
        store.read_before(&life, Some(1), ALL).await,
        store.read_after(&life, 0, ALL).await,
        store.read_after(&life, 7, ALL).await,
    ] {
        let page = page.expect("an open life can be read");
        assert!(page.messages.is_empty() && !page.more, "nothing was said: {page:?}");
    }
    assert_eq!(store.redact(&life, 1, None).await.expect("it is open"), Redaction::NotFound);
    store.trim(&life, 0).await.expect("it is open");
    assert!(store.abandoned().await.expect("it can be asked").is_empty(), "it is not abandoned");

    say(store, &life, 3).await;
    let next = store.open(&tea, None, ALL).await.expect("a new life can always begin");
    assert_ne!(next.life.epoch, life.epoch, "each life has an epoch of its own");
    assert_eq!((next.head, next.recent.len()), (0, 0), "whatever the room's other lives are");
    assert_closed(store.open(&tea, Some(Epoch::new()), ALL).await);
    assert_closed(store.open(&tea, Some(life.epoch), ALL).await);
}

/// Promise 6: lives never mix.
///
/// # Panics
/// Where the store breaks it.
pub async fn lives_never_mix(store: &dyn MessageStore) {
    let (first, second) = (begin(store, "tea").await, begin(store, "tea").await);
    let other = begin(store, "coffee").await;
    for n in 1..=5 {
        for (life, text) in [(&first, "first"), (&second, "second"), (&other, "other")] {
            assert_eq!(store_one(store, life, draft(text)).await.seq, n);
        }
    }
    store.redact(&first, 5, None).await.expect("it is there");
    store.trim(&first, 3).await.expect("they are there");
    for (life, text) in [(&second, "second"), (&other, "other")] {
        let kept = kept(store, life).await;
        assert_eq!(numbers(&kept), [1, 2, 3, 4, 5], "untouched");
        assert!(kept.iter().all(|message| *message.draft.body == *text), "its own: {text}");
    }
    assert_eq!(store.close(&first).await.expect("it can be closed"), 2);
    assert_eq!(
        numbers(&kept(store, &second).await),
        [1, 2, 3, 4, 5],
        "of the same name, untouched"
    );
    assert_eq!(store_one(store, &second, draft("second")).await.seq, 6);

    // The name of one room with the epoch of another is no life.
    let nobody = Life { room: room("tea"), epoch: other.epoch };
    for result in append(store, &nobody, vec![draft("lost")]).await {
        assert_closed(result);
    }
    assert_nothing(store.read_before(&nobody, None, ALL).await);
    assert_eq!(store.close(&nobody).await.expect("there is nothing to close"), 0);
    assert_eq!(numbers(&kept(store, &other).await), [1, 2, 3, 4, 5]);
}

/// Promise 7: a closed life stays closed.
///
/// # Panics
/// Where the store breaks it.
pub async fn a_closed_life_stays_closed(store: &dyn MessageStore) {
    let unwritten = begin(store, "quiet").await;
    assert_eq!(store.close(&unwritten).await.expect("there is nothing to remove"), 0);
    assert_ended(store, &unwritten).await;
    let unknown = Life::new(room("never"));
    assert_eq!(store.close(&unknown).await.expect("there is nothing to remove"), 0);

    let life = begin(store, "tea").await;
    store_one(store, &life, marked("ada", "n")).await;
    // More than a store is likely to remove at once.
    say(store, &life, 2500).await;
    assert_eq!(store.close(&life).await.expect("it can be closed"), 2501);
    assert_ended(store, &life).await;
    assert_eq!(store.close(&life).await.expect("closing twice is no error"), 0);
    assert_ended(store, &life).await;

    let crowded = begin(store, "crowded").await;
    say(store, &crowded, 10).await;
    let (one, two) = join(store.close(&crowded), store.close(&crowded)).await;
    let removed = one.expect("it can be closed") + two.expect("it can be closed");
    assert_eq!(removed, 10, "each message is removed by one of them");

    let busy = begin(store, "busy").await;
    say(store, &busy, 1).await;
    let append = store.append(&busy, vec![draft("a"), draft("b")], in_a_minute());
    let (_, closed) = join(append, store.close(&busy)).await;
    closed.expect("it can be closed");
    assert_ended(store, &busy).await;

    let refilled = begin(store, "tea").await;
    assert_eq!(store_one(store, &refilled, marked("ada", "n")).await.seq, 1, "a new life is new");
    assert_eq!(kept(store, &refilled).await.len(), 1);
}

async fn assert_ended(store: &dyn MessageStore, life: &Life) {
    for result in append(store, life, vec![draft("late"), marked("ada", "late")]).await {
        assert_closed(result);
    }
    assert_nothing(store.read_before(life, None, ALL).await);
    assert_nothing(store.read_after(life, 0, ALL).await);
    let redaction = store.redact(life, 1, None).await;
    assert!(
        matches!(redaction, Err(StoreError::Closed) | Ok(Redaction::NotFound)),
        "{redaction:?}"
    );
    let trim = store.trim(life, 1).await;
    assert!(matches!(trim, Err(StoreError::Closed) | Ok(())), "{trim:?}");
    assert_closed(store.open(&life.room, Some(life.epoch), ALL).await);
    assert!(!store.abandoned().await.expect("it can be asked").contains(life));
}
