//! The bounded queue of what one session is still to be told.

use std::{
    collections::VecDeque,
    future::poll_fn,
    mem,
    ops::Deref,
    pin::pin,
    slice,
    sync::atomic::{AtomicU64, Ordering},
    task::{Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use tokio::time::Instant;

use crate::{
    AnswerFrame, Bundle, CloseReason, Config, Event, EventKind,
    answer::Account,
    backlog::Backlog,
    peer::Peer,
    sync::{Arc, AtomicBool, Mutex, lock, millis},
};

/// One thing to tell a session.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// Something that happened in a room.
    Event(Arc<Event>),
    /// Several things that happened in a room at once.
    Bundle(Arc<Bundle>),
    /// An answer to this session alone. Behind a pointer because nearly everything that waits is no answer, and a queue is as large as the largest thing that can wait
    /// in it.
    Answer(Arc<AnswerFrame>),
}

impl Outgoing {
    /// These events, of which there is at least one, as one thing to tell.
    pub(crate) fn of(events: &[Arc<Event>]) -> Self {
        match events {
            [event] => Self::Event(Arc::clone(event)),
            several => Self::Bundle(Bundle::new(several)),
        }
    }

    /// What happened; nothing in an answer.
    #[must_use]
    pub fn events(&self) -> &[Arc<Event>] {
        match self {
            Self::Event(event) => slice::from_ref(event),
            Self::Bundle(bundle) => bundle.events(),
            Self::Answer(_) => &[],
        }
    }

    /// The same one by one: each of a bundle's events by itself.
    pub fn apart(self) -> impl Iterator<Item = Self> {
        let (whole, bundle) = match self {
            Self::Bundle(bundle) => (None, Some(bundle)),
            single => (Some(single), None),
        };
        let count = bundle.as_ref().map_or(0, |bundle| bundle.events().len());
        let events = (0..count).filter_map(move |at| {
            bundle.as_ref().map(|bundle| Self::Event(Arc::clone(&bundle.events()[at])))
        });
        whole.into_iter().chain(events)
    }

    fn cost(&self) -> usize {
        match self {
            Self::Event(event) => event.cost(),
            Self::Bundle(bundle) => bundle.cost(),
            Self::Answer(answer) => answer.len(),
        }
    }

    /// How many frames it makes: a bundle one for each event.
    #[must_use]
    pub fn frames(&self) -> usize {
        match self {
            Self::Event(_) | Self::Answer(_) => 1,
            Self::Bundle(bundle) => bundle.events().len(),
        }
    }

    fn is_signal(&self) -> bool {
        matches!(self, Self::Event(event) if matches!(event.kind(), EventKind::Signal { .. }))
    }
}

/// The bounded queue of what one session is still to be told, and how the session ended.
///
/// Messages are never dropped silently: an outbox over its bound is closed as [`CloseReason::SlowConsumer`]. Signals
/// are dropped once a quarter of the bound waits.
#[derive(Debug)]
pub struct Outbox {
    /// A leaf in the order of locks: held for one push or one take, never while another is taken, never over an await.
    state: Mutex<State>,
    /// Set with `state.closed`, so that whoever asks an open one, as everything does that goes on for it, need not wait for its lock.
    is_closed: AtomicBool,
    bounds: Bounds,
    meter: Meter,
    /// What waits in all outboxes. Changed by as much as `state.bytes`, once its lock is free.
    backlog: Arc<Backlog>,
    /// The session's answers: those that wait here, and those that have been taken and are still being written.
    answers: Arc<Account>,
}

/// Notes when a client last took something. Whoever sees bytes go into its socket holds a clone.
#[derive(Clone, Debug)]
pub struct Meter {
    born: Instant,
    /// Milliseconds since `born`. Not under the outbox's lock because a socket has nothing to push or take when it writes.
    last: Arc<AtomicU64>,
}

impl Meter {
    fn new() -> Self {
        Self { born: Instant::now(), last: Arc::default() }
    }

    /// Notes that the client took something: at least a byte went into its socket.
    pub fn progress(&self) {
        self.last.store(millis(self.born.elapsed()), Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.born + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

/// A session's outbox, for somebody who may outlast the session: it is closed then.
#[derive(Clone, Debug)]
pub struct OwnedOutbox(Arc<Peer>);

impl OwnedOutbox {
    pub(crate) fn new(peer: &Arc<Peer>) -> Self {
        Self(Arc::clone(peer))
    }
}

impl Deref for OwnedOutbox {
    type Target = Outbox;

    fn deref(&self) -> &Outbox {
        &self.0.outbox
    }
}

#[derive(Debug)]
struct Bounds {
    bytes: usize,
    frames: usize,
    stall: Duration,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Outgoing>,
    /// How many frames `queue` makes.
    frames: usize,
    /// How many things were last taken with the queue's buffer: as many are expected next time.
    last_batch: usize,
    bytes: usize,
    /// Since when more than half of the bound has been waiting without a break.
    crowded_since: Option<Instant>,
    closed: Option<CloseReason>,
    reader: Option<Waker>,
    /// Waking `reader` is a write, and not only the turn of a task.
    writes: bool,
}

/// A queue with space for more than so many has had a burst, which says nothing about what comes next.
const LARGE: usize = 64;

/// What a push did, for the room that pushes: it holds a lock, so that waking and ending come later.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    pub(crate) wake: Option<Waker>,
    /// Waking it is a write.
    pub(crate) writes: bool,
    /// The session is over its bound; somebody has to end its memberships.
    pub(crate) overflowed: bool,
    /// How many frames wait that did not before.
    pub(crate) queued: u64,
    /// How many signals found no place.
    pub(crate) dropped: u64,
    /// By how many bytes more is waiting, which somebody has to count.
    pub(crate) bytes: i64,
}

impl Outbox {
    pub(crate) fn new(config: &Config, backlog: Arc<Backlog>) -> Self {
        backlog.enter();
        Self {
            state: Mutex::default(),
            is_closed: AtomicBool::new(false),
            bounds: Bounds {
                bytes: config.outbox_bytes,
                frames: config.outbox_frames,
                stall: config.outbox_stall,
            },
            meter: Meter::new(),
            answers: Arc::new(Account::new(Arc::clone(&backlog))),
            backlog,
        }
    }

    /// What notes that the client took something.
    #[must_use]
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Puts an encoded answer behind what waits already.
    pub fn answer(&self, frame: Bytes) {
        // An overflow here is found by the task that is answering: it drives this session and sees it closed.
        let pushed = self.push(self.counted(frame));
        self.tell(pushed.bytes, pushed.wake);
    }

    /// Puts an encoded answer before all that waits: for the first thing that a client is to read. A session can be told things from the moment it is open, such as a
    /// [notice](crate::RoomRegistry::notify), and whoever drives it begins later.
    pub fn answer_first(&self, frame: Bytes) {
        let answer = self.counted(frame);
        let (bytes, reader) = {
            let mut state = lock(&self.state);
            if state.closed.is_some() {
                return;
            }
            let before = state.bytes;
            state.push_front(answer);
            (change(before, state.bytes), state.reader.take())
        };
        self.tell(bytes, reader);
    }

    fn counted(&self, frame: Bytes) -> Outgoing {
        Outgoing::Answer(Arc::new(AnswerFrame::counted(frame, &self.answers)))
    }

    /// Counts by how many bytes more is waiting, and wakes whoever waits for a change. Out of the lock: what wakes a task is the host's code.
    fn tell(&self, bytes: i64, reader: Option<Waker>) {
        self.backlog.change(bytes);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(crate) fn push(&self, item: Outgoing) -> Pushed {
        let mut state = lock(&self.state);
        if state.closed.is_some() {
            return Pushed::default();
        }
        let mut pushed = Pushed::default();
        let before = state.bytes;
        if item.is_signal() && self.is_over(&state, 4) {
            pushed.dropped = 1;
        } else {
            pushed.queued = item.frames() as u64;
            state.push(item);
        }
        self.note_crowd(&mut state);
        pushed.overflowed = self.is_over(&state, 1)
            || state.bytes > self.backlog.share()
            || self.answers.is_over()
            || self.has_stalled(&state);
        if pushed.overflowed {
            self.end(&mut state, CloseReason::SlowConsumer);
            pushed.queued = 0;
        }
        pushed.bytes = change(before, state.bytes);
        pushed.wake = state.reader.take();
        pushed.writes = state.writes;
        pushed
    }

    /// Takes what wakes whoever waits to take something. Something has to be pushed then, and whoever waits to be woken.
    pub(crate) fn sleeper(&self) -> Option<Waker> {
        lock(&self.state).reader.take()
    }

    /// Whether more waits than one `part`-th of the bound.
    fn is_over(&self, state: &State, part: usize) -> bool {
        state.bytes > self.bounds.bytes / part || state.frames > self.bounds.frames / part
    }

    fn note_crowd(&self, state: &mut State) {
        if !self.is_over(state, 2) {
            state.crowded_since = None;
        } else if state.crowded_since.is_none() {
            state.crowded_since = Some(Instant::now());
        }
    }

    /// When the client will have taken nothing for too long, where half of the bound waits for it. What it did not take while
    /// nothing much was there for it does not count.
    fn stalls_at(&self, state: &State) -> Option<Instant> {
        let idle_since = self.meter.last().max(state.crowded_since?);
        idle_since.checked_add(self.bounds.stall)
    }

    fn has_stalled(&self, state: &State) -> bool {
        self.stalls_at(state).is_some_and(|at| at <= Instant::now())
    }

    /// Waits until the outbox is closed, for whatever reason, without taking anything: for a writer that is stuck. A client that takes nothing for
    /// [`Config::outbox_stall`] while half of the bound waits is closed as slow meanwhile.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it. Not to be awaited together with [`take`](Self::take).
    pub async fn closing(&self) -> CloseReason {
        loop {
            let stalls_at = match self.crowded().await {
                Ok(stalls_at) => stalls_at,
                Err(reason) => return reason,
            };
            let stalled = pin!(tokio::time::sleep_until(stalls_at));
            if let Either::Left((reason, _)) = select(pin!(self.until_closed()), stalled).await {
                return reason;
            }
            let freed = {
                let mut state = lock(&self.state);
                let before = state.bytes;
                if self.has_stalled(&state) {
                    self.end(&mut state, CloseReason::SlowConsumer);
                }
                change(before, state.bytes)
            };
            self.backlog.change(freed);
        }
    }

    /// Waits until half of the bound waits; says when the client will have stalled if it goes on like this.
    async fn crowded(&self) -> Result<Instant, CloseReason> {
        self.watch(|state| match &state.closed {
            Some(reason) => Some(Err(reason.clone())),
            None => self.stalls_at(state).map(Ok),
        })
        .await
    }

    async fn until_closed(&self) -> CloseReason {
        self.watch(|state| state.closed.clone()).await
    }

    /// Waits until something is there and moves it to the end of `batch`, in order: one item at least, and no more once `bytes` are reached. A bundle is one item.
    ///
    /// # Errors
    /// The reason, once the outbox is closed and all that waited before has been taken.
    ///
    /// # Cancel safety
    /// Nothing is taken unless it completes. One task at a time may wait.
    pub async fn take(&self, batch: &mut Vec<Outgoing>, bytes: usize) -> Result<(), CloseReason> {
        let taken = self.watch(|state| {
            if state.queue.is_empty() {
                return state.closed.clone().map(Err);
            }
            Some(Ok(self.take_from(state, batch, bytes)))
        });
        self.backlog.change(taken.await?);
        Ok(())
    }

    /// Waits until something is there or the outbox is closed; says how many frames are there.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it. One task at a time may wait.
    pub async fn filled(&self) -> usize {
        self.watch(|state| {
            let is_something = !state.queue.is_empty() || state.closed.is_some();
            is_something.then_some(state.frames)
        })
        .await
    }

    /// Has this woken by whatever comes next, once; says whether there is anything to wait for. There is not where something is there already, or the outbox is closed.
    ///
    /// In place of a task that waits: one of both at a time. Unlike a task's waker it may take its time, such as for a write: where many are to be woken, several tasks share in it.
    pub fn write_next(&self, waker: Waker) -> bool {
        let mut state = lock(&self.state);
        let waits = state.queue.is_empty() && state.closed.is_none();
        if waits {
            state.reader = Some(waker);
            state.writes = true;
        }
        waits
    }

    /// Takes what is there now, up to `bytes`, without waiting.
    pub fn try_take(&self, batch: &mut Vec<Outgoing>, bytes: usize) {
        let taken = self.take_from(&mut lock(&self.state), batch, bytes);
        self.backlog.change(taken);
    }

    /// Returns by how many bytes that changes what waits.
    fn take_from(&self, state: &mut State, batch: &mut Vec<Outgoing>, bytes: usize) -> i64 {
        let before = state.bytes;
        state.take(batch, bytes);
        self.note_crowd(state);
        change(before, state.bytes)
    }

    /// Waits until the state gives an answer; every push and the end have it asked again.
    async fn watch<T>(&self, mut ask: impl FnMut(&mut State) -> Option<T>) -> T {
        poll_fn(|context| {
            let mut state = lock(&self.state);
            if let Some(answer) = ask(&mut state) {
                return Poll::Ready(answer);
            }
            state.reader = Some(context.waker().clone());
            state.writes = false;
            Poll::Pending
        })
        .await
    }

    /// Ends the queue: nothing is accepted any more. What waits already can still be taken, except where the client is too slow
    /// for it. The first reason stands.
    ///
    /// The session stays in its rooms until it is dropped; [`Session::close`](crate::Session::close) takes it out of them at once.
    pub fn close(&self, reason: CloseReason) {
        let (freed, reader) = {
            let mut state = lock(&self.state);
            let before = state.bytes;
            self.end(&mut state, reason);
            (change(before, state.bytes), state.reader.take())
        };
        self.tell(freed, reader);
    }

    fn end(&self, state: &mut State, reason: CloseReason) {
        state.close(reason);
        self.is_closed.store(true, Ordering::Release);
    }

    /// Why it has ended, where it has.
    #[must_use]
    pub fn closed(&self) -> Option<CloseReason> {
        if self.is_closed.load(Ordering::Acquire) { lock(&self.state).closed.clone() } else { None }
    }

    /// How many frames wait, and their bytes.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.frames, state.bytes)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let left = lock(&self.state).bytes;
        self.backlog.change(change(left, 0));
        self.backlog.exit();
    }
}

/// No queue comes near the bound of this.
fn change(before: usize, after: usize) -> i64 {
    after as i64 - before as i64
}

impl State {
    fn push(&mut self, item: Outgoing) {
        if self.queue.capacity() == 0 {
            self.queue.reserve(self.last_batch.min(LARGE));
        }
        self.bytes += item.cost();
        self.frames += item.frames();
        self.queue.push_back(item);
    }

    fn push_front(&mut self, item: Outgoing) {
        self.bytes += item.cost();
        self.frames += item.frames();
        self.queue.push_front(item);
    }

    fn take(&mut self, batch: &mut Vec<Outgoing>, bytes: usize) {
        if self.bytes <= bytes && batch.is_empty() {
            // With its buffer, so that a session that is idle afterwards has none.
            *batch = mem::take(&mut self.queue).into();
            self.last_batch = batch.len();
            (self.frames, self.bytes) = (0, 0);
            return;
        }
        let mut taken = 0;
        while taken < bytes
            && let Some(item) = self.queue.pop_front()
        {
            taken += item.cost();
            self.frames -= item.frames();
            batch.push(item);
        }
        self.bytes = self.bytes.saturating_sub(taken);
        if self.queue.is_empty() && self.queue.capacity() > LARGE {
            self.queue = VecDeque::new();
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if self.closed.is_some() {
            return;
        }
        if matches!(reason, CloseReason::SlowConsumer | CloseReason::Gone) {
            self.queue = VecDeque::new();
            (self.frames, self.bytes) = (0, 0);
        }
        self.closed = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;
    use crate::{RoomName, UserName, metrics::Metrics};

    /// An outbox that holds 8 frames and 1,000 bytes.
    fn outbox() -> Outbox {
        with(&Config { outbox_frames: 8, outbox_bytes: 1000, ..Config::default() })
    }

    fn with(config: &Config) -> Outbox {
        Outbox::new(config, Arc::new(Backlog::new(config, Metrics::new().outbox_bytes)))
    }

    fn answer(bytes: usize) -> Outgoing {
        Outgoing::Answer(Arc::new(AnswerFrame::new(vec![b'x'; bytes].into())))
    }

    /// Pushes so many answers; says whether the last one was one too many.
    fn fill(outbox: &Outbox, count: usize, bytes: usize) -> bool {
        (0..count).map(|_| outbox.push(answer(bytes)).overflowed).last() == Some(true)
    }

    #[tokio::test]
    async fn those_who_have_gone_have_no_share() {
        let config = Config { outbox_bytes_in_all: 1000, ..Config::default() };
        let backlog = Arc::new(Backlog::new(&config, Metrics::new().outbox_bytes));
        let [stays, goes] = [(); 2].map(|()| Outbox::new(&config, Arc::clone(&backlog)));
        backlog.change(1001);
        assert_eq!(backlog.share(), 500);
        drop(goes);
        assert_eq!(backlog.share(), 1000);
        drop(stays);
    }

    fn signal() -> Outgoing {
        let user = UserName::new("ada").unwrap();
        let kind = EventKind::Signal { user, name: "typing".into(), data: None };
        Outgoing::Event(Event::new(RoomName::new("lobby").unwrap(), kind))
    }

    #[tokio::test]
    async fn whoever_writes_is_woken_once_by_what_comes_next() {
        let outbox = outbox();
        let waker = || Waker::noop().clone();
        assert!(outbox.write_next(waker()));
        let pushed = outbox.push(answer(1));
        assert!(pushed.wake.is_some() && pushed.writes);
        assert!(outbox.push(answer(1)).wake.is_none(), "it was woken already");
        assert!(!outbox.write_next(waker()), "something is there");
        outbox.try_take(&mut Vec::new(), usize::MAX);
        assert!(outbox.filled().now_or_never().is_none());
        let pushed = outbox.push(answer(1));
        assert!(pushed.wake.is_some() && !pushed.writes, "a task waits now");
        outbox.try_take(&mut Vec::new(), usize::MAX);
        outbox.close(CloseReason::LoggedOut);
        assert!(!outbox.write_next(waker()), "it has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_closed_over_either_bound_and_says_so_once() {
        for (count, bytes) in [(8, 1), (4, 250)] {
            let outbox = outbox();
            assert!(!fill(&outbox, count, bytes));
            assert_eq!(outbox.waiting(), (count, count * bytes));
            assert!(outbox.push(answer(1)).overflowed);
            assert_eq!(
                (outbox.waiting(), outbox.closed()),
                ((0, 0), Some(CloseReason::SlowConsumer))
            );
            assert!(!outbox.push(answer(1)).overflowed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_too_much_waits_in_all_a_share_is_what_one_may_have() {
        let config = Config { outbox_bytes_in_all: 10, ..Config::default() };
        let outbox = with(&config);
        // What waits for somebody else.
        outbox.backlog.enter();
        outbox.backlog.change(11);
        assert!(!outbox.push(answer(5)).overflowed);
        assert!(outbox.push(answer(1)).overflowed);
    }

    #[tokio::test(start_paused = true)]
    async fn signals_find_room_in_a_quarter_only() {
        let outbox = outbox();
        fill(&outbox, 2, 1);
        assert_eq!([signal(), signal()].map(|signal| outbox.push(signal).dropped), [0, 1]);
        assert_eq!(outbox.waiting().0, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_before_there_was_much_to_take_is_no_stall() {
        let outbox = outbox();
        advance(Duration::from_secs(60)).await;
        fill(&outbox, 5, 1);
        advance(Duration::from_millis(4999)).await;
        assert!(!outbox.push(answer(1)).overflowed);
        outbox.meter().progress();
        advance(Duration::from_millis(4999)).await;
        assert!(!outbox.push(answer(1)).overflowed);
        advance(Duration::from_millis(1)).await;
        assert!(outbox.push(answer(1)).overflowed);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_the_end_is_woken_by_it() {
        let outbox = outbox();
        let mut closing = pin!(outbox.closing());
        assert!(closing.as_mut().now_or_never().is_none());
        let pushed = outbox.push(answer(1));
        assert!(pushed.wake.is_some(), "it may be crowded now");
        assert!(closing.as_mut().now_or_never().is_none());
        outbox.close(CloseReason::Moved);
        assert_eq!(closing.await, CloseReason::Moved);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waited_for_somebody_who_stalls_is_nobodys_share_any_more() {
        let outbox =
            with(&Config { outbox_frames: 8, outbox_bytes_in_all: 400, ..Config::default() });
        fill(&outbox, 5, 100);
        // As the room counts that pushes it.
        outbox.backlog.change(500);
        assert_eq!(outbox.backlog.share(), 400);
        assert_eq!(outbox.closing().await, CloseReason::SlowConsumer);
        assert_eq!(outbox.backlog.share(), usize::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_come_before_all_that_waits() {
        let outbox = outbox();
        fill(&outbox, 1, 2);
        outbox.answer_first(vec![b'x'; 5].into());
        assert_eq!(outbox.waiting(), (2, 7));
        let mut batch = Vec::new();
        outbox.try_take(&mut batch, 5);
        assert_eq!((batch.len(), batch[0].cost(), outbox.waiting()), (1, 5, (1, 2)));
        outbox.try_take(&mut batch, 1);
        assert_eq!((batch.len(), outbox.waiting()), (2, (0, 0)));
        assert!(outbox.filled().now_or_never().is_none());
        outbox.answer_first(vec![b'x'].into());
        assert!(outbox.sleeper().is_none(), "who waits has been woken");
        outbox.close(CloseReason::Moved);
        outbox.answer_first(vec![b'x'].into());
        assert_eq!(outbox.waiting(), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_how_much_is_there_or_that_nothing_comes_any_more() {
        let outbox = outbox();
        assert_eq!(outbox.filled().now_or_never(), None);
        fill(&outbox, 2, 1);
        assert_eq!(outbox.filled().now_or_never(), Some(2));
        outbox.try_take(&mut Vec::new(), usize::MAX);
        assert_eq!(outbox.filled().now_or_never(), None);
        outbox.close(CloseReason::Moved);
        assert_eq!(outbox.filled().now_or_never(), Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_leaves_no_buffer_behind() {
        let outbox = with(&Config::default());
        for burst in [1, 1000] {
            fill(&outbox, burst, 1);
            let mut batch = Vec::new();
            outbox.take(&mut batch, usize::MAX).await.unwrap();
            assert_eq!((batch.len(), buffer(&outbox)), (burst, 0));
        }
    }

    /// For how many things the queue has space.
    fn buffer(outbox: &Outbox) -> usize {
        lock(&outbox.state).queue.capacity()
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_buffer_is_as_large_as_the_last_batch_unless_that_was_a_burst() {
        let outbox = with(&Config::default());
        for (last, next) in [(10, 10..20), (1000, LARGE..100)] {
            fill(&outbox, last, 1);
            outbox.try_take(&mut Vec::new(), usize::MAX);
            fill(&outbox, 1, 1);
            assert!(next.contains(&buffer(&outbox)), "after {last}: {}", buffer(&outbox));
            outbox.try_take(&mut Vec::new(), usize::MAX);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_is_emptied_bit_by_bit_keeps_its_buffer_unless_that_is_large() {
        for (space, kept) in [(LARGE, LARGE), (LARGE + 1, 0)] {
            let outbox = with(&Config::default());
            lock(&outbox.state).queue = VecDeque::with_capacity(space);
            fill(&outbox, 2, 1);
            let mut batch = Vec::new();
            outbox.try_take(&mut batch, 1);
            assert_eq!(buffer(&outbox), space);
            outbox.try_take(&mut batch, 1);
            assert_eq!((batch.len(), buffer(&outbox)), (2, kept));
        }
    }
}
