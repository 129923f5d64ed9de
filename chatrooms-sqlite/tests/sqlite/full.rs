//! No space left: real `SQLITE_FULL`, from a quota of pages.

use chatrooms_core::MessageStore as _;
use chatrooms_sqlite::SqliteStore;

use crate::kit::{ALL, append, begin, draft, fill, is_unavailable, numbers, open_with_again, say};

/// One text to a page.
const LARGE: usize = 3500;

#[tokio::test]
async fn a_full_disk_refuses_and_everything_goes_on_when_there_is_space_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::builder().path(&path).max_page_count(60).open().await.unwrap();
    let (large, small) = (begin(&store, "large").await, begin(&store, "small").await);
    assert_eq!(say(&store, &small, "there was space").await.unwrap().seq, 1);
    let body = "x".repeat(LARGE);
    let mut stored = 0;
    let full = loop {
        match say(&store, &large, &body).await {
            Ok(message) => stored = message.seq,
            Err(error) => break error,
        }
    };
    assert!(is_unavailable(&Err::<(), _>(full)));
    assert!(stored > 20, "it was not full before: {stored}");
    assert!(store.stats().failures > 0);

    let batch = append(&store, &small, vec![draft(&body); 5]).await;
    assert!(batch.iter().all(is_unavailable), "{batch:?}");
    let page = store.read_before(&large, None, ALL).await.unwrap();
    assert!(numbers(&page).into_iter().eq(1..=stored), "what was refused has left no hole");
    let fresh = begin(&store, "fresh").await;
    assert!(store.read_before(&fresh, None, ALL).await.unwrap().messages.is_empty());

    assert_eq!(store.close(&large).await.unwrap(), stored, "space can be made");
    assert_eq!(say(&store, &small, &body).await.unwrap().seq, 2, "and the order has no hole");
    assert_eq!(say(&store, &fresh, &body).await.unwrap().seq, 1);
    fill(&store, &fresh, 20, &body).await;
}

#[tokio::test]
async fn a_store_opens_on_a_full_disk_and_fences_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let life = begin(&store, "tea").await;
    fill(&store, &life, 50, &"x".repeat(LARGE)).await;
    store.shutdown().await.unwrap();

    // Fewer pages than there are: nothing can be added.
    let store = open_with_again(SqliteStore::builder().path(&path).max_page_count(1)).await;
    assert_eq!(store.abandoned().await.unwrap(), std::slice::from_ref(&life));
    let fresh = begin(&store, "tea").await;
    assert!(is_unavailable(&say(&store, &fresh, &"x".repeat(LARGE)).await));
    assert_eq!(store.close(&life).await.unwrap(), 50);
    assert_eq!(say(&store, &fresh, &"x".repeat(LARGE)).await.unwrap().seq, 1);
}
