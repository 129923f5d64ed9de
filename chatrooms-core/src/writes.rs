//! What waits for the store in one room, and the receipts of those who wait for it.

use std::collections::VecDeque;

use tokio::{sync::oneshot, time::Instant};

use crate::{Draft, Error, Timestamp, UserName, room::Room, sync::Arc, writer::GRACE};

/// The most drafts in one batch.
const BATCH: usize = 256;

/// What waits for the store.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    queue: VecDeque<Write>,
    /// Whether the writer is at work; it ends when it finds nothing to do.
    running: bool,
    next_ticket: u64,
}

#[derive(Debug)]
struct Write {
    ticket: u64,
    deadline: Instant,
    job: Job,
}

#[derive(Debug)]
pub(crate) enum Job {
    Append(Draft, oneshot::Sender<Result<Sent, Error>>),
    Redact(Redact, oneshot::Sender<Result<(), Error>>),
}

/// A message to take back.
#[derive(Debug)]
pub(crate) struct Redact {
    pub(crate) seq: u64,
    /// Only where this user wrote it.
    pub(crate) author: Option<UserName>,
    /// Who takes it back, as everybody is told.
    pub(crate) by: Option<UserName>,
}

/// What the writer does in one go.
pub(crate) enum Batch {
    Append {
        drafts: Vec<Draft>,
        outcomes: Vec<oneshot::Sender<Result<Sent, Error>>>,
        deadline: Instant,
    },
    Redact(Redact, oneshot::Sender<Result<(), Error>>),
}

impl Job {
    fn refuse(self, error: Error) {
        // Whoever asked may have gone.
        match self {
            Self::Append(_, outcome) => drop(outcome.send(Err(error))),
            Self::Redact(_, outcome) => drop(outcome.send(Err(error))),
        }
    }
}

impl Writes {
    /// Queues a job; returns its ticket, and whether the caller has to start the writer.
    pub(crate) fn push(
        &mut self,
        job: Job,
        deadline: Instant,
        most: usize,
    ) -> Result<(u64, bool), Error> {
        if self.queue.len() >= most {
            return Err(Error::Busy);
        }
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        self.queue.push_back(Write { ticket, deadline, job });
        Ok((ticket, !std::mem::replace(&mut self.running, true)))
    }

    /// Takes a write back that has not begun; says whether it could.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> bool {
        let found = self.queue.binary_search_by_key(&ticket, |write| write.ticket);
        found.ok().and_then(|index| self.queue.remove(index)).is_some()
    }

    /// The oldest redaction, or the oldest drafts up to the next redaction. What is past its deadline is withdrawn.
    pub(crate) fn next_batch(&mut self) -> Option<Batch> {
        self.refuse_late();
        let batch = match self.queue.pop_front().map(|write| (write.job, write.deadline)) {
            None => None,
            Some((Job::Redact(redact, outcome), _)) => Some(Batch::Redact(redact, outcome)),
            Some((Job::Append(draft, outcome), deadline)) => {
                let (mut drafts, mut outcomes) = (vec![draft], vec![outcome]);
                while drafts.len() < BATCH
                    && let Some((draft, outcome)) = self.pop_draft()
                {
                    drafts.push(draft);
                    outcomes.push(outcome);
                }
                Some(Batch::Append { drafts, outcomes, deadline })
            }
        };
        self.running = batch.is_some();
        batch
    }

    /// The deadlines come in the order of the queue.
    fn refuse_late(&mut self) {
        let now = Instant::now();
        while let Some(write) = self.queue.pop_front_if(|write| write.deadline <= now) {
            write.job.refuse(Error::StoreUnavailable);
        }
    }

    fn pop_draft(&mut self) -> Option<(Draft, oneshot::Sender<Result<Sent, Error>>)> {
        let write = self.queue.pop_front_if(|write| matches!(write.job, Job::Append(..)))?;
        match write.job {
            Job::Append(draft, outcome) => Some((draft, outcome)),
            Job::Redact(..) => None,
        }
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        for write in self.queue.drain(..) {
            write.job.refuse(Error::NotInRoom);
        }
    }
}

/// A message that has been accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// Its place in the order.
    pub seq: u64,
    /// When it was accepted.
    pub at: Timestamp,
    /// The nonce was known: nothing was stored or sent again.
    pub duplicate: bool,
}

impl Sent {
    pub(crate) const fn new(seq: u64, at: Timestamp, duplicate: bool) -> Self {
        Self { seq, at, duplicate }
    }
}

/// Stands for work that goes on whatever becomes of the one who asked for it.
#[derive(Debug)]
#[must_use = "dropping a receipt does not undo the work, it only forgets the outcome"]
pub struct Receipt<T> {
    outcome: oneshot::Receiver<Result<T, Error>>,
    room: Arc<Room>,
    ticket: u64,
    deadline: Instant,
}

impl<T> Receipt<T> {
    pub(crate) const fn new(
        outcome: oneshot::Receiver<Result<T, Error>>,
        room: Arc<Room>,
        ticket: u64,
        deadline: Instant,
    ) -> Self {
        Self { outcome, room, ticket, deadline }
    }

    /// Waits for the outcome.
    ///
    /// # Errors
    /// - [`Error::StoreUnavailable`]: nothing was stored and nothing will be; work that still waits at its deadline
    ///   ([`Config::store_timeout`](crate::Config::store_timeout)) is withdrawn.
    /// - [`Error::OutcomeUnknown`]: the store had begun and may still do it.
    /// - [`Error::NotInRoom`]: the room ended first, and nothing was stored.
    /// - For a redaction also [`Error::NotFound`] and [`Error::Forbidden`].
    ///
    /// # Cancel safety
    /// Dropping it forgets the outcome; the work goes on.
    pub async fn wait(mut self) -> Result<T, Error> {
        if let Ok(outcome) = tokio::time::timeout_at(self.deadline, &mut self.outcome).await {
            return known(outcome);
        }
        if self.room.live(|live| live.writes.withdraw(self.ticket)) == Some(true) {
            return Err(Error::StoreUnavailable);
        }
        match tokio::time::timeout_at(self.deadline + GRACE, &mut self.outcome).await {
            Ok(outcome) => known(outcome),
            Err(_) => Err(Error::OutcomeUnknown),
        }
    }
}

/// Work that was dropped half-way, as happens when its runtime ends, has left nobody who knows.
fn known<T>(outcome: Result<Result<T, Error>, oneshot::error::RecvError>) -> Result<T, Error> {
    outcome.unwrap_or(Err(Error::OutcomeUnknown))
}
