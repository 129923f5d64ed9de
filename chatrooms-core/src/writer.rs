//! The way of a message from its sender to the store and from there to the room.
//!
//! Store work is never awaited in a future that a client can cancel: it runs in the room's own writer, one batch at a time, and
//! whoever asked for it holds a receipt.

use std::time::Duration;

use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use crate::{
    Appended, Budget, Draft, Error, Life, Message, Nonce, Receipt, Redaction, Sent, Session,
    StoreError, UserName,
    live::Live,
    reading::read,
    room::Room,
    sanctions::Mark,
    shared::Shared,
    sync::{Arc, after, in_a_task, yield_once},
    writes::{Answer, Batch, Job, Redact},
};

/// How much longer than its deadline a write that has begun may take to say what became of it.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// So many batches in a row, then others may run: whoever started the writer must not go on writing for everybody else for ever.
const IN_A_ROW: u32 = 16;
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

impl Room {
    /// Queues a draft, where its author may say something here.
    pub(crate) fn submit(
        self: &Arc<Self>,
        author: Author<'_>,
        draft: Draft,
        shared: &Arc<Shared>,
    ) -> Result<Receipt<Sent>, Error> {
        let (sender, outcome) = oneshot::channel();
        self.queue(author, outcome, shared, |live| {
            author.may_speak(live, draft.nonce.as_ref())?;
            let mark = author.user().and_then(|user| live.sanctions.mark(user));
            let mark = mark.filter(|mark| !live.has_said(&mark.user, draft.nonce.as_ref()));
            Ok((Job::Append(draft, Answer { sender, mark: mark.clone() }), mark))
        })
    }

    /// Queues a redaction.
    pub(crate) fn submit_redaction(
        self: &Arc<Self>,
        author: Author<'_>,
        redact: Redact,
        shared: &Arc<Shared>,
    ) -> Result<Receipt<()>, Error> {
        let (sender, outcome) = oneshot::channel();
        self.queue(author, outcome, shared, |_| Ok((Job::Redact(redact, sender), None)))
    }

    /// A store that answers at once has answered when this returns; with any other the work goes on in a task.
    fn queue<T>(
        self: &Arc<Self>,
        author: Author<'_>,
        outcome: oneshot::Receiver<Result<T, Error>>,
        shared: &Arc<Shared>,
        job: impl FnOnce(&mut Live) -> Result<(Job, Option<Mark>), Error>,
    ) -> Result<Receipt<T>, Error> {
        let most = shared.config.store_queue;
        let deadline = after(shared.config.store_timeout);
        let queued = self.live(|live| {
            author.is_heard(live)?;
            let (job, mark) = job(live)?;
            let queued = live.writes.push(job, deadline, most)?;
            if let Some(mark) = mark {
                live.sanctions.speaks(mark);
            }
            Ok(queued)
        });
        let (ticket, start) = queued.unwrap_or_else(|| Err(author.room_gone()))?;
        if start {
            match author {
                Author::Session(session) => session.corked().begin(self, shared),
                Author::Visitor(_) | Author::Host => self.write(shared),
            }
        }
        Ok(Receipt::new(outcome, Arc::clone(self), ticket, deadline))
    }

    /// Writes what is queued, until nothing is.
    pub(crate) fn write(self: &Arc<Self>, shared: &Arc<Shared>) {
        shared.run_detached(&self.runtime, write(Arc::clone(self), Arc::clone(shared)));
    }

    /// Whether this author could say something as things stand.
    pub(crate) fn may_speak(&self, author: Author<'_>, nonce: Option<&Nonce>) -> Result<(), Error> {
        self.live(|live| author.may_speak(live, nonce)).unwrap_or(Ok(()))
    }

    fn next_batch(&self) -> Option<(Life, Batch)> {
        self.live(|live| Some((live.life.clone(), live.writes.next_batch()?))).flatten()
    }

    fn head(&self) -> Option<u64> {
        self.live(|live| live.head)
    }
}

