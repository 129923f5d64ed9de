//! The way of a message from its sender to the store and from there to the room.
//!
//! Store work is never awaited in a future that a client can cancel: it runs in the room's own writer, one batch at a time, and
//! whoever asked for it holds a receipt.

use std::{collections::VecDeque, panic::AssertUnwindSafe, task::Poll, time::Duration};

use futures_util::FutureExt as _;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    Appended, Draft, Error, Life, Redaction, SessionId, StoreError, Timestamp, UserName,
    registry::Shared,
    room::{Live, Phase, Room},
    sync::{Arc, lock},
};

/// The most drafts in one batch.
const BATCH: usize = 256;
/// How much longer than its deadline a write that has begun may take to say what became of it.
const GRACE: Duration = Duration::from_secs(1);

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

/// What waits for the store in one room.
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
enum Job {
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
    /// Waits for the outcome.
    ///
    /// # Errors
    /// - [`Error::StoreUnavailable`]: nothing was stored and nothing will be; work that still waits at its deadline
    ///   ([`Config::store_timeout`](crate::Config::store_timeout)) is withdrawn.
    /// - [`Error::OutcomeUnknown`]: the store had begun and may still do it.
    /// - [`Error::NotInRoom`]: the room ended first.
    /// - For a redaction also [`Error::NotFound`] and [`Error::Forbidden`].
    ///
    /// # Cancel safety
    /// Dropping it forgets the outcome; the work goes on.
    pub async fn wait(mut self) -> Result<T, Error> {
        if let Ok(outcome) = tokio::time::timeout_at(self.deadline, &mut self.outcome).await {
            return outcome.unwrap_or(Err(Error::NotInRoom));
        }
        if self.room.withdraw(self.ticket) {
            return Err(Error::StoreUnavailable);
        }
        match tokio::time::timeout_at(self.deadline + GRACE, &mut self.outcome).await {
            Ok(outcome) => outcome.unwrap_or(Err(Error::NotInRoom)),
            Err(_) => Err(Error::OutcomeUnknown),
        }
    }
}

impl Room {
    /// Queues a draft; with a session, only where that is in the room.
    pub(crate) fn submit(
        self: &Arc<Self>,
        from: Option<SessionId>,
        draft: Draft,
        shared: &Arc<Shared>,
    ) -> Result<Receipt<Sent>, Error> {
        self.queue(from, shared, |outcome| Job::Append(draft, outcome))
    }

    /// Queues a redaction.
    pub(crate) fn submit_redaction(
        self: &Arc<Self>,
        from: Option<SessionId>,
        redact: Redact,
        shared: &Arc<Shared>,
    ) -> Result<Receipt<()>, Error> {
        self.queue(from, shared, |outcome| Job::Redact(redact, outcome))
    }

    fn queue<T>(
        self: &Arc<Self>,
        from: Option<SessionId>,
        shared: &Arc<Shared>,
        job: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Job,
    ) -> Result<Receipt<T>, Error> {
        let (sender, outcome) = oneshot::channel();
        let deadline = Instant::now() + shared.config.store_timeout;
        let (ticket, start) = {
            let mut state = lock(&self.state);
            let live = match from {
                Some(session) => state.of_member(session)?,
                None => state.occupied()?,
            };
            if live.writes.queue.len() >= shared.config.store_queue {
                return Err(Error::Busy);
            }
            let writes = &mut live.writes;
            writes.next_ticket += 1;
            let ticket = writes.next_ticket;
            writes.queue.push_back(Write { ticket, deadline, job: job(sender) });
            (ticket, !std::mem::replace(&mut writes.running, true))
        };
        if start {
            self.start_writing(shared);
        }
        Ok(Receipt { outcome, room: Arc::clone(self), ticket, deadline })
    }

    /// Runs the writer. A store that answers at once has answered when this returns; with any other the work goes on in a task.
    fn start_writing(self: &Arc<Self>, shared: &Arc<Shared>) {
        let writing = write(Arc::clone(self), Arc::clone(shared));
        shared.run_detached(&self.runtime, writing);
    }

    /// Takes a write back that has not begun; says whether it could.
    fn withdraw(&self, ticket: u64) -> bool {
        let Phase::Open(live) = &mut lock(&self.state).phase else { return false };
        let queue = &mut live.writes.queue;
        let found = queue.iter().position(|write| write.ticket == ticket);
        found.and_then(|index| queue.remove(index)).is_some()
    }

    fn next_batch(&self) -> Option<(Life, Batch)> {
        let Phase::Open(live) = &mut lock(&self.state).phase else { return None };
        let batch = live.writes.next_batch();
        live.writes.running = batch.is_some();
        batch.map(|batch| (live.life.clone(), batch))
    }

    fn live<T>(&self, ask: impl FnOnce(&mut Live) -> T) -> Option<T> {
        match &mut lock(&self.state).phase {
            Phase::Open(live) => Some(ask(live)),
            Phase::Opening | Phase::Over => None,
        }
    }
}

enum Batch {
    Append(Vec<Draft>, Vec<oneshot::Sender<Result<Sent, Error>>>, Instant),
    Redact(Redact, oneshot::Sender<Result<(), Error>>),
}

