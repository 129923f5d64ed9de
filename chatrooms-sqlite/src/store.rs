//! The store itself: what each call asks of the writer and of the readers.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use chatrooms_core::{
    Budget, Draft, Epoch, Life, MessageStore, Opened, Page, Redaction, RoomName, StoreError,
    UserName,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};

use crate::{
    FileHold, OpenError, SqliteStats, SqliteStoreBuilder,
    connection::{Database, Slot},
    error::{self, NAME},
    job::{Append, Close, Job, Note, Redact, Results, Ticket, Trim, Write},
    lives::{Lives, OpenLife, State},
    reader::{self, Readers},
    stats::Counters,
};

/// Keeps messages in an SQLite database. Cloning is cheap, and every clone is the same store.
///
/// See the [crate's page](crate) for what it promises beyond
/// [the contract of every store](MessageStore#contract).
///
/// It works until [`shutdown`](MessageStore::shutdown) or until the last clone is dropped, which needs no runtime:
/// then the writer finishes what it has been asked for, and lets go of the file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(crate) shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    /// Becomes true when the writer has let go of the file.
    ended: watch::Receiver<bool>,
}

/// What the store and its writer share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) database: Arc<Database>,
    /// The connection that writes. Held by the writer for a transaction at a time.
    pub(crate) slot: Arc<tokio::sync::Mutex<Slot>>,
    /// The connection that moves the log's content to the database. Held by that task, and opened when it is needed first.
    pub(crate) backfiller: tokio::sync::Mutex<Slot>,
    pub(crate) readers: Readers,
    pub(crate) lives: Lives,
    pub(crate) counters: Counters,
}

impl SqliteStore {
    /// Opens a database file with the defaults of the [`builder`](Self::builder), creating it where there is none.
    ///
    /// # Errors
    /// Each [`OpenError`] for what it says.
    ///
    /// # Panics
    /// Outside a Tokio runtime with time enabled.
    ///
    /// # Cancel safety
    /// Dropping the future closes what it has opened. A file that it has created stays.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::builder().path(path).open().await
    }

    /// Opens a database in memory, which ends with the store.
    ///
    /// # Errors
    /// [`OpenError::Sqlite`] where there is no memory or no thread to be had.
    ///
    /// # Panics
    /// Outside a Tokio runtime with time enabled.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::builder().open().await
    }

    /// What can be chosen about a store before it is opened.
    pub fn builder() -> SqliteStoreBuilder {
        SqliteStoreBuilder::default()
    }

    /// What it has done since it was opened.
    ///
    /// ```
    /// # async fn example() -> Result<(), chatrooms_sqlite::OpenError> {
    /// let store = chatrooms_sqlite::SqliteStore::in_memory().await?;
    /// assert_eq!(store.stats().appended, 0);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        self.shared.counters.read()
    }

    /// Keeps everybody else away from the file for as long as what this gives is kept, also after the store has ended: for a host whose own tables in that file
    /// are written to the last. A database in memory, or a store that has ended, has nothing to hold.
    ///
    /// ```
    /// # use chatrooms_core::MessageStore;
    /// # use chatrooms_sqlite::{OpenError, SqliteStore};
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("chat.db");
    /// let store = SqliteStore::open(&path).await?;
    /// let held = store.hold_file();
    /// store.shutdown().await?;
    /// let another = SqliteStore::open(&path).await;
    /// assert!(matches!(another, Err(OpenError::InUse { .. })));
    /// drop(held);
    /// SqliteStore::open(&path).await?;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn hold_file(&self) -> FileHold {
        self.shared.database.hold()
    }

    pub(crate) const fn new(
        shared: Arc<Shared>,
        jobs: mpsc::Sender<Job>,
        ended: watch::Receiver<bool>,
    ) -> Self {
        Self { shared, jobs, ended }
    }

    /// Asks the writer for something and waits for its answer.
    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| error::ended())?;
        // The writer answers everything; unless the runtime has been dropped around it.
        answer.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Hands drafts to the writer, which owns them from then on.
    async fn submit(
        &self,
        life: Arc<OpenLife>,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Result<Results, StoreError> {
        let place = timeout_at(deadline, self.jobs.reserve()).await.map_err(|_| error::late())?;
        let place = place.map_err(|_| error::ended())?;
        let (reply, mut answer) = oneshot::channel();
        let ticket = Arc::new(Ticket::new(deadline));
        place.send(Job::Write(Write::Append(Append {
            life,
            drafts,
            ticket: Arc::clone(&ticket),
            reply,
        })));
        match timeout_at(deadline, &mut answer).await {
            Ok(results) => results.map_err(|_| gone(&ticket)),
            Err(_) if ticket.withdraw() => Err(error::late()),
            // It has begun: only its outcome tells what became of it.
            Err(_) => answer.await.map_err(|_| interrupted()),
        }
    }

    /// How a life stands; asks the file where that is in doubt.
    async fn state(&self, open: &OpenLife) -> Result<State, StoreError> {
        let mut state = open.alive()?;
        if state.doubtful {
            let patience = self.shared.database.busy_timeout;
            let mut lease = self.shared.readers.lease(patience).await?;
            lease.read(async |conn| reader::settle(conn, &open.life, &mut state).await).await?;
        }
        Ok(state)
    }

    /// Reads from a life, and says nothing of it when it has ended meanwhile.
    async fn read<T: Default>(
        &self,
        life: &Life,
        read: impl AsyncFnOnce(&mut sqlx::SqliteConnection, i64, State) -> Result<T, sqlx::Error>,
    ) -> Result<(T, State), StoreError> {
        let open = self.shared.lives.open(life)?;
        let state = self.state(&open).await?;
        let Some(row) = state.row else { return Ok((T::default(), state)) };
        let mut lease = self.shared.readers.lease(self.shared.database.busy_timeout).await?;
        let found = lease.read(async |conn| read(conn, row, state).await).await?;
        // What was appended and trimmed meanwhile is seen, too.
        let now = open.alive()?;
        Ok((found, if state.doubtful { state } else { now }))
    }
}