/// On whose word something is written, whatever a policy has made of its author's name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Author<'a> {
    /// Somebody's who is in the room.
    Session(&'a Session),
    /// Somebody's who need not be.
    Visitor(&'a UserName),
    /// The host's.
    Host,
}

impl<'a> Author<'a> {
    fn user(self) -> Option<&'a UserName> {
        match self {
            Self::Session(session) => Some(session.identity().user()),
            Self::Visitor(user) => Some(user),
            Self::Host => None,
        }
    }

    fn is_heard(self, live: &Live) -> Result<(), Error> {
        let is_heard = match self {
            Self::Session(session) => live.roster.contains(session.peer().user(), session.id()),
            Self::Visitor(_) | Self::Host => !live.roster.is_empty(),
        };
        if is_heard { Ok(()) } else { Err(self.room_gone()) }
    }

    /// A message that was said before may be sent again at any time, to learn what became of it.
    fn may_speak(self, live: &Live, nonce: Option<&Nonce>) -> Result<(), Error> {
        let Some(user) = self.user() else { return Ok(()) };
        if live.sanctions.bans.holds(user) {
            return Err(Error::Banned);
        }
        match live.sanctions.may_speak(user) {
            Err(Error::SlowMode { .. }) if live.has_said(user, nonce) => Ok(()),
            outcome => outcome,
        }
    }

    const fn room_gone(self) -> Error {
        match self {
            Self::Session(..) => Error::NotInRoom,
            Self::Visitor(_) | Self::Host => Error::NotFound,
        }
    }
}

async fn write(room: Arc<Room>, shared: Arc<Shared>) {
    let mut batches = 0_u32;
    while let Some((life, batch)) = room.next_batch() {
        let writer = Writer { room: &room, shared: &shared, life: &life };
        match batch {
            Batch::Append { drafts, outcomes, deadline } => {
                let oldest = writer.append(drafts, outcomes, deadline).await;
                writer.trim(oldest).await;
            }
            Batch::Redact(redact, outcome) => {
                // Whoever asked may have gone.
                let _ = outcome.send(writer.redact(redact).await);
            }
        }
        batches += 1;
        if batches.is_multiple_of(IN_A_ROW) {
            yield_once().await;
        }
    }
}

/// The only one that writes to a life.
struct Writer<'a> {
    room: &'a Arc<Room>,
    shared: &'a Arc<Shared>,
    life: &'a Life,
}

