//! What is removed is gone, and stalls nobody while it goes.

use std::{cell::RefCell, fs, path::Path, time::Duration};

use chatrooms_core::{Budget, Data, Draft, Life, MessageStore as _, Redaction};
use chatrooms_sqlite::SqliteStore;
use futures_util::{
    FutureExt as _,
    future::{join, join_all},
};
use tokio::task::JoinSet;

use crate::kit::{append, begin, draft, execute, fill, say, stranger, until};

const CANARY: &str = "canary-7b1e";

/// Whether the text is in the database or in its log.
fn contains(path: &Path, text: &str) -> bool {
    let dir = path.parent().unwrap();
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().any(|file| {
        let bytes = fs::read(file).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// A store that has done everything that comes with its opening, so that the log is emptied for a purge only.
async fn settled(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(path).await.unwrap();
    until("the log has been emptied", || async { store.stats().checkpoints > 0 }).await;
    store
}

/// A life with canaries of all sizes, among others that stay.
async fn canaries(store: &SqliteStore, stay: &[Life]) -> Life {
    let life = begin(store, "secret").await;
    for n in 0..60 {
        let sung = CANARY.repeat(1 + n * n / 3);
        let data = (n % 3 == 0).then(|| Data::new(format!("\"{CANARY}\"")));
        append(store, &life, vec![Draft { data, ..draft(&sung) }; 3]).await;
        for other in stay {
            say(store, other, &"x".repeat(n * 40)).await.unwrap();
        }
    }
    life
}

/// When it is begun with is the concern of `checkpoint`, on a clock that can be set; how long it then takes is the disk's.
async fn assert_gone(path: &Path) {
    until("no canary is left", || async { !contains(path, CANARY) }).await;
}

#[tokio::test]
async fn no_text_of_an_ended_life_is_left_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    let stay = [begin(&store, "tea").await, begin(&store, "coffee").await];
    let life = canaries(&store, &stay).await;
    assert!(contains(&path, CANARY), "this test can see them");
    assert_eq!(store.close(&life).await.unwrap(), 180);
    assert_gone(&path).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_while_others_never_stop_talking() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    let busy = begin(&store, "busy").await;
    let life = canaries(&store, std::slice::from_ref(&busy)).await;
    let talk = tokio::spawn({
        let store = store.clone();
        async move {
            // Often enough that there is no idle moment, too seldom to write over the old log.
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            loop {
                pace.tick().await;
                say(&store, &busy, "and on").await.unwrap();
            }
        }
    });
    store.close(&life).await.unwrap();
    assert_gone(&path).await;
    assert!(!talk.is_finished(), "the talk went on");
    talk.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_while_others_read_and_write_all_the_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    let busy = begin(&store, "busy").await;
    fill(&store, &busy, 1000, &"x".repeat(4000)).await;
    let life = canaries(&store, std::slice::from_ref(&busy)).await;
    let mut others = JoinSet::new();
    for _ in 0..2 {
        let (store, busy) = (store.clone(), busy.clone());
        others.spawn(async move {
            loop {
                say(&store, &busy, "and on").await.unwrap();
            }
        });
    }
    for _ in 0..4 {
        let (store, busy) = (store.clone(), busy.clone());
        others.spawn(async move {
            loop {
                let budget = Budget { messages: 200, bytes: 256 * 1024 };
                store.read_before(&busy, Some(1000), budget).await.unwrap();
            }
        });
    }
    store.close(&life).await.unwrap();
    assert_gone(&path).await;
    assert_eq!(others.len(), 6, "they went on");
    assert!(others.try_join_next().is_none(), "they went on");
}

#[tokio::test]
async fn nor_of_a_redacted_message() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    let life = begin(&store, "tea").await;
    say(&store, &life, "before").await.unwrap();
    say(&store, &life, &CANARY.repeat(1000)).await.unwrap();
    assert_eq!(store.redact(&life, 2, None).await.unwrap(), Redaction::Done);
    assert_gone(&path).await;
}

#[tokio::test]
async fn nor_of_the_note_of_an_ended_life_whether_something_was_said_in_it_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    for is_silent in [true, false] {
        let life = begin(&store, "tea").await;
        for size in [1, 30, 30_000, 10] {
            store.note(&life, &format!("ban - {CANARY}\n").repeat(size)).await.unwrap();
        }
        if !is_silent {
            say(&store, &life, "text").await.unwrap();
        }
        assert!(contains(&path, CANARY), "this test can see it");
        store.close(&life).await.unwrap();
        assert_gone(&path).await;
    }
}

