//! What can be found where a database is to be opened.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chatrooms_core::MessageStore as _;
use chatrooms_sqlite::{OpenError, SqliteStore, Synchronous};
use sqlx::Row as _;

use crate::kit::{ALL, begin, execute, fill, open_again, say, stranger};

/// A file with a few hundred messages in it, closed in good order.
async fn filled(dir: &Path) -> PathBuf {
    let path = dir.join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let life = begin(&store, "tea").await;
    fill(&store, &life, 300, &"text ".repeat(100)).await;
    store.shutdown().await.unwrap();
    path
}

async fn refusal(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = SqliteStore::open(path).await.map(drop).unwrap_err();
    assert_eq!(fs::read(path).unwrap(), before, "it has not been touched");
    let shown = error.to_string();
    assert!(shown.contains(path.to_str().unwrap()), "{shown}");
    error
}

#[tokio::test]
async fn a_second_store_is_told_who_has_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let error = SqliteStore::open(&path).await.map(drop).unwrap_err();
    let expected = format!("process {}", std::process::id());
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()));
    let shown = error.to_string();
    assert!(shown.contains(&expected) && shown.contains("chat.db"), "{shown}");
    let life = begin(&store, "tea").await;
    say(&store, &life, "still mine").await.unwrap();
    store.shutdown().await.unwrap();
    SqliteStore::open(&path).await.expect("shut down is let go");
}

#[tokio::test]
async fn a_host_holds_the_file_beyond_the_end_of_its_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let held = store.hold_file();
    store.shutdown().await.unwrap();
    let too_late = store.hold_file();
    let error = SqliteStore::open(&path).await.map(drop).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    drop(held);
    SqliteStore::open(&path).await.expect("it is let go");
    drop(too_late);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_to_the_same_lock() {
    let dir = tempfile::tempdir().unwrap();
    let (path, link) = (dir.path().join("chat.db"), dir.path().join("link.db"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let _store = SqliteStore::open(&link).await.unwrap();
    assert!(path.exists(), "the link led nowhere until now");
    let error = SqliteStore::open(&path).await.map(drop).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let store = SqliteStore::open(&path).await.unwrap();
    say(&store, &begin(&store, "tea").await, "text").await.unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["chat.db", "chat.db-shm", "chat.db-wal", "chat.db.lock"]);
}

#[tokio::test]
async fn a_file_that_is_no_database_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("letter.txt");
    fs::write(&path, "Dear Ada, ".repeat(1000)).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");

    let path = filled(dir.path()).await;
    let mut bytes = fs::read(&path).unwrap();
    bytes[..100].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
}

#[tokio::test]
async fn a_damaged_database_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path()).await;
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    for (what, from, to) in [
        ("the middle", pages / 2 * 4096, pages * 3 / 4 * 4096),
        ("all but the first page", 4096, whole.len()),
        ("the schema", 100, 4096),
    ] {
        let mut bytes = whole.clone();
        bytes[from..to].fill(0xff);
        fs::write(&path, bytes).unwrap();
        let error = refusal(&path).await;
        assert!(matches!(error, OpenError::Corrupt { .. }), "{what}: {error:?}");
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, OpenError::Corrupt { .. }), "half of it: {error:?}");
    fs::write(&path, &whole).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.abandoned().await.unwrap().len(), 1, "restored, it is all there");
}

#[tokio::test]
async fn a_database_that_must_not_be_written_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path()).await;
    let mut bytes = fs::read(&path).unwrap();
    // The header's write version: a format of the future, which SQLite itself only reads.
    bytes[18] = 3;
    fs::write(&path, bytes).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_marked_read_only_is_respected() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path()).await;
    let writable = fs::metadata(&path).unwrap().permissions();
    let mut marked = writable.clone();
    marked.set_readonly(true);
    fs::set_permissions(&path, marked).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    fs::set_permissions(&path, writable).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    say(&store, &begin(&store, "tea").await, "text").await.unwrap();
}

#[tokio::test]
async fn a_later_schema_is_left_to_later_versions() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path()).await;
    let mut later = stranger(&path).await;
    execute(&mut later, "INSERT INTO chatrooms_migrations VALUES (1000, 0)").await;
    sqlx::Connection::close(later).await.unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, OpenError::NewerSchema { found: 1000, known: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_of_the_first_version_goes_on_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path()).await;
    let mut earlier = stranger(&path).await;
    execute(
        &mut earlier,
        "ALTER TABLE chatrooms_lives DROP COLUMN note; DELETE FROM chatrooms_migrations WHERE version > 1",
    )
    .await;
    sqlx::Connection::close(earlier).await.unwrap();
    for note in ["", "ban - eve\n"] {
        let store = open_again(&path).await;
        let life = store.abandoned().await.unwrap().remove(0);
        let opened = store.open(&life.room, Some(life.epoch), ALL).await.unwrap();
        assert_eq!((opened.head, opened.recent.len(), &*opened.note), (300, 300, note));
        store.note(&life, "ban - eve\n").await.unwrap();
        store.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_stays_locked_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path()).await;
    let mut other = stranger(&path).await;
    execute(&mut other, "BEGIN IMMEDIATE").await;
    let brief = std::time::Duration::from_millis(100);
    let builder = SqliteStore::builder().path(&path).busy_timeout(brief);
    let error = builder.open().await.map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    execute(&mut other, "COMMIT").await;
    open_again(&path).await;
}

#[tokio::test]
async fn a_directory_that_is_missing_is_told_and_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing").join("chat.db");
    let error = SqliteStore::open(&path).await.map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    assert!(!path.parent().unwrap().exists());
    let error = SqliteStore::open(dir.path()).await.map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "a directory is no file: {error:?}");
}

#[tokio::test]
async fn the_host_keeps_its_own_tables_in_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.db");
    fs::write(&path, "").unwrap();
    let mut host = stranger(&path).await;
    execute(&mut host, "CREATE TABLE accounts (name TEXT); INSERT INTO accounts VALUES ('ada')")
        .await;

    let store =
        SqliteStore::builder().path(&path).synchronous(Synchronous::Full).open().await.unwrap();
    let life = begin(&store, "tea").await;
    say(&store, &life, "text").await.unwrap();
    execute(&mut host, "INSERT INTO accounts VALUES ('bob')").await;
    assert_eq!(store.read_before(&life, None, ALL).await.unwrap().messages.len(), 1);
    assert_eq!(store.close(&life).await.unwrap(), 1);
    let count = sqlx::query("SELECT count(*) FROM accounts").fetch_one(&mut host).await.unwrap();
    assert_eq!(count.get::<i64, _>(0), 2);
    let foreign = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'chatrooms\\_%' ESCAPE '\\' \
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let count = sqlx::query(foreign).fetch_one(&mut host).await.unwrap();
    assert_eq!(count.get::<i64, _>(0), 1, "everything else bears its prefix");
}
