//! The stores to choose from.

use std::sync::Arc;

use chatrooms::{MemoryStore, MessageStore, sqlite::SqliteStore};
use tempfile::TempDir;

/// Where messages are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Memory,
    /// SQLite without a file.
    Sqlite,
    /// SQLite in a file, synchronous as it is by default.
    SqliteFile,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Memory, Kind::Sqlite, Kind::SqliteFile];

impl Kind {
    /// Its name in a bench.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::SqliteFile => "sqlite_file",
        }
    }

    /// A new store, and the folder that goes with it.
    pub(crate) async fn open(self) -> (Arc<dyn MessageStore>, Option<TempDir>) {
        match self {
            Self::Memory => (Arc::new(MemoryStore::default()), None),
            Self::Sqlite => {
                (Arc::new(SqliteStore::in_memory().await.expect("there is memory")), None)
            }
            Self::SqliteFile => {
                let folder = tempfile::tempdir().expect("there is a disk");
                let store = SqliteStore::open(folder.path().join("chat.db")).await;
                (Arc::new(store.expect("the folder is new")), Some(folder))
            }
        }
    }
}