#[tokio::test]
async fn nor_after_a_stranger_has_let_go_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    let life = canaries(&store, &[]).await;
    let mut reader = stranger(&path).await;
    execute(&mut reader, "BEGIN; SELECT count(*) FROM chatrooms_messages").await;
    store.close(&life).await.unwrap();
    let other = begin(&store, "tea").await;
    say(&store, &other, "nobody waits for the reader").await.unwrap();
    execute(&mut reader, "COMMIT").await;
    assert_gone(&path).await;
}

#[tokio::test]
async fn a_log_that_grows_large_is_emptied_though_nothing_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = settled(&path).await;
    let emptied = store.stats().checkpoints;
    let life = begin(&store, "tea").await;
    fill(&store, &life, 5000, &"x".repeat(4000)).await;
    let is_emptied = || async { store.stats().checkpoints > emptied };
    until("the log has been emptied", is_emptied).await;
    let log = fs::metadata(dir.path().join("chat.db-wal")).unwrap().len();
    assert!(log < 1_000_000, "{log} bytes");
}

#[tokio::test]
async fn a_large_purge_lets_others_write_between_its_slices() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("chat.db")).await.unwrap();
    let (large, busy) = (begin(&store, "large").await, begin(&store, "busy").await);
    fill(&store, &large, 5000, "text").await;
    say(&store, &busy, "before").await.unwrap();

    let mut close = std::pin::pin!(store.close(&large));
    assert!(close.as_mut().now_or_never().is_none(), "it is under way");
    for n in 0..4 {
        let before = store.stats().slices;
        say(&store, &busy, "between").await.unwrap();
        let waited = store.stats().slices - before;
        assert!(waited <= 1, "append {n} waited for {waited} slices");
        assert!(close.as_mut().now_or_never().is_none(), "4 appends are done before 5 slices");
    }
    assert_eq!(close.await.unwrap(), 5000);
    assert!(store.stats().slices >= 5, "{:?}", store.stats());
    assert_eq!(store.stats().removed, 5000);
}

#[tokio::test]
async fn a_queue_that_is_never_empty_does_not_keep_a_purge_waiting() {
    let store = SqliteStore::in_memory().await.unwrap();
    let (large, busy) = (begin(&store, "large").await, begin(&store, "busy").await);
    fill(&store, &large, 2500, "text").await;
    let order = RefCell::new(Vec::new());
    let close = async {
        store.close(&large).await.unwrap();
        order.borrow_mut().push("closed");
    };
    // Each fills a batch of its own, and all of them wait from the start.
    let appends = (0..10).map(|_| async {
        fill(&store, &busy, 1000, "text").await;
        order.borrow_mut().push("appended");
    });
    join(close, join_all(appends)).await;
    assert_eq!(order.borrow().last(), Some(&"appended"), "{order:?}");
}

#[tokio::test]
async fn a_small_purge_does_not_wait_for_a_large_one() {
    let store = SqliteStore::in_memory().await.unwrap();
    let (large, small) = (begin(&store, "large").await, begin(&store, "small").await);
    fill(&store, &large, 5000, "text").await;
    fill(&store, &small, 5, "text").await;
    let order = RefCell::new(Vec::new());
    let (large, small) = join(
        async {
            let removed = store.close(&large).await;
            order.borrow_mut().push("large");
            removed
        },
        async {
            let removed = store.close(&small).await;
            order.borrow_mut().push("small");
            removed
        },
    )
    .await;
    assert_eq!((large.unwrap(), small.unwrap()), (5000, 5));
    assert_eq!(*order.borrow(), ["small", "large"]);
}

#[tokio::test]
async fn a_thousand_rooms_end_at_once_in_few_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("chat.db")).await.unwrap();
    let mut lives = Vec::new();
    for room in 0..1000 {
        lives.push(begin(&store, &format!("room {room}")).await);
    }
    let said = lives.iter().map(|life| say(&store, life, "text"));
    assert!(join_all(said).await.iter().all(Result::is_ok));
    let closes = lives.iter().map(|life| store.close(life));
    let removed = join_all(closes).await;
    assert!(removed.into_iter().all(|removed| removed.unwrap() == 1));
    let stats = store.stats();
    assert!(stats.slices + stats.batches < 200, "{stats:?}");
}
