//! F27: a disk that cannot be written. Root may write to every file of one that can, whatever its mode says.

use std::fs;

use chatrooms::MessageStore as _;
use chatrooms::sqlite::{OpenError, SqliteStore};

use crate::disk::Disk;

#[tokio::test]
async fn a_database_on_a_disk_that_cannot_be_written_is_told_so_and_left_alone() {
    let disk = Disk::small();
    let path = disk.database();
    SqliteStore::open(&path).await.unwrap().shutdown().await.unwrap();
    let before = fs::read(&path).unwrap();
    disk.protect();
    let refused = SqliteStore::open(&path).await.map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::ReadOnly { .. }), "{refused:?}");
    assert!(refused.to_string().contains("cannot be written"), "{refused}");
    let missing = path.with_file_name("missing.db");
    let refused = SqliteStore::open(&missing).await.map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::ReadOnly { .. }), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}
