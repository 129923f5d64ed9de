//! F25: a disk on which there is no space, not even to delete.

use std::{fs, time::Duration};

use chatrooms::oracle::{Bounds, Recorder, check};
use chatrooms::sqlite::{OpenError, SqliteStore};
use chatrooms::testing::TestClient;
use chatrooms::{Error, MessageStore as _, RoomRegistry};
use tokio::time::{sleep, timeout};

use crate::disk::Disk;

/// After this a test that waits for something has hung.
const HANG: Duration = Duration::from_secs(60);

/// One message to a page of the disk.
const LARGE: usize = 3500;

#[tokio::test]
async fn a_room_that_ends_on_a_full_disk_is_over_at_once_and_purged_when_there_is_space() {
    let disk = Disk::small();
    let chat = Chat::open(&disk).await;
    let ada = chat.client("ada");
    ada.join("lobby").await.unwrap();
    ada.join("kitchen").await.unwrap();
    ada.say("kitchen", "there is space").await.unwrap();
    let large = "x".repeat(LARGE);
    for seq in 1..=50 {
        assert_eq!(ada.say("lobby", &large).await.unwrap().seq, seq);
    }
    until("nothing of the start is left to be tidied up", || chat.store.stats().checkpoints > 0)
        .await;
    disk.fill_but(0);
    assert_eq!(ada.say("lobby", &large).await, Err(Error::StoreUnavailable));
    assert_eq!(ada.say("kitchen", &large).await, Err(Error::StoreUnavailable));
    assert_eq!(ada.history("kitchen", None, 200).await.unwrap().messages.len(), 1);

    ada.leave("lobby").unwrap();
    let again = ada.join("lobby").await.unwrap();
    assert!((again.seq, again.messages.is_empty()) == (0, true), "it is over: {again:?}");
    assert!(ada.history("lobby", None, 200).await.unwrap().messages.is_empty());
    until("a try to remove it has failed", || chat.rooms.stats().purges.failed > 0).await;
    assert_eq!(chat.store.stats().removed, 0);
    assert_eq!(ada.say("lobby", &large).await, Err(Error::StoreUnavailable));

    disk.empty();
    until("it is removed", || chat.rooms.stats().purges.pending == 0).await;
    assert_eq!(chat.store.stats().removed, 50);
    assert_eq!(ada.say("lobby", &large).await.unwrap().seq, 1);
    assert_eq!(ada.say("kitchen", &large).await.unwrap().seq, 2, "what was refused left no hole");
    ada.settled();
    chat.judge();
}

#[tokio::test]
async fn what_an_earlier_process_left_on_a_full_disk_is_fenced_at_once_and_purged_when_there_is_space()
 {
    let disk = Disk::small();
    let before = Chat::open(&disk).await;
    let large = "x".repeat(LARGE);
    let ada = before.client("ada");
    ada.join("lobby").await.unwrap();
    for _ in 0..50 {
        ada.say("lobby", &large).await.unwrap();
    }
    disk.fill_but(0);
    before.store.shutdown().await.unwrap();
    drop(ada);

    // SQLite makes this anew where it is not there, and cannot read without it.
    fs::remove_file(disk.database().with_extension("db-shm")).unwrap();
    disk.fill_but(0);
    let refused = SqliteStore::open(disk.database()).await.map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::NoSpace { .. }), "{refused:?}");
    // Enough for that, and too little to remove anything.
    disk.fill_but(100 * 1024);
    let after = Chat::open(&disk).await;
    let bob = after.client("bob");
    let joined = bob.join("lobby").await.unwrap();
    assert!((joined.seq, joined.messages.is_empty()) == (0, true), "{joined:?}");
    until("a try to remove it has failed", || after.rooms.stats().purges.failed > 0).await;
    assert!(bob.history("lobby", None, 200).await.unwrap().messages.is_empty());

    disk.empty();
    until("it is removed", || after.rooms.stats().purges.pending == 0).await;
    assert_eq!(after.store.stats().removed, 50);
    assert_eq!(bob.say("lobby", &large).await.unwrap().seq, 1);
    bob.settled();
    after.judge();
}

/// Rooms whose messages are on that disk.
struct Chat {
    rooms: RoomRegistry,
    store: SqliteStore,
    run: Recorder,
}

impl Chat {
    async fn open(disk: &Disk) -> Self {
        let store = SqliteStore::open(disk.database()).await.unwrap();
        let rooms = RoomRegistry::builder().store(store.clone()).start().await.unwrap();
        let run = Recorder::bounded(Bounds::from(rooms.config()));
        run.complete();
        Self { rooms, store, run }
    }

    fn client(&self, name: &str) -> TestClient {
        TestClient::new(&self.rooms, name).recorded(&self.run)
    }

    fn judge(&self) {
        check(&self.run.trace()).unwrap_or_else(|broken| panic!("{broken}"));
    }
}

async fn until(what: &str, condition: impl Fn() -> bool + Send + Sync) {
    let holds = async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(HANG, holds).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}