impl Writer<'_> {
    /// Appends, delivers and answers; returns the oldest message that is kept.
    async fn append(&self, drafts: Vec<Draft>, outcomes: Vec<Answer>, deadline: Instant) -> u64 {
        let results = self.shared.store.append(self.life, drafts, deadline).await;
        let mut fresh = Fresh::default();
        // A store that breaks its promise may give fewer results than it got drafts.
        let mut results = results.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let answers: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| (outcome, fresh.note(results.next().flatten())))
            .collect();
        self.unspeak(&answers);
        let oldest = fresh.oldest;
        self.deliver(fresh).await;
        for (outcome, answer) in answers {
            // Whoever asked may have gone.
            let _ = outcome.sender.send(answer);
        }
        oldest
    }

    /// Who has said nothing new need not wait for their next message.
    fn unspeak(&self, answers: &[(Answer, Result<Sent, Error>)]) {
        let is_nothing_new =
            |answer: &Result<Sent, Error>| !matches!(answer, Ok(sent) if !sent.duplicate);
        let mut unspoken = answers
            .iter()
            .filter(|(_, answer)| is_nothing_new(answer))
            .filter_map(|(outcome, _)| outcome.mark.as_ref())
            .peekable();
        if unspoken.peek().is_some() {
            self.room.live(|live| unspoken.for_each(|mark| live.sanctions.unspeaks(mark)));
        }
    }

    /// Delivers what the store has accepted. Where messages are missing in between, such as those whose outcome was unknown, they
    /// are read first, because nobody ever sees a gap.
    async fn deliver(&self, fresh: Fresh) {
        let Some(head) = self.room.head() else { return };
        let is_dense =
            fresh.messages.iter().zip(head + 1..).all(|(message, seq)| message.seq == seq);
        // A duplicate may name a message whose outcome was unknown too.
        if !is_dense || fresh.messages.is_empty() {
            Box::pin(self.catch_up(fresh.newest)).await;
        }
        // In a life that is over what is missing comes no more.
        let is_next = |head| fresh.messages.first().is_none_or(|first| first.seq <= head + 1);
        if self.room.head().is_some_and(is_next) {
            self.room.deliver(fresh.messages, self.shared);
        }
        if fresh.is_unsure {
            // Only to heal at once what has just been stored after all: the next message would do it too.
            let _ = Box::pin(self.read_on()).await;
        }
    }

    /// Reads from the store what has not been delivered, up to `newest`.
    async fn catch_up(&self, newest: u64) {
        let mut retry = FIRST_RETRY;
        while self.room.head().is_some_and(|head| head < newest) {
            match self.read_on().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(Unread) => {
                    in_a_task().await;
                    sleep(retry).await;
                    retry = (retry * 2).min(LAST_RETRY);
                }
            }
        }
    }

    /// Delivers the next page of what has not been delivered; says whether there was something.
    async fn read_on(&self) -> Result<bool, Unread> {
        let Some(head) = self.room.head() else { return Ok(false) };
        let config = &self.shared.config;
        let budget = Budget { messages: config.history.max(1), bytes: config.half_reply() };
        let page = read(self.shared, self.life, async {
            self.shared.store.read_after(self.life, head, budget).await
        });
        match page.await {
            Ok(page) => {
                let is_something = !page.messages.is_empty();
                self.room.deliver(page.messages, self.shared);
                Ok(is_something)
            }
            Err(Error::NotFound) => Ok(false),
            Err(_) => Err(Unread),
        }
    }

    async fn redact(&self, redact: Redact) -> Result<(), Error> {
        // What nobody has seen cannot be taken back: a redaction never comes before its message.
        if self.room.head().is_none_or(|head| redact.seq > head) {
            return Err(Error::NotFound);
        }
        let (author, by) = (redact.author.as_ref(), redact.by.as_ref());
        match self.shared.store.redact(self.life, redact.seq, author, by).await {
            Ok(Redaction::Done | Redaction::Already) => {
                self.room.redacted(redact.seq, redact.by, self.shared);
                Ok(())
            }
            Ok(Redaction::NotFound) => Err(Error::NotFound),
            Ok(Redaction::NotAuthor) => Err(Error::Forbidden),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Forgets the oldest eighth of a full room's messages, so that it is not trimmed again at the next message.
    async fn trim(&self, oldest: u64) {
        let excess = self.room.live(|live| {
            live.trimmed(oldest);
            let keep = live.rules.keep as u64;
            let kept = (live.head + 1).saturating_sub(live.oldest);
            (kept > keep).then(|| live.head - (keep - keep / 8))
        });
        let Some(up_to) = excess.flatten() else { return };
        // Where that fails, the next message has it tried again.
        if self.shared.store.trim(self.life, up_to).await.is_ok() {
            self.room.live(|live| live.trimmed(up_to + 1));
        }
    }
}

/// The store could not be read.
struct Unread;

/// What a batch has brought.
#[derive(Default)]
struct Fresh {
    messages: Vec<Arc<Message>>,
    /// The oldest message that is kept.
    oldest: u64,
    /// The newest message that anybody is told of.
    newest: u64,
    /// Whether it is open what became of something.
    is_unsure: bool,
}

impl Fresh {
    /// Notes what became of a draft; returns what its sender is told.
    fn note(&mut self, result: Option<Result<Appended, StoreError>>) -> Result<Sent, Error> {
        match result {
            Some(Ok(Appended::Stored { message, oldest })) => {
                let sent = Sent::new(message.seq, message.at, false);
                self.newest = self.newest.max(message.seq);
                self.oldest = oldest;
                self.messages.push(message);
                Ok(sent)
            }
            Some(Ok(Appended::Duplicate { seq, at })) => {
                self.newest = self.newest.max(seq);
                Ok(Sent::new(seq, at, true))
            }
            Some(Err(error)) => {
                self.is_unsure |= matches!(error, StoreError::OutcomeUnknown { .. });
                Err(refusal(error))
            }
            None => {
                self.is_unsure = true;
                Err(Error::OutcomeUnknown)
            }
        }
    }
}

fn refusal(error: StoreError) -> Error {
    match error {
        StoreError::Closed => Error::NotInRoom,
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{RoomName, RoomRegistry, sync::Handle, testing::QUICK_BLOCK};

    use super::*;

    #[tokio::test]
    async fn what_writes_comes_from_the_allocators_quick_lists() {
        let registry = RoomRegistry::new();
        let room = Room::new(RoomName::new("tea").unwrap(), Handle::current());
        let writes = write(Arc::new(room), Arc::clone(registry.shared()));
        assert!(size_of_val(&writes) <= QUICK_BLOCK, "{} bytes", size_of_val(&writes));
    }
}