impl Writes {
    /// The oldest redaction, or the oldest drafts up to the next redaction. What is past its deadline is withdrawn.
    fn next_batch(&mut self) -> Option<Batch> {
        let now = Instant::now();
        let (mut drafts, mut senders) = (Vec::new(), Vec::new());
        let mut first_deadline = None;
        while let Some(write) = self.queue.pop_front() {
            match write.job {
                Job::Append(_, outcome) if write.deadline <= now => {
                    let _ = outcome.send(Err(Error::StoreUnavailable));
                }
                Job::Redact(_, outcome) if write.deadline <= now => {
                    let _ = outcome.send(Err(Error::StoreUnavailable));
                }
                Job::Append(draft, outcome) => {
                    first_deadline.get_or_insert(write.deadline);
                    drafts.push(draft);
                    senders.push(outcome);
                    if drafts.len() == BATCH {
                        break;
                    }
                }
                Job::Redact(redact, outcome) if drafts.is_empty() => {
                    return Some(Batch::Redact(redact, outcome));
                }
                job @ Job::Redact(..) => {
                    self.queue.push_front(Write { job, ..write });
                    break;
                }
            }
        }
        first_deadline.map(|deadline| Batch::Append(drafts, senders, deadline))
    }
}

async fn write(room: Arc<Room>, shared: Arc<Shared>) {
    let mut batches = 0_u32;
    while let Some((life, batch)) = room.next_batch() {
        match batch {
            Batch::Append(drafts, senders, deadline) => {
                append(&room, &shared, &life, drafts, senders, deadline).await;
            }
            Batch::Redact(job, outcome) => {
                let _ = outcome.send(redact(&room, &shared, &life, job).await);
            }
        }
        trim(&room, &shared, &life).await;
        // Whoever started this must not go on writing for everybody else for ever.
        batches += 1;
        if batches.is_multiple_of(16) {
            yield_once().await;
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn append(
    room: &Room,
    shared: &Arc<Shared>,
    life: &Life,
    drafts: Vec<Draft>,
    senders: Vec<oneshot::Sender<Result<Sent, Error>>>,
    deadline: Instant,
) {
    let appending = AssertUnwindSafe(shared.store.append(life, drafts, deadline)).catch_unwind();
    let results = appending.await.unwrap_or_else(|_| {
        tracing::error!(room = ?life.room, "the store panicked while it appended");
        Vec::new()
    });
    let mut messages = Vec::new();
    let mut oldest_kept = 0;
    let mut results = results.into_iter();
    for sender in senders {
        let outcome = match results.next() {
            Some(Ok(Appended::Stored { message, oldest })) => {
                let sent = Sent { seq: message.seq, at: message.at, duplicate: false };
                oldest_kept = oldest;
                messages.push(message);
                Ok(sent)
            }
            Some(Ok(Appended::Duplicate { seq, at })) => Ok(Sent { seq, at, duplicate: true }),
            Some(Err(error)) => Err(refusal(error, life)),
            // A store that panicked, or gave fewer results than drafts.
            None => Err(Error::OutcomeUnknown),
        };
        // The sender may have gone.
        let _ = sender.send(outcome);
    }
    if !messages.is_empty() {
        room.deliver(messages, oldest_kept, shared);
    }
}

fn refusal(error: StoreError, life: &Life) -> Error {
    match &error {
        StoreError::Closed => return Error::NotInRoom,
        StoreError::Unavailable { store, source }
        | StoreError::OutcomeUnknown { store, source } => {
            tracing::error!(room = ?life.room, store, %source, "{error}");
        }
    }
    error.into()
}

async fn redact(room: &Room, shared: &Arc<Shared>, life: &Life, job: Redact) -> Result<(), Error> {
    let redacting = AssertUnwindSafe(shared.store.redact(life, job.seq, job.author.as_ref()));
    match redacting.catch_unwind().await {
        Ok(Ok(Redaction::Done | Redaction::Already)) => {
            room.redacted(job.seq, job.by, shared);
            Ok(())
        }
        Ok(Ok(Redaction::NotFound)) => Err(Error::NotFound),
        Ok(Ok(Redaction::NotAuthor)) => Err(Error::Forbidden),
        Ok(Err(error)) => Err(refusal(error, life)),
        Err(_) => Err(Error::OutcomeUnknown),
    }
}

/// Forgets the oldest eighth of a full room's messages, so that it is not trimmed again at the next message.
async fn trim(room: &Room, shared: &Arc<Shared>, life: &Life) {
    let keep = shared.config.keep as u64;
    let excess = room.live(|live| {
        let kept = (live.head + 1).saturating_sub(live.oldest);
        (kept > keep).then(|| live.head - (keep - keep / 8))
    });
    let Some(up_to) = excess.flatten() else { return };
    match AssertUnwindSafe(shared.store.trim(life, up_to)).catch_unwind().await {
        Ok(Ok(())) => {
            room.live(|live| live.trimmed(up_to + 1));
        }
        Ok(Err(error)) => tracing::warn!(room = ?life.room, %error, "old messages stay for now"),
        Err(_) => tracing::error!(room = ?life.room, "the store panicked while it trimmed"),
    }
}
