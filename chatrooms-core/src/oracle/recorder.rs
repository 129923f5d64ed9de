//! Writing a trace down while it happens.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Bounds, Log, Outcome, Request, Step, Told, Trace, What};
use crate::{
    Error, Event, EventKind, RoomName, UserName,
    sync::{
        Arc,
        aside::{Mutex, lock},
    },
};

/// Writes down what happens to all clients of a run. Cloning is cheap; all clones write the same trace.
///
/// One recorder has one clock. What stands in its trace in some order has happened in that order as far as that can be told: a request
/// that was answered before another one was made, by whomever, is known to have come first, and of two that overlap nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    notes: Arc<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// Nothing but an order, for all clients together.
    clock: AtomicU64,
    complete: AtomicBool,
    /// Those of the clients to come. Held to set or to copy them.
    bounds: Mutex<Bounds>,
    /// Held to add one or to copy all of them, and before one of theirs.
    logs: Mutex<Vec<Arc<Mutex<Log>>>>,
}

/// Writes down what happens to one client. Clones write to the same log.
#[derive(Clone, Debug)]
pub struct Witness {
    notes: Arc<Notes>,
    /// Held for one step, whose time is taken meanwhile, so that the steps of a log stand in the order of their times.
    log: Arc<Mutex<Log>>,
}

impl Recorder {
    /// For a service with the default bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a service with these bounds.
    #[must_use]
    pub fn bounded(bounds: Bounds) -> Self {
        let recorder = Self::new();
        recorder.bound(bounds);
        recorder
    }

    /// Says which bounds the service has for the clients that come from now on.
    pub fn bound(&self, bounds: Bounds) {
        *lock(&self.notes.bounds) = bounds;
    }

    /// Says that everybody who is there and everything that is said is recorded, word for word; see [`Trace::complete`].
    pub fn complete(&self) {
        self.notes.complete.store(true, Ordering::Relaxed);
    }

    /// A new client, from before it is anywhere; `None` is the host.
    #[must_use]
    pub fn client(&self, user: Option<UserName>) -> Witness {
        let (began, bounds) = (self.notes.now(), lock(&self.notes.bounds).clone());
        let log = Arc::new(Mutex::new(Log { user, began, bounds, ..Log::default() }));
        lock(&self.notes.logs).push(Arc::clone(&log));
        Witness { notes: Arc::clone(&self.notes), log }
    }

    /// What has happened so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace {
            clients: lock(&self.notes.logs).iter().map(|log| lock(log).clone()).collect(),
            complete: self.notes.complete.load(Ordering::Relaxed),
        }
    }
}

impl Notes {
    /// The next moment: one order for all, whatever thread something is noted on.
    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }
}

impl Witness {
    /// Notes who it is, and by what it is bound. `in_order` says that it has one socket, over which it asks and is answered.
    pub fn introduce(&self, user: UserName, in_order: bool, bounds: impl FnOnce(&mut Bounds)) {
        let mut log = lock(&self.log);
        (log.user, log.in_order) = (Some(user), in_order);
        bounds(&mut log.bounds);
    }

    /// Notes a request, before it is made; returns its number.
    #[must_use = "its answer needs the number"]
    pub fn asks(&self, request: Request) -> u64 {
        self.note(|call| What::Asked { call, request })
    }

    /// Notes what became of a request, once it is known.
    pub fn answered(&self, call: u64, outcome: impl Into<Outcome>) {
        let outcome = outcome.into();
        self.note(|_| What::Answered { call, outcome });
    }

    /// Notes that the client has waited for the answer to this request and has had none, though whatever anybody did before has come to its end.
    pub fn unanswered(&self, call: u64) {
        self.note(|_| What::Unanswered { call });
    }

    /// Notes what the client was told, once it has come.
    pub fn told(&self, told: Told) {
        self.note(|_| What::Told(told));
    }

    /// Notes how many bytes the last step took on the wire.
    pub fn took(&self, bytes: usize) {
        if let Some(step) = lock(&self.log).steps.last_mut() {
            step.bytes = Some(bytes);
        }
    }

    /// Notes that the client has taken all that was told to it, and that whatever anybody did before has come to its end.
    ///
    /// Whoever notes this has waited for that: with the [test kit](crate::testing::settle) on a paused clock, or by what others were answered.
    pub fn settled(&self) {
        self.note(|_| What::Settled);
    }

    /// Notes what a session was told, once it has been taken from its outbox.
    ///
    /// A join that is under way when this comes is taken to be granted by it: a session has one at a time to a room.
    pub fn event(&self, event: &Event) {
        let Some(room) = event.room().cloned() else { return };
        let told = match event.kind() {
            EventKind::Joined(cut) => {
                let call = self.join_under_way(&room);
                Told::Joined { call, room, cut: Arc::clone(cut) }
            }
            EventKind::Message(message) => Told::Message { room, message: Arc::clone(message) },
            EventKind::Redacted { seq, .. } => Told::Redacted { room, seq: *seq },
            EventKind::Presence { joined, left } => {
                Told::Presence { room, joined: joined.clone(), left: left.clone() }
            }
            EventKind::Signal { user, .. } => Told::Signal { room, user: user.clone() },
            EventKind::Removed { .. } => Told::Removed { room },
            // A page does not say after whom it begins, and a notice belongs to no room.
            EventKind::Members { .. } | EventKind::Notice { .. } => return,
        };
        self.told(told);
    }

    /// The newest request to join this room that has not been answered: an earlier one was given up.
    fn join_under_way(&self, at: &RoomName) -> Option<u64> {
        let log = lock(&self.log);
        let mut answered = Vec::new();
        for step in log.steps.iter().rev() {
            match &step.what {
                What::Answered { call, .. } => answered.push(*call),
                What::Told(Told::Joined { room, .. }) if room == at => return None,
                What::Asked { call, request: Request::Join { room, .. } }
                    if room == at && !answered.contains(call) =>
                {
                    return Some(*call);
                }
                _ => {}
            }
        }
        None
    }

    fn note(&self, what: impl FnOnce(u64) -> What) -> u64 {
        let mut log = lock(&self.log);
        let at = self.notes.now();
        log.steps.push(Step { at, bytes: None, what: what(at) });
        at
    }
}

/// What a call returned that has nothing to give but that it was done.
impl From<&Result<(), Error>> for Outcome {
    fn from(result: &Result<(), Error>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => error.into(),
        }
    }
}

impl From<&Result<crate::Sent, Error>> for Outcome {
    fn from(result: &Result<crate::Sent, Error>) -> Self {
        match result {
            Ok(sent) => Self::Sent { seq: sent.seq, duplicate: sent.duplicate },
            Err(error) => error.into(),
        }
    }
}

impl From<&Result<crate::Page, Error>> for Outcome {
    fn from(result: &Result<crate::Page, Error>) -> Self {
        match result {
            Ok(page) => Self::History(page.clone()),
            Err(error) => error.into(),
        }
    }
}

impl From<&Error> for Outcome {
    fn from(error: &Error) -> Self {
        match error {
            Error::OutcomeUnknown => Self::Unknown,
            refused => Self::Refused { code: refused.code().into() },
        }
    }
}
