//! The one task that writes.

use std::{future::pending, sync::Arc};

use chatrooms_core::{Epoch, StoreError, Timestamp};
use sqlx::Row as _;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::{
    batch::Batch,
    checkpoint::Checkpoint,
    connection::{self, Slot},
    error::{self, NAME},
    job::{Job, Write},
    prompt::prompt,
    purge::Purges,
    store::Shared,
};

/// The most drafts in one transaction, but for the last call that it takes.
const MAX_DRAFTS: usize = 1000;
/// A log of so many bytes is emptied although nothing has been removed.
const LARGE_LOG: u64 = 16 * 1024 * 1024;

/// Owns the connection that writes, and commits all that has queued in one transaction.
///
/// It ends when the store is shut down or when nobody has the store any more.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    jobs: mpsc::Receiver<Job>,
    purges: Purges,
    checkpoint: Checkpoint,
    /// A slice comes after each batch, so that neither starves the other.
    slice_next: bool,
    /// Whether the last transaction failed: a fault is logged when it begins and when it ends.
    failing: bool,
    /// What the rows of lives say of where they come from.
    boot: u128,
    ending: watch::Sender<bool>,
}

enum Work {
    Batch(Write),
    Slice,
    Checkpoint,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        jobs: mpsc::Receiver<Job>,
        purges: Purges,
        ending: watch::Sender<bool>,
    ) -> Self {
        // What an earlier process removed may still be in its log.
        let mut checkpoint = Checkpoint::default();
        if shared.database.file.is_some() {
            checkpoint.want();
        }
        let boot = Epoch::new().as_u128();
        Self { shared, jobs, purges, checkpoint, slice_next: false, failing: false, boot, ending }
    }

    pub(crate) async fn run(mut self) {
        while let Some(work) = self.next().await {
            match work {
                Work::Batch(first) => prompt(self.write_batch(first)).await,
                Work::Slice => prompt(self.write_slice()).await,
                Work::Checkpoint if !self.checkpoint.backfill.is_begun() => {
                    self.checkpoint.backfill.begin(&self.shared);
                }
                Work::Checkpoint => {
                    let is_moved = self.checkpoint.backfill.finish().await;
                    if is_moved || self.checkpoint.is_late() {
                        self.empty_log().await;
                    } else {
                        self.checkpoint.postpone();
                    }
                }
            }
        }
        self.finish().await;
    }

    async fn next(&mut self) -> Option<Work> {
        loop {
            if self.checkpoint.is_overdue() {
                return Some(Work::Checkpoint);
            }
            if std::mem::take(&mut self.slice_next) && self.purges.is_ready() {
                return Some(Work::Slice);
            }
            match self.jobs.try_recv() {
                Ok(job) => match self.sort(job) {
                    Some(write) => return Some(Work::Batch(write)),
                    None => continue,
                },
                Err(_) if self.purges.is_ready() => return Some(Work::Slice),
                Err(mpsc::error::TryRecvError::Disconnected) => return None,
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
            let idle = self.checkpoint.when_idle();
            let wake = idle.into_iter().chain(self.purges.retry_at()).min();
            tokio::select! {
                job = self.jobs.recv() => {
                    if let Some(write) = self.sort(job?) {
                        return Some(Work::Batch(write));
                    }
                }
                () = self.checkpoint.backfill.ended() => {}
                () = at(wake) => {
                    if idle.is_some_and(|idle| idle <= Instant::now()) {
                        return Some(Work::Checkpoint);
                    }
                }
            }
        }
    }

    /// Puts aside what does not belong into a batch.
    fn sort(&mut self, job: Job) -> Option<Write> {
        match job {
            Job::Trim(trim) => self.purges.trim(trim),
            // Nobody can ask for anything more; what has been asked for is still done.
            Job::Shutdown => self.jobs.close(),
            Job::Write(write) => return Some(write),
        }
        None
    }

    async fn write_batch(&mut self, first: Write) {
        self.slice_next = true;
        let shared = Arc::clone(&self.shared);
        let mut slot = shared.slot.lock().await;
        let mut batch = self.collect(vec![first]);
        let at = Timestamp::now();
        match self.insert_batch(&mut slot, &mut batch, at).await {
            Ok(true) => return self.committed(batch, at),
            Ok(false) => {}
            Err(failure) => return self.undo(&mut slot, batch, failure).await,
        }
        let writes = batch.take_back();
        let begun = self.begin(&mut slot).await;
        let mut batch = self.collect(writes);
        if let Err(error) = begun {
            return batch.failed(&error, false);
        }
        let at = Timestamp::now();
        match self.commit_batch(&mut slot, &mut batch, at).await {
            Ok(()) => self.committed(batch, at),
            Err(failure) => self.undo(&mut slot, batch, failure).await,
        }
    }

    /// The short way, one journey to SQLite's thread; says whether it was one. A transaction of several statements tells apart what this cannot, and
    /// waits for the lock longer, with everything that could still be withdrawn.
    async fn insert_batch(
        &self,
        slot: &mut Slot,
        batch: &mut Batch,
        at: Timestamp,
    ) -> Result<bool, Failure> {
        if !batch.is_plain() {
            return Ok(false);
        }
        let Ok(conn) = slot.get().await else { return Ok(false) };
        match batch.insert(conn, at).await {
            Ok(()) => Ok(true),
            Err(error) if error::is_busy(&error) || error::is_refusal(&error) => Ok(false),
            Err(error) => Err(Failure::at_commit(error)),
        }
    }

    fn committed(&mut self, batch: Batch, at: Timestamp) {
        self.recovered();
        let committed = batch.committed(at);
        self.shared.counters.batch(committed.appended);
        for (life, reply) in committed.closed {
            self.purges.close(life, reply, &self.shared.lives);
        }
        if committed.redacted {
            self.want_checkpoint();
        }
        if self.shared.database.log_bytes() > LARGE_LOG {
            self.checkpoint.want_at_once();
        }
    }

    async fn undo(&mut self, slot: &mut Slot, batch: Batch, Failure { error, doubtful }: Failure) {
        slot.undo().await;
        slot.blame(&error).await;
        let error = self.failed(error, doubtful);
        batch.failed(&error, doubtful);
    }

    /// Waits for the lock. What has come meanwhile shares the transaction.
    async fn begin(&mut self, slot: &mut Slot) -> Result<(), StoreError> {
        let conn = slot.get().await.inspect_err(|error| self.note(error))?;
        let begun = connection::begin(conn, self.shared.database.busy_timeout).await;
        if let Err(error) = begun {
            slot.blame(&error).await;
            return Err(self.failed(error, false));
        }
        Ok(())
    }

    /// These and everything that has queued, within bounds.
    fn collect(&mut self, writes: Vec<Write>) -> Batch {
        let mut batch = Batch::default();
        writes.into_iter().for_each(|write| batch.add(write));
        while batch.drafts() < MAX_DRAFTS
            && let Ok(job) = self.jobs.try_recv()
        {
            if let Some(write) = self.sort(job) {
                batch.add(write);
            }
        }
        batch
    }

    async fn commit_batch(
        &self,
        slot: &mut Slot,
        batch: &mut Batch,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let conn = slot.get().await.map_err(|_| Failure::certain(sqlx::Error::PoolClosed))?;
        batch.write(conn, self.boot, at).await.map_err(Failure::certain)?;
        connection::commit(conn).await.map_err(Failure::at_commit)
    }

    async fn write_slice(&mut self) {
        let shared = Arc::clone(&self.shared);
        let mut slot = shared.slot.lock().await;
        if let Err(error) = self.begin(&mut slot).await {
            return self.purges.failed(&error);
        }
        match self.commit_slice(&mut slot).await {
            Ok(served) => {
                self.recovered();
                let (removed, ended) = self.purges.committed(served, &self.shared.lives);
                self.shared.counters.slice(removed);
                if ended {
                    self.want_checkpoint();
                }
            }
            Err(error) => {
                slot.undo().await;
                slot.blame(&error).await;
                // Removing twice is no harm, so it does not matter what became of it.
                let error = self.failed(error, false);
                self.purges.failed(&error);
            }
        }
    }

    async fn commit_slice(&mut self, slot: &mut Slot) -> Result<usize, sqlx::Error> {
        let conn = slot.get().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let served = self.purges.write(conn).await?;
        connection::commit(conn).await?;
        Ok(served)
    }

    fn want_checkpoint(&mut self) {
        if self.shared.database.file.is_some() {
            self.checkpoint.want();
        }
    }

    /// Moves everything from the log to the database, where what was removed has been overwritten, and empties it.
    async fn empty_log(&mut self) {
        let shared = Arc::clone(&self.shared);
        let mut slot = shared.slot.lock().await;
        let conn = match slot.get().await {
            Ok(conn) => conn,
            Err(error) => return self.checkpoint.failed(&error),
        };
        let busy = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get::<i64, _>(0));
        match busy {
            Ok(0) => {
                self.checkpoint = Checkpoint::default();
                self.shared.counters.checkpoint();
            }
            Ok(_) => self.checkpoint.postpone(),
            Err(error) => {
                slot.blame(&error).await;
                self.checkpoint.failed(&error);
            }
        }
    }

    /// Notes a failure, and says what it means for whoever waits.
    fn failed(&mut self, error: sqlx::Error, doubtful: bool) -> StoreError {
        self.note(&error);
        if doubtful { StoreError::outcome_unknown(NAME, error) } else { error::unavailable(error) }
    }

    fn note(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.shared.counters.failure();
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(
                name: "database_failing",
                target: "chatrooms_sqlite",
                error,
                "the database cannot be written"
            );
        }
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!(
                name: "database_recovered",
                target: "chatrooms_sqlite",
                "the database can be written again"
            );
        }
    }

    /// Leaves the file whole, with an empty log, to whoever comes next.
    async fn finish(&mut self) {
        self.jobs.close();
        if self.shared.database.file.is_some() {
            self.checkpoint.backfill.finish().await;
            self.empty_log().await;
        }
        self.shared.backfiller.lock().await.close().await;
        self.shared.readers.close().await;
        self.shared.slot.lock().await.close().await;
        self.shared.database.shut();
        self.ending.send_replace(true);
    }
}

/// Returns then, or never.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Why a transaction failed.
struct Failure {
    error: sqlx::Error,
    /// It may have been committed.
    doubtful: bool,
}

impl Failure {
    const fn certain(error: sqlx::Error) -> Self {
        Self { error, doubtful: false }
    }

    fn at_commit(error: sqlx::Error) -> Self {
        Self { doubtful: !error::is_certainly_undone(&error), error }
    }
}
