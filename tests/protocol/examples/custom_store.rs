//! `custom_store`: a store around another one, which keeps the contract and writes down what was said.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatrooms::{
    Appended, Budget, Draft, Life, MemoryStore, MessageStore, RoomName, StoreError, UserName,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use self::archive::Archive;
use crate::kit::{eventually, with_example};

#[path = "../../../examples/custom_store/archive.rs"]
mod archive;
#[path = "../../../examples/custom_store/journal.rs"]
mod journal;

mod around_a_store_that_ends_with_its_process {
    use super::{Archive, MemoryStore};

    chatrooms::conformance_tests!(forgetful, async || {
        Archive::new(MemoryStore::new(), std::io::sink())
    });
}

mod around_a_store_that_outlives_its_process {
    use std::path::Path;

    use chatrooms::sqlite::{OpenError, SqliteStore};

    use super::Archive;
    use crate::kit::in_time;

    chatrooms::conformance_tests!(lasting, {
        let folder = tempfile::tempdir().expect("a temporary folder");
        async move || {
            let opened = in_time("the file", open(&folder.path().join("chat.db"))).await;
            Archive::new(opened.expect("a store"), std::io::sink())
        }
    });

    /// A store that was only dropped lets go of its file a moment later.
    async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
        loop {
            match SqliteStore::open(path).await {
                Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
                opened => return opened,
            }
        }
    }
}

#[test]
fn what_was_said_outlives_its_room() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("archive.jsonl");
    let environment = [("ARCHIVE", path.to_str().expect("a plain path"))];
    with_example("custom_store", &environment, async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        let epoch = ada.join("hall").await["epoch"].clone();
        ada.say("hall", "for the record").await;
        let fields = json!({"room": "hall", "body": "and a\nmove", "data": {"from": 1}});
        ada.say_with(fields).await;
        ada.granted("ok", json!({"type": "redact", "room": "hall", "seq": 1})).await;
        ada.leave("hall").await;
        let joined = ada.join("hall").await;
        assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));

        eventually("the redaction is written", async || lines(&path).len() == 3).await;
        let lines = lines(&path);
        let said = |n: usize| (&lines[n]["user"], &lines[n]["body"], &lines[n]["seq"]);
        assert_eq!(said(0), (&json!("ada"), &json!("for the record"), &json!(1)));
        assert_eq!(said(1), (&json!("ada"), &json!("and a\nmove"), &json!(2)));
        assert_eq!(lines[1]["data"], r#"{"from":1}"#);
        assert_eq!(lines[2], json!({"room": "hall", "epoch": epoch, "redacted": 1}));
        assert!(lines.iter().all(|line| line["room"] == "hall" && line["epoch"] == epoch));
    });
    with_example("custom_store", &environment, async |example| {
        example.guest("bob", "hall").await.say("hall", "later").await;
        assert_eq!(lines(&path).last().expect("a line")["body"], "later");
        assert_eq!(lines(&path).len(), 4, "what an earlier process wrote is kept");
    });
}

#[tokio::test]
async fn while_it_cannot_be_written_nothing_is_accepted_and_then_nothing_is_missing() {
    let disk = Disk::default();
    let store = Archive::new(MemoryStore::new(), disk.clone());
    let room = RoomName::new("hall").expect("a good name");
    let life = store.open(&room, None, ALL).await.expect("a life").life;

    assert!(matches!(append(&store, &life, "one").await, Ok(Appended::Stored { .. })));
    disk.leave(10);
    let unknown = append(&store, &life, "two").await;
    assert!(matches!(unknown, Err(StoreError::OutcomeUnknown { .. })), "{unknown:?}");
    let refused = append(&store, &life, "three").await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let kept = store.read_before(&life, None, ALL).await.expect("it is open").messages;
    assert_eq!(kept.iter().map(|it| &*it.draft.body).collect::<Vec<_>>(), ["one", "two"]);

    disk.leave(usize::MAX);
    assert!(matches!(append(&store, &life, "four").await, Ok(Appended::Stored { .. })));
    let written: Vec<_> = disk.lines().iter().map(|line| line["body"].clone()).collect();
    assert_eq!(written, ["one", "two", "four"], "each line once and whole");
}

const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

async fn append(
    store: &impl MessageStore,
    life: &Life,
    body: &str,
) -> Result<Appended, StoreError> {
    let draft = Draft::new(UserName::new("ada").expect("a good name"), body);
    let deadline = Instant::now() + Duration::from_secs(60);
    store.append(life, vec![draft], deadline).await.remove(0)
}

/// A disk that is full at times.
#[derive(Clone)]
struct Disk(Arc<Mutex<Space>>);

struct Space {
    written: Vec<u8>,
    left: usize,
}

impl Default for Disk {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Space { written: Vec::new(), left: usize::MAX })))
    }
}

impl Disk {
    /// So many bytes can still be written.
    fn leave(&self, bytes: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).left = bytes;
    }

    fn lines(&self) -> Vec<Value> {
        let space = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parse(&String::from_utf8_lossy(&space.written))
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut space = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = bytes.len().min(space.left);
        if fitting == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        space.left -= fitting;
        space.written.extend_from_slice(&bytes[..fitting]);
        Ok(fitting)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines(path: &Path) -> Vec<Value> {
    parse(&std::fs::read_to_string(path).expect("the archive"))
}

fn parse(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}
