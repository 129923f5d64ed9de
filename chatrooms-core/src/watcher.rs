//! What rooms tell those who watch them.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::{PoisonError, atomic::Ordering},
    task::{Poll, Waker},
};

use crate::{
    Config, RoomEvent, RoomName,
    effects::Effects,
    sync::{Arc, AtomicBool, Mutex, RwLock, lock},
};

/// What rooms share with a [`Watch`]: the bounded queue of what it is still to be told.
#[derive(Debug)]
pub(crate) struct Watcher {
    /// A leaf in the order of locks: held for one push or one take.
    state: Mutex<Waiting>,
    events: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<RoomEvent>,
    bytes: usize,
    /// Nothing is put into the queue any more.
    is_closed: bool,
    reader: Option<Waker>,
}

impl Watcher {
    fn new(config: &Config) -> Self {
        Self { state: Mutex::default(), events: config.watch_events, bytes: config.watch_bytes }
    }

    /// Puts an event behind what waits already; over the bound, all of that is lost and nothing more is taken. Returns whom to wake, and whether the
    /// bound was this event.
    pub(crate) fn push(&self, event: RoomEvent) -> (Option<Waker>, bool) {
        let mut state = lock(&self.state);
        if state.is_closed {
            return (None, false);
        }
        state.bytes += event.cost();
        state.queue.push_back(event);
        let lags = state.queue.len() > self.events || state.bytes > self.bytes;
        if lags {
            state.queue = VecDeque::from([RoomEvent::Lagged]);
            state.is_closed = true;
        }
        (state.reader.take(), lags)
    }

    pub(crate) async fn next(&self) -> Option<RoomEvent> {
        poll_fn(|context| {
            let mut state = lock(&self.state);
            if let Some(event) = state.queue.pop_front() {
                state.bytes = state.bytes.saturating_sub(event.cost());
                return Poll::Ready(Some(event));
            }
            if state.is_closed {
                return Poll::Ready(None);
            }
            state.reader = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    /// Nobody takes anything any more.
    pub(crate) fn end(&self) {
        let waiting = {
            let mut state = lock(&self.state);
            state.is_closed = true;
            std::mem::take(&mut state.queue)
        };
        drop(waiting);
    }

    /// Nothing more comes; what waits can still be taken.
    pub(crate) fn close(&self) {
        let reader = {
            let mut state = lock(&self.state);
            state.is_closed = true;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

/// All watchers, for the rooms that open.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    /// A leaf in the order of locks: taken under a room's lock to read, never over an await.
    lists: RwLock<Lists>,
    /// Whether anybody has ever watched: where not, a room that opens need not look. Whoever begins to is in the lists first and goes to each open room then, under its lock.
    are_any: AtomicBool,
}

#[derive(Debug, Default)]
struct Lists {
    of_all: Vec<Arc<Watcher>>,
    of_one: HashMap<RoomName, Vec<Arc<Watcher>>>,
    /// The registry has shut down: nothing more will happen.
    are_closed: bool,
}

impl Watchers {
    /// Those who watch a room of that name.
    pub(crate) fn of(&self, room: &RoomName) -> Vec<Arc<Watcher>> {
        if !self.are_any.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let of_one = lists.of_one.get(room).into_iter().flatten();
        lists.of_all.iter().chain(of_one).cloned().collect()
    }

    pub(crate) fn add(&self, of: Option<&RoomName>, config: &Config) -> Arc<Watcher> {
        let watcher = Arc::new(Watcher::new(config));
        let is_over = self.change(|lists| {
            lists.of(of).push(Arc::clone(&watcher));
            lists.are_closed
        });
        self.are_any.store(true, Ordering::Relaxed);
        if is_over {
            watcher.close();
        }
        watcher
    }

    pub(crate) fn remove(&self, of: Option<&RoomName>, watcher: &Arc<Watcher>) {
        self.change(|lists| {
            let list = lists.of(of);
            list.retain(|other| !Arc::ptr_eq(other, watcher));
            if let Some(room) = of
                && list.is_empty()
            {
                lists.of_one.remove(room);
            }
        });
    }

    /// Nothing more will happen.
    pub(crate) fn close(&self) {
        let everybody: Vec<_> = self.change(|lists| {
            lists.are_closed = true;
            lists.of_all.iter().chain(lists.of_one.values().flatten()).cloned().collect()
        });
        everybody.iter().for_each(|watcher| watcher.close());
    }

    fn change<T>(&self, change: impl FnOnce(&mut Lists) -> T) -> T {
        change(&mut self.lists.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lists {
    fn of(&mut self, room: Option<&RoomName>) -> &mut Vec<Arc<Watcher>> {
        match room {
            Some(room) => self.of_one.entry(room.clone()).or_default(),
            None => &mut self.of_all,
        }
    }
}

/// Those who watch one life of a room. It stands under the room's lock.
#[derive(Debug, Default)]
pub(crate) struct Audience(Vec<Arc<Watcher>>);

impl Audience {
    pub(crate) const fn new(watchers: Vec<Arc<Watcher>>) -> Self {
        Self(watchers)
    }

    /// Adds one more; says whether it was not here already.
    pub(crate) fn add(&mut self, watcher: &Arc<Watcher>) -> bool {
        self.0.retain(|other| !other.is_closed());
        let is_new = !self.0.iter().any(|other| Arc::ptr_eq(other, watcher));
        if is_new {
            self.0.push(Arc::clone(watcher));
        }
        is_new
    }

    /// Tells everybody; the event is made only where somebody listens.
    pub(crate) fn tell(&mut self, effects: &mut Effects, event: impl FnOnce() -> RoomEvent) {
        if self.0.is_empty() {
            return;
        }
        self.0.retain(|watcher| !watcher.is_closed());
        let event = event();
        for watcher in &self.0 {
            let (wake, lags) = watcher.push(event.clone());
            effects.told(wake, lags);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoomRegistry;

    impl Watchers {
        fn count(&self) -> (usize, usize) {
            self.change(|lists| (lists.of_all.len(), lists.of_one.len()))
        }
    }

    #[tokio::test]
    async fn nobody_is_kept_who_watches_no_more() {
        let config = Config { watch_events: 0, ..Config::default() };
        let registry = RoomRegistry::builder().config(config).build();
        let watchers = &registry.shared().watchers;
        let lobby = RoomName::new("lobby").unwrap();
        let (mut all, one) = (registry.watch_all(), registry.watch(&lobby));
        assert_eq!(watchers.count(), (1, 1));
        let _ = watchers.of(&lobby)[0].push(RoomEvent::Lagged);
        assert!(matches!(all.next().await, Some(RoomEvent::Lagged)));
        assert_eq!(watchers.count(), (1, 1), "it began anew");
        drop((all, one));
        assert_eq!(watchers.count(), (0, 0));
    }

    #[test]
    fn an_audience_loses_those_who_have_gone() {
        let config = Config::default();
        let (stays, goes) = (Arc::new(Watcher::new(&config)), Arc::new(Watcher::new(&config)));
        let mut audience = Audience::new(vec![Arc::clone(&stays), Arc::clone(&goes)]);
        assert!(!audience.add(&stays), "it is here already");
        goes.close();
        let mut effects = Effects::default();
        audience.tell(&mut effects, || RoomEvent::Lagged);
        assert_eq!(audience.0.len(), 1);
        stays.close();
        assert!(audience.add(&Arc::new(Watcher::new(&config))));
        assert_eq!(audience.0.len(), 1);
    }
}
