//! What the writer is asked to do.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use chatrooms_core::{Appended, Draft, Redaction, StoreError, UserName};
use tokio::{sync::oneshot, time::Instant};

use crate::lives::OpenLife;

/// Where an answer goes; nobody may be left to hear it.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What became of each draft.
pub(crate) type Results = Vec<Result<Appended, StoreError>>;

#[derive(Debug)]
pub(crate) enum Job {
    Write(Write),
    Trim(Trim),
    Shutdown,
}

/// What shares a transaction with everything else that has queued.
#[derive(Debug)]
pub(crate) enum Write {
    Append(Append),
    Redact(Redact),
    Note(Note),
    Close(Close),
}

#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) life: Arc<OpenLife>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) ticket: Arc<Ticket>,
    pub(crate) reply: oneshot::Sender<Results>,
}

#[derive(Debug)]
pub(crate) struct Redact {
    pub(crate) life: Arc<OpenLife>,
    pub(crate) seq: u64,
    pub(crate) author: Option<UserName>,
    pub(crate) reply: Reply<Redaction>,
}

#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) life: Arc<OpenLife>,
    pub(crate) note: String,
    pub(crate) reply: Reply<()>,
}

#[derive(Debug)]
pub(crate) struct Trim {
    pub(crate) life: Arc<OpenLife>,
    pub(crate) up_to: u64,
    pub(crate) reply: Reply<()>,
}

#[derive(Debug)]
pub(crate) struct Close {
    pub(crate) life: Arc<OpenLife>,
    pub(crate) reply: Reply<u64>,
}

impl Write {
    /// Answers that nothing has happened.
    pub(crate) fn refuse(self, error: &StoreError) {
        match self {
            Self::Append(Append { drafts, reply, .. }) => {
                let _ = reply.send(drafts.iter().map(|_| Err(error.clone())).collect());
            }
            Self::Redact(Redact { reply, .. }) => drop(reply.send(Err(error.clone()))),
            Self::Note(Note { reply, .. }) => drop(reply.send(Err(error.clone()))),
            Self::Close(Close { reply, .. }) => drop(reply.send(Err(error.clone()))),
        }
    }
}

/// Decides, once, whether an append that waits is begun by the writer or withdrawn by its caller.
#[derive(Debug)]
pub(crate) struct Ticket {
    state: AtomicU8,
    deadline: Instant,
}

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

impl Ticket {
    pub(crate) const fn new(deadline: Instant) -> Self {
        Self { state: AtomicU8::new(WAITING), deadline }
    }

    /// Whether the writer may begin: not after the deadline, and not when the caller has given up.
    pub(crate) fn begin(&self) -> bool {
        Instant::now() <= self.deadline && self.decide(BEGUN)
    }

    /// Takes the beginning back, because nothing has happened; says whether there is time for another. Where there is none the caller
    /// may have found it begun, and has to be told.
    pub(crate) fn release(&self) -> bool {
        self.state.store(WAITING, Ordering::Relaxed);
        Instant::now() < self.deadline
    }

    /// Whether the caller may be told that nothing was and will be stored.
    pub(crate) fn withdraw(&self) -> bool {
        self.decide(WITHDRAWN)
    }

    /// Relaxed is enough: the flag itself is all that the two sides share.
    fn decide(&self, decision: u8) -> bool {
        let decided =
            self.state.compare_exchange(WAITING, decision, Ordering::Relaxed, Ordering::Relaxed);
        decided.is_ok() || decided == Err(decision)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_ticket_is_begun_or_withdrawn_and_never_both() {
        let later = Instant::now() + Duration::from_secs(60);
        let ticket = Ticket::new(later);
        assert!(ticket.begin() && !ticket.withdraw());
        let ticket = Ticket::new(later);
        assert!(ticket.withdraw() && !ticket.begin());
    }

    #[tokio::test(start_paused = true)]
    async fn a_beginning_that_is_taken_back_leaves_the_choice_until_the_deadline() {
        let second = Duration::from_secs(1);
        let ticket = Ticket::new(Instant::now() + second);
        assert!(ticket.begin() && ticket.release() && ticket.begin());
        assert!(ticket.release() && ticket.withdraw());
        let late = Ticket::new(Instant::now() + second);
        assert!(late.begin());
        tokio::time::advance(second).await;
        assert!(!late.release(), "who has waited for it has to be told");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_begins_after_its_deadline() {
        let ticket = Ticket::new(Instant::now());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!ticket.begin() && ticket.withdraw());
    }
}
