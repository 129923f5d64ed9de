//! The file changes under the store's feet.

use std::{fs, path::Path};

use chatrooms_core::MessageStore as _;
use chatrooms_sqlite::SqliteStore;

use crate::kit::{ALL, begin, fill, is_unavailable, numbers, say, until};

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_deleted_goes_on_without_a_name_and_no_other_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let life = begin(&store, "tea").await;
    say(&store, &life, "before").await.unwrap();
    for name in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
        fs::remove_file(name).unwrap();
    }
    assert_eq!(say(&store, &life, "after").await.unwrap().seq, 2);
    assert_eq!(numbers(&store.read_before(&life, None, ALL).await.unwrap()), [1, 2]);
    assert_eq!(store.close(&life).await.unwrap(), 2);
    store.shutdown().await.unwrap();
    assert!(!path.exists() && !beside(&path, "-wal").exists(), "no second file");
}

#[tokio::test]
async fn damage_under_way_is_told_and_passes_with_its_cause() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (life, ended) = (begin(&store, "tea").await, begin(&store, "coffee").await);
    fill(&store, &life, 300, &"text ".repeat(100)).await;
    say(&store, &ended, "over").await.unwrap();
    store.close(&ended).await.unwrap();
    let emptied = store.stats().checkpoints;
    until("everything is in the file", || async { store.stats().checkpoints > emptied }).await;

    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[4096..].fill(0xff);
    overwrite(&path, &damaged);
    assert!(is_unavailable(&store.read_before(&life, None, ALL).await));
    overwrite(&path, &whole);
    let page = store.read_before(&life, None, ALL).await.unwrap();
    assert!(numbers(&page).into_iter().eq(1..=300));
    assert_eq!(say(&store, &life, "after").await.unwrap().seq, 301);
}

/// Writes into the same file, as a failing disk does.
fn overwrite(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}