/// The writer has been dropped in the middle of something.
fn interrupted() -> StoreError {
    StoreError::outcome_unknown(NAME, "the runtime of the store has ended")
}

/// The writer has been dropped, perhaps before it began.
fn gone(ticket: &Ticket) -> StoreError {
    if ticket.withdraw() { error::ended() } else { interrupted() }
}

#[async_trait]
impl MessageStore for SqliteStore {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        let Some(epoch) = kept else {
            let life = Life::new(room.clone());
            self.shared.lives.begin(&life);
            return Ok(Opened::fresh(life));
        };
        let life = Life { room: room.clone(), epoch };
        let adoption = self.shared.lives.adopt(&life)?;
        let mut lease = self.shared.readers.lease(self.shared.database.busy_timeout).await?;
        let row = adoption.row;
        let mut state = State::default();
        let (recent, redacted, note) = lease
            .read(async |conn| {
                reader::settle(conn, &life, &mut state).await?;
                let recent = reader::before(conn, row, state.head + 1, recent).await?;
                let redacted = reader::redacted(conn, row).await?;
                Ok((recent, redacted, reader::note(conn, row).await?))
            })
            .await?;
        adoption.complete(state.head, state.oldest)?;
        Ok(Opened { life, head: state.head, oldest: state.oldest, recent, redacted, note })
    }

    async fn append(&self, life: &Life, drafts: Vec<Draft>, deadline: Instant) -> Results {
        let count = drafts.len();
        let results = match self.shared.lives.open(life) {
            Ok(open) => self.submit(open, drafts, deadline).await,
            Err(closed) => Err(closed),
        };
        results.unwrap_or_else(|error| std::iter::repeat_n(Err(error), count).collect())
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        let before = before.unwrap_or(u64::MAX);
        let read = async |conn: &mut _, row, _| reader::before(conn, row, before, budget).await;
        let (messages, state) = self.read(life, read).await?;
        Ok(reader::page_before(messages, before, state))
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        let read = async |conn: &mut _, row, _| reader::after(conn, row, after, budget).await;
        let (messages, state) = self.read(life, read).await?;
        Ok(reader::page_after(messages, after, state))
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        let life = self.shared.lives.open(life)?;
        let author = author.cloned();
        self.ask(|reply| Job::Write(Write::Redact(Redact { life, seq, author, reply }))).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        let life = self.shared.lives.open(life)?;
        self.ask(|reply| Job::Trim(Trim { life, up_to, reply })).await
    }

    async fn note(&self, life: &Life, note: &str) -> Result<(), StoreError> {
        let life = self.shared.lives.open(life)?;
        let note = note.to_owned();
        self.ask(|reply| Job::Write(Write::Note(Note { life, note, reply }))).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        let Some(life) = self.shared.lives.end(life) else { return Ok(0) };
        let closed = self.ask(|reply| Job::Write(Write::Close(Close { life, reply }))).await;
        // It is over whatever happened; only the removal has to be tried again.
        closed.map_err(|error| match error {
            StoreError::OutcomeUnknown { store, source } => {
                StoreError::Unavailable { store, source }
            }
            error => error,
        })
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        Ok(self.shared.lives.abandoned())
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        let _ = self.jobs.send(Job::Shutdown).await;
        let mut ended = self.ended.clone();
        match ended.wait_for(|ended| *ended).await {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::unavailable(NAME, "the runtime of the store has ended")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chatrooms_core::Appended;

    use super::*;

    const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

    async fn begin(store: &SqliteStore) -> Life {
        store.open(&RoomName::new("tea").unwrap(), None, ALL).await.unwrap().life
    }

    async fn say(store: &SqliteStore, life: &Life) -> Result<u64, StoreError> {
        let draft = Draft::new(UserName::new("ada").unwrap(), "text");
        let deadline = Instant::now() + Duration::from_secs(60);
        match store.append(life, vec![draft], deadline).await.remove(0)? {
            Appended::Stored { message, .. } => Ok(message.seq),
            Appended::Duplicate { .. } => unreachable!("it has no nonce"),
        }
    }

    /// Does something to the connection that writes.
    async fn on_writer(store: &SqliteStore, sql: &'static str) {
        let mut slot = store.shared.slot.lock().await;
        sqlx::raw_sql(sql).execute(slot.get().await.unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn a_database_that_turns_read_only_is_unavailable_for_as_long() {
        for in_memory in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let mut builder = SqliteStore::builder();
            if !in_memory {
                builder = builder.path(dir.path().join("chat.db"));
            }
            let store = builder.open().await.unwrap();
            let life = begin(&store).await;
            assert_eq!(say(&store, &life).await.unwrap(), 1);
            on_writer(&store, "PRAGMA query_only = ON").await;
            let refused = say(&store, &life).await;
            assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
            store.trim(&life, 1).await.unwrap_err();
            store.redact(&life, 1, None).await.unwrap_err();
            let ended = begin(&store).await;
            assert_eq!(store.close(&ended).await.unwrap(), 0, "there is nothing to remove");
            on_writer(&store, "PRAGMA query_only = OFF").await;
            assert_eq!(say(&store, &life).await.unwrap(), 2);
            assert_eq!(store.close(&life).await.unwrap(), 2);
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_lost_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path().join("chat.db")).await.unwrap();
        let life = begin(&store).await;
        assert_eq!(say(&store, &life).await.unwrap(), 1);
        store.shared.slot.lock().await.close().await;
        assert_eq!(say(&store, &life).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_read_that_finds_all_readers_busy_gives_up_in_time_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let brief = Duration::from_millis(20);
        let on_file = SqliteStore::builder().path(dir.path().join("chat.db")).readers(3);
        for (builder, readers) in [(on_file, 3), (SqliteStore::builder(), 1)] {
            let store = builder.busy_timeout(brief).open().await.unwrap();
            let life = begin(&store).await;
            assert_eq!(say(&store, &life).await.unwrap(), 1);
            for _ in 0..3 {
                let mut leases = Vec::new();
                while let Ok(lease) = store.shared.readers.lease(brief).await {
                    leases.push(lease);
                }
                assert_eq!(leases.len(), readers, "all of them are back");
                for _ in 0..2 * readers {
                    let since = Instant::now();
                    let refused = store.read_before(&life, None, ALL).await;
                    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
                    assert!(since.elapsed() >= brief, "it has waited: {:?}", since.elapsed());
                }
                drop(leases);
                let page = store.read_before(&life, None, ALL).await.unwrap();
                assert_eq!(page.messages.len(), 1);
            }
            assert_eq!(say(&store, &life).await.unwrap(), 2);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_lost_connection_is_never_opened_to_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chat.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let life = begin(&store).await;
        assert_eq!(say(&store, &life).await.unwrap(), 1);
        for replace in [false, true] {
            let _ = std::fs::remove_file(&path);
            if replace {
                std::fs::write(&path, "").unwrap();
            }
            store.shared.slot.lock().await.close().await;
            let refused = say(&store, &life).await;
            assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
            assert_eq!(path.exists(), replace);
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"", "it is not ours");
    }

    #[tokio::test]
    async fn a_life_in_doubt_is_read_from_the_file_before_anything_is_added() {
        let store = SqliteStore::in_memory().await.unwrap();
        let life = begin(&store).await;
        assert_eq!(say(&store, &life).await.unwrap(), 1);
        assert_eq!(say(&store, &life).await.unwrap(), 2);
        // As after a commit of which nobody knows whether it has happened: it has.
        {
            let open = store.shared.lives.open(&life).unwrap();
            let mut state = open.state();
            *state = State { row: None, head: 0, oldest: 1, doubtful: true, ..*state };
        }
        let page = store.read_before(&life, None, ALL).await.unwrap();
        assert_eq!((page.messages.len(), page.more), (2, false));
        assert_eq!(say(&store, &life).await.unwrap(), 3);
        assert_eq!(store.close(&life).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_life_in_doubt_is_removed_whatever_is_in_the_file() {
        for written in [true, false] {
            let store = SqliteStore::in_memory().await.unwrap();
            let life = begin(&store).await;
            if written {
                say(&store, &life).await.unwrap();
            }
            {
                let open = store.shared.lives.open(&life).unwrap();
                let mut state = open.state();
                *state = State { row: None, head: 0, oldest: 1, doubtful: true, ..*state };
            }
            assert_eq!(store.close(&life).await.unwrap(), u64::from(written));
            assert_eq!(store.close(&life).await.unwrap(), 0);
        }
    }
}
