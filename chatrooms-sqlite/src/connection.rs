//! Connections to the one database, and the transactions on them.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatrooms_core::StoreError;
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    SqliteStoreBuilder, Synchronous,
    error::{self, Code, NAME},
    lock::{Claimed, FileHold, Identity},
};

/// How long SQLite itself waits for a lock at a time. [`begin`] asks again until the busy time-out, so that nothing
/// else, above all a checkpoint, ever waits for longer.
const SQLITE_WAITS: Duration = Duration::from_millis(100);

/// From so many pages in the log on SQLite itself moves them, in the middle of a commit: for when they could not be moved before, such as while somebody else
/// reads from the log.
const SQLITE_CHECKPOINTS: u32 = 10_000;

/// How to connect to the database; nobody can any more once it is shut.
#[derive(Debug)]
pub(crate) struct Database {
    /// Taken when the store is shut down, because they hold the lock, too.
    options: Mutex<Option<SqliteConnectOptions>>,
    /// The lock itself, for a host that holds the file as well. Taken together with the options.
    hold: Mutex<FileHold>,
    /// Where the file is and which one it was; none for a database in memory.
    pub(crate) file: Option<(PathBuf, Identity)>,
    log: Option<PathBuf>,
    pub(crate) busy_timeout: Duration,
}

impl Database {
    pub(crate) fn new(builder: &SqliteStoreBuilder, claimed: Option<Claimed>) -> Self {
        let mut options = SqliteConnectOptions::new()
            .busy_timeout(SQLITE_WAITS)
            .foreign_keys(false)
            .disable_statement_logging()
            .thread_name(|id| format!("chatrooms-sqlite-{id}"))
            .pragma("temp_store", "MEMORY")
            .pragma("secure_delete", "ON")
            .pragma("wal_autocheckpoint", SQLITE_CHECKPOINTS.to_string());
        if let Some(pages) = builder.max_page_count {
            options = options.pragma("max_page_count", pages.to_string());
        }
        let (mut file, mut log, mut held) = (None, None, FileHold::NOTHING);
        if let Some(Claimed { path, identity, hold }) = claimed {
            held = hold.clone();
            options = options
                .filename(&path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(builder.synchronous.into())
                // Never used for sorting: it hands the lock to every connection, and a connection that is closed late,
                // on its own thread, still keeps others away until its last write is done.
                .collation("chatrooms_lock", move |a, b| {
                    let _held = &hold;
                    a.cmp(b)
                });
            let mut beside = path.clone().into_os_string();
            beside.push("-wal");
            log = Some(beside.into());
            file = Some((path, identity));
        }
        let (options, hold) = (Mutex::new(Some(options)), Mutex::new(held));
        Self { options, hold, file, log, busy_timeout: builder.busy_timeout }
    }

    /// A new connection. It never creates a file.
    pub(crate) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner).clone();
        options.ok_or(sqlx::Error::PoolClosed)?.connect().await
    }

    /// A connection in place of one that broke: only to the same file, and never to an empty memory.
    async fn reconnect(&self) -> Result<SqliteConnection, StoreError> {
        let Some((path, identity)) = &self.file else {
            return Err(StoreError::unavailable(NAME, "the database in memory is lost"));
        };
        match identity.is_at(path) {
            Ok(true) => self.connect().await.map_err(error::unavailable),
            Ok(false) => Err(StoreError::unavailable(NAME, "the file has been replaced")),
            Err(error) => Err(StoreError::unavailable(NAME, error)),
        }
    }

    /// How large the log is; nothing where there is none.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log.as_ref().and_then(|path| path.metadata().ok()).map_or(0, |found| found.len())
    }

    pub(crate) fn hold(&self) -> FileHold {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets go of the lock, as far as it is held here.
    pub(crate) fn shut(&self) {
        *self.hold.lock().unwrap_or_else(PoisonError::into_inner) = FileHold::NOTHING;
        self.options.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl From<Synchronous> for SqliteSynchronous {
    fn from(synchronous: Synchronous) -> Self {
        match synchronous {
            Synchronous::Off => Self::Off,
            Synchronous::Normal => Self::Normal,
            Synchronous::Full => Self::Full,
        }
    }
}

/// The place of one connection, which is opened anew after it broke.
#[derive(Debug)]
pub(crate) struct Slot {
    database: Arc<Database>,
    connection: Option<SqliteConnection>,
}

impl Slot {
    pub(crate) const fn new(database: Arc<Database>, connection: SqliteConnection) -> Self {
        Self { database, connection: Some(connection) }
    }

    /// One that is opened when it is needed.
    pub(crate) const fn unopened(database: Arc<Database>) -> Self {
        Self { database, connection: None }
    }

    /// The connection.
    pub(crate) async fn get(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.database.reconnect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Ends a transaction that failed. Afterwards nothing of it is left, whether by a rollback or because the
    /// connection has been closed.
    pub(crate) async fn undo(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let undone = sqlx::query("ROLLBACK").execute(connection).await;
        // An error of this kind only means that SQLite has rolled back by itself.
        let trusted =
            undone.as_ref().map_or_else(|error| Code::of(error) == Some(Code::ERROR), |_| true);
        if !trusted {
            self.close().await;
        }
    }

    /// Gives up a connection that may be to blame for an error. A database in memory has no other.
    pub(crate) async fn blame(&mut self, error: &sqlx::Error) {
        if self.database.file.is_some() && error::is_of_the_connection(error) {
            self.close().await;
        }
    }

    pub(crate) async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Whatever it says: it is closed.
            let _ = connection.close().await;
        }
    }
}

/// Begins a transaction that writes, waiting for others up to the busy time-out.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    busy_timeout: Duration,
) -> Result<(), sqlx::Error> {
    let until = Instant::now() + busy_timeout;
    loop {
        match sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await {
            Err(error) if error::is_busy(&error) && Instant::now() < until => {}
            begun => return begun.map(drop),
        }
    }
}

pub(crate) async fn commit(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("COMMIT").execute(connection).await.map(drop)
}
