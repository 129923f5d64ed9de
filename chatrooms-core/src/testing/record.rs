//! What a test client writes down of itself.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    CloseReason, Outgoing, Session, UserName,
    oracle::{Outcome, Recorder, Request, Told, Witness},
    peer::Peer,
    sync::Arc,
};

/// Writes down what a client does and is told, and that its session has ended when this is dropped.
#[derive(Debug)]
pub(super) struct Record {
    shared: Arc<Shared>,
}

/// Writes down that a client ends its session, when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Ending {
    of: Option<(Arc<Shared>, Arc<Peer>)>,
}

/// Shared by what is dropped before a client's session and what is dropped after it.
#[derive(Debug)]
struct Shared {
    witness: Witness,
    /// Whether the end of the session has been noted.
    has_ended: AtomicBool,
    /// The request by which the client ends its session.
    ending: OnceLock<u64>,
}

impl Record {
    pub(super) fn new(recorder: &Recorder, user: UserName) -> Self {
        let witness = recorder.client(Some(user));
        let (has_ended, ending) = (AtomicBool::new(false), OnceLock::new());
        Self { shared: Arc::new(Shared { witness, has_ended, ending }) }
    }

    pub(super) fn ending(&self, session: &Session) -> Ending {
        Ending { of: Some((Arc::clone(&self.shared), Arc::clone(session.peer()))) }
    }

    pub(super) fn witness(&self) -> &Witness {
        &self.shared.witness
    }

    pub(super) fn note(&self, news: &[Outgoing], closed: Option<&CloseReason>) {
        self.shared.note(news, closed);
    }
}

impl Shared {
    /// Notes what was taken from the outbox, and its end where it has ended and holds no more.
    fn note(&self, news: &[Outgoing], closed: Option<&CloseReason>) {
        news.iter().flat_map(Outgoing::events).for_each(|event| self.witness.event(event));
        if let Some(reason) = closed
            && !self.has_ended.swap(true, Ordering::Relaxed)
        {
            self.witness.told(Told::Ended { code: Some(reason.name().into()) });
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some((shared, peer)) = &self.of else { return };
        let _only_once = shared.ending.set(shared.witness.asks(Request::End));
        // What somebody else has ended before was not ended by this.
        let closed = peer.outbox.closed();
        let mut news = Vec::new();
        peer.outbox.try_take(&mut news, usize::MAX);
        shared.note(&news, closed.as_ref());
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(call) = self.shared.ending.get() {
            self.shared.witness.answered(*call, Outcome::Done);
        }
    }
}
