//! What can be chosen about a store.

use std::{path::PathBuf, time::Duration};

use crate::{OpenError, SqliteStore, open};

/// How a [`SqliteStore`] is to be opened; from [`SqliteStore::builder`].
///
/// ```
/// use std::time::Duration;
///
/// use chatrooms_sqlite::{SqliteStore, Synchronous};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("chat.db");
/// let store = SqliteStore::builder()
///     .path(path)
///     .busy_timeout(Duration::from_secs(2))
///     .synchronous(Synchronous::Full)
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct SqliteStoreBuilder {
    pub(crate) path: Option<PathBuf>,
    pub(crate) busy_timeout: Duration,
    pub(crate) readers: usize,
    pub(crate) queue: usize,
    pub(crate) max_page_count: Option<u32>,
    pub(crate) synchronous: Synchronous,
}

impl Default for SqliteStoreBuilder {
    fn default() -> Self {
        Self {
            path: None,
            busy_timeout: Duration::from_secs(5),
            readers: 4,
            queue: 1024,
            max_page_count: None,
            synchronous: Synchronous::Normal,
        }
    }
}

impl SqliteStoreBuilder {
    /// The database file; it is created, mode 0600, where it does not exist. Without a path the database lives in
    /// memory; no path means that, not even `:memory:`.
    ///
    /// Beside it appear `<path>-wal` and `<path>-shm`, which are SQLite's, and `<path>.lock`, which keeps a second
    /// process away and stays where it is. The path has to be UTF-8.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// How long a write waits while another program has the database locked, and a read for a free reader, before it
    /// is [`Unavailable`](chatrooms_core::StoreError::Unavailable). 5 seconds by default; SQLite looks at least once,
    /// and for at least 100 ms.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How many reads of a file can go on at once, at least 1; 4 by default. Each reader is a thread and a
    /// connection, opened at the start. A database in memory has one connection for everything.
    pub const fn readers(mut self, readers: usize) -> Self {
        self.readers = if readers == 0 { 1 } else { readers };
        self
    }

    /// How many calls may wait for the writer, at least 1; 1,024 by default. An append that finds no place waits for
    /// one until its deadline.
    pub const fn queue(mut self, calls: usize) -> Self {
        self.queue = if calls == 0 { 1 } else { calls };
        self
    }

    /// A quota for the whole file, in pages of 4 KiB; none by default. What does not fit is refused as it would be on
    /// a full disk.
    pub const fn max_page_count(mut self, pages: u32) -> Self {
        self.max_page_count = Some(pages);
        self
    }

    /// How much a commit waits for the disk; [`Synchronous::Normal`] by default.
    pub const fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Opens the database and starts the task that writes to it.
    ///
    /// Lives that an earlier process left open are fenced from here on: they can be found by
    /// [`abandoned`](chatrooms_core::MessageStore::abandoned), and neither read nor written otherwise.
    ///
    /// # Errors
    /// Each [`OpenError`] for what it says.
    ///
    /// # Panics
    /// Outside a Tokio runtime with time enabled. The store lives as long as that runtime.
    ///
    /// # Cancel safety
    /// Dropping the future closes what it has opened. A file that it has created stays.
    pub async fn open(self) -> Result<SqliteStore, OpenError> {
        open::open(self).await
    }
}

/// How much a commit waits for the disk. It makes no difference for a process that dies, only for a machine that does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// Never: a loss of power may damage the file.
    Off,
    /// At checkpoints only: a loss of power may take the newest messages, and leaves the file whole.
    #[default]
    Normal,
    /// At every commit.
    Full,
}
