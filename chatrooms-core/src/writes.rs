//! What waits for the store in one room, and the receipts of those who wait for it.

use std::collections::VecDeque;

use tokio::{sync::oneshot, time::Instant};

use crate::{
    Draft, Error, Timestamp, UserName, room::Room, sanctions::Mark, sync::Arc, writer::GRACE,
};

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
    Append(Draft, Answer),
    Redact(Redact, oneshot::Sender<Result<(), Error>>),
}

/// Whom to tell what became of a draft.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) sender: oneshot::Sender<Result<Sent, Error>>,
    /// What it was noted as where the room is slow.
    pub(crate) mark: Option<Mark>,
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
    Append { drafts: Vec<Draft>, outcomes: Vec<Answer>, deadline: Instant },
    Redact(Redact, oneshot::Sender<Result<(), Error>>),
}

impl Job {
    fn refuse(self, error: Error) {
        // Whoever asked may have gone.
        match self {
            Self::Append(_, outcome) => drop(outcome.sender.send(Err(error))),
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

    fn pop_draft(&mut self) -> Option<(Draft, Answer)> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    type Outcome<T> = oneshot::Receiver<Result<T, Error>>;

    fn append(writes: &mut Writes, body: &str) -> (u64, Outcome<Sent>) {
        let (sender, outcome) = oneshot::channel();
        let draft = Draft::new(UserName::new("ada").unwrap(), body);
        let deadline = Instant::now() + Duration::from_secs(5);
        let (ticket, _) =
            writes.push(Job::Append(draft, Answer { sender, mark: None }), deadline, 1000).unwrap();
        (ticket, outcome)
    }

    fn redact(writes: &mut Writes, seq: u64) -> Outcome<()> {
        let (sender, outcome) = oneshot::channel();
        let redact = Redact { seq, author: None, by: None };
        let deadline = Instant::now() + Duration::from_secs(5);
        writes.push(Job::Redact(redact, sender), deadline, 1000).unwrap();
        outcome
    }

    /// The batches, until there is none: the texts to append, or the message to take back.
    fn batches(writes: &mut Writes) -> Vec<String> {
        let mut batches = Vec::new();
        while let Some(batch) = writes.next_batch() {
            batches.push(match batch {
                Batch::Append { drafts, .. } => {
                    drafts.iter().map(|draft| &*draft.body).collect::<Vec<_>>().join(" ")
                }
                Batch::Redact(redact, _) => format!("-{}", redact.seq),
            });
        }
        batches
    }

    #[tokio::test(start_paused = true)]
    async fn drafts_go_together_and_a_redaction_keeps_its_place() {
        let mut writes = Writes::default();
        let _outcomes = [append(&mut writes, "a"), append(&mut writes, "b")];
        let _redactions = [redact(&mut writes, 1), redact(&mut writes, 2)];
        let _outcome = append(&mut writes, "c");
        assert_eq!(batches(&mut writes), ["a b", "-1", "-2", "c"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_has_a_bound() {
        let mut writes = Writes::default();
        for _ in 0..BATCH + 1 {
            append(&mut writes, "a");
        }
        assert_eq!(batches(&mut writes).last().map(String::as_str), Some("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_has_not_begun_can_be_withdrawn() {
        let mut writes = Writes::default();
        let (begun, _outcome) = append(&mut writes, "begun");
        writes.next_batch();
        let (waiting, _outcome) = append(&mut writes, "waiting");
        assert!(!writes.withdraw(begun));
        assert!(writes.withdraw(waiting));
        assert!(!writes.withdraw(waiting));
        assert_eq!(batches(&mut writes), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_late_is_refused_and_what_is_left_too() {
        let mut writes = Writes::default();
        let (_, late) = append(&mut writes, "late");
        tokio::time::advance(Duration::from_secs(5)).await;
        let (_, left) = append(&mut writes, "left");
        let Some(Batch::Append { drafts, .. }) = writes.next_batch() else { panic!() };
        assert_eq!(&*drafts[0].body, "left");
        assert_eq!(late.await.unwrap(), Err(Error::StoreUnavailable));
        assert!(left.await.is_err(), "its batch was dropped half-way");
        let (_, left) = append(&mut writes, "left");
        drop(writes);
        assert_eq!(left.await.unwrap(), Err(Error::NotInRoom));
    }

    #[tokio::test(start_paused = true)]
    async fn the_writer_is_started_once_and_again_when_it_has_stopped() {
        let mut writes = Writes::default();
        assert_eq!(starts(&mut writes), Ok(true));
        assert_eq!(starts(&mut writes), Ok(false));
        assert_eq!(starts(&mut writes), Err(Error::Busy));
        assert_eq!(batches(&mut writes).len(), 2);
        assert_eq!(starts(&mut writes), Ok(true));
    }

    fn starts(writes: &mut Writes) -> Result<bool, Error> {
        let (sender, _) = oneshot::channel();
        let redact = Redact { seq: 1, author: None, by: None };
        let deadline = Instant::now() + Duration::from_secs(5);
        Ok(writes.push(Job::Redact(redact, sender), deadline, 2)?.1)
    }
}
