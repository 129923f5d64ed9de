//! What all clones of a registry share: the index of rooms, the list of sessions, and the work that outlives its callers.

use std::{
    collections::HashMap,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use dashmap::Entry;
use futures_util::future::BoxFuture;
use tokio::{task::try_id, time::Instant};

use crate::{
    Cluster, Config, Data, Error, Event, EventKind, Life, MessageStore, Opened, Outgoing, RoomName,
    RoomPolicy, RoomRules, SessionId, UserName,
    backlog::Backlog,
    count::Count,
    effects::Effects,
    listing::Listing,
    metrics::Metrics,
    observed_store::ObservedStore,
    opening::{Kept, open},
    orders::Orders,
    peer::Peer,
    rates::Rates,
    room::{Arrival, Room},
    steward::{Errands, attend},
    sweeper::{Owed, Sweeper},
    sync::{AbortOnDropHandle, Arc, Handle, Map, Mutex, TaskTracker, is_done_in_place},
    turns::Turns,
    watcher::Watchers,
    writer::GRACE,
};

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<ObservedStore>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) policy: Option<Arc<dyn RoomPolicy>>,
    /// What other nodes share with this one, where there are any.
    pub(crate) cluster: Option<Arc<dyn Cluster>>,
    /// What this node has to say to the others, where there are any.
    pub(crate) orders: Mutex<Option<Orders>>,
    /// What listens to the other nodes: to their orders, and to who is there no more.
    pub(crate) mourning: Mutex<Vec<AbortOnDropHandle<()>>>,
    /// A mere index: whether a room is over is decided under the room's own lock. No guard of the map is held while another
    /// lock is taken, nor over an await.
    rooms: Map<RoomName, Arc<Room>>,
    listing: Listing,
    room_count: Count,
    /// All sessions, by user. Its guards like those of `rooms`.
    people: Map<UserName, HashMap<SessionId, Arc<Peer>>>,
    session_count: Count,
    pub(crate) watchers: Watchers,
    pub(crate) rates: Rates,
    pub(crate) turns: Turns,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) sweeper: Arc<Sweeper>,
    /// The registry's own work, so that a shutdown can wait for it.
    pub(crate) tasks: TaskTracker,
    pub(crate) kept: Kept,
    /// Not one that a model stops at: it is asked under a guard of `people`, which is a step of its own there.
    stopping: AtomicBool,
}

/// Whether a room was there, and what begins it where it was not: then the one who has looked for it counts as on the way.
enum New {
    No,
    Own,
    Shared(Errands),
}

impl fmt::Debug for Shared {
    // Who is there does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("rooms", &self.room_count())
            .field("sessions", &self.session_count())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        store: Arc<dyn MessageStore>,
        policy: Option<Arc<dyn RoomPolicy>>,
        cluster: Option<Arc<dyn Cluster>>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let store = Arc::new(ObservedStore::new(store, cluster.clone(), metrics.clone()));
        Self {
            rates: Rates::new(&config),
            turns: Turns::new(config.reads_per_user),
            backlog: Arc::new(Backlog::new(&config, metrics.outbox_bytes.clone())),
            config: config.sound(),
            sweeper: Arc::new(Sweeper::new(Arc::clone(&store), Arc::clone(&metrics))),
            store,
            metrics,
            policy,
            cluster,
            orders: Mutex::default(),
            mourning: Mutex::default(),
            rooms: Map::default(),
            listing: Listing::default(),
            room_count: Count::default(),
            people: Map::default(),
            watchers: Watchers::default(),
            session_count: Count::default(),
            tasks: TaskTracker::new(),
            kept: Kept::default(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Finds the live room of that name, or begins one on behalf of a user; of none for the host, who opens no life by that.
    pub(crate) fn arrive(
        self: &Arc<Self>,
        name: &RoomName,
        user: Option<&UserName>,
    ) -> Result<Arrival<'_>, Error> {
        loop {
            let (room, new) = self.find_or_add(name, user)?;
            let arrival = match new {
                New::No => match room.arrive(self) {
                    Ok(arrival) => return Ok(arrival),
                    Err(over) => {
                        self.remove_room(&over);
                        continue;
                    }
                },
                New::Own | New::Shared(_) => Arrival::counted(room, self),
            };
            let room = &arrival.room;
            if let New::Shared(errands) = new {
                let attending = attend(Arc::clone(room), Arc::clone(self), errands);
                self.tasks.spawn_on(attending, &room.runtime);
            } else {
                let opening = open(Arc::clone(room), Arc::clone(self));
                self.run_here(&room.runtime, Box::pin(opening));
            }
            return Ok(arrival);
        }
    }

    pub(crate) fn find(&self, name: &RoomName) -> Option<Arc<Room>> {
        self.rooms.get(name).map(|entry| Arc::clone(&entry))
    }

    fn find_or_add(
        &self,
        name: &RoomName,
        user: Option<&UserName>,
    ) -> Result<(Arc<Room>, New), Error> {
        let runtime = Handle::current();
        if let Some(room) = self.find(name) {
            return Ok((room, New::No));
        }
        // Counted before the index is locked. Whoever finds then that somebody else was faster has used up one of their own for nothing.
        if let Some(user) = user {
            self.rates.new_rooms.take(user)?;
        }
        match self.rooms.entry(name.clone()) {
            Entry::Occupied(entry) => Ok((Arc::clone(entry.get()), New::No)),
            Entry::Vacant(entry) => {
                if !self.room_count.add_below(self.config.rooms) {
                    return Err(Error::ServerFull);
                }
                let (room, new) = if self.cluster.is_some() {
                    let (room, errands) = Room::shared(name.clone(), runtime);
                    (room, New::Shared(errands))
                } else {
                    (Room::awaited(name.clone(), runtime, 1), New::Own)
                };
                let room = Arc::new(room);
                entry.insert(Arc::clone(&room));
                Ok((room, new))
            }
        }
    }

    /// Puts a life that was opened after nobody waited for it any more where its people find it, until then; unless the room has begun another one.
    pub(crate) fn adopt(
        self: &Arc<Self>,
        given_up: &Arc<Room>,
        (opened, rules): (Opened, RoomRules),
        until: Instant,
    ) {
        let (name, runtime) = (given_up.name(), &given_up.runtime);
        let room = Arc::new(Room::new(name.clone(), runtime.clone()));
        let is_free = match self.rooms.entry(name.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(Arc::clone(&room));
                true
            }
        };
        if is_free {
            self.room_count.add();
            room.open(Ok((opened, rules)), Some(until), self);
        } else {
            self.sweep(opened.life, runtime);
        }
    }

    /// All rooms, whatever phase they are in.
    pub(crate) fn rooms(&self) -> Vec<Arc<Room>> {
        self.rooms.iter().map(|entry| Arc::clone(entry.value())).collect()
    }

    pub(crate) fn room_names(&self) -> Vec<RoomName> {
        self.rooms.iter().map(|entry| entry.key().clone()).collect()
    }

    /// The names of all rooms in their order, as they were less than a second ago.
    pub(crate) fn listed(&self) -> Arc<[RoomName]> {
        self.listing.names(self)
    }

    pub(crate) fn room_count(&self) -> usize {
        self.room_count.get()
    }

    /// Takes a room that is over out of the index, by itself and not by its name: the next life may stand there already.
    fn remove_room(&self, room: &Arc<Room>) {
        let removed = self.rooms.remove_if(room.name(), |_, there| Arc::ptr_eq(there, room));
        if removed.is_some() {
            self.room_count.remove();
        }
    }

    /// Follows the end of a room: it is not found any more, and its messages are removed.
    pub(crate) fn forget(&self, room: &Arc<Room>, purge: Option<Owed>) {
        self.remove_room(room);
        if let Some(owed) = purge {
            self.run_detached(&room.runtime, self.sweeper.purge(owed));
        }
    }

    /// Has a life's messages removed, however long that takes.
    pub(crate) fn sweep(&self, life: Life, runtime: &Handle) {
        self.run_detached(runtime, self.sweeper.purge(self.sweeper.owe(life)));
    }

    /// Runs something to its end whatever becomes of the caller: here and now as far as it goes without waiting, the rest in a task.
    ///
    /// All of it in a task where the caller is outside of every runtime: there may be none left, and then this goes the way of all its tasks.
    pub(crate) fn run_detached(
        &self,
        runtime: &Handle,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let work = Box::pin(work);
        // A task is in a runtime, and asking for that is cheaper than for the runtime.
        if try_id().is_some() || Handle::try_current().is_ok() {
            self.run_here(runtime, work);
        } else {
            self.tasks.spawn_on(work, runtime);
        }
    }

    /// The same where the caller is in a runtime.
    fn run_here(&self, runtime: &Handle, mut work: BoxFuture<'static, ()>) {
        if !is_done_in_place(&mut work) {
            self.tasks.spawn_on(work, runtime);
        }
    }

    pub(crate) fn add_session(&self, peer: &Arc<Peer>) -> Result<(), Error> {
        if !self.session_count.add_below(self.config.sessions) {
            return Err(Error::ServerFull);
        }
        let added = {
            let mut sessions = self.people.entry(peer.user().clone()).or_default();
            // Asked where the session is about to stand: a shutdown that does not find it there is seen here.
            if self.is_stopping() {
                Err(Error::ShuttingDown)
            } else if sessions.len() >= self.config.sessions_per_user {
                Err(Error::TooManySessions)
            } else {
                sessions.insert(peer.id(), Arc::clone(peer));
                Ok(())
            }
        };
        match added {
            Ok(()) => self.metrics.sessions.add(1),
            Err(_) => {
                self.session_count.remove();
                self.forget_user_without_sessions(peer.user());
            }
        }
        added
    }

    pub(crate) fn forget_session(&self, peer: &Arc<Peer>) {
        let removed =
            self.people.get_mut(peer.user()).and_then(|mut sessions| sessions.remove(&peer.id()));
        if removed.is_some() {
            self.metrics.sessions.add(-1);
            self.session_count.remove();
        }
        self.forget_user_without_sessions(peer.user());
    }

    fn forget_user_without_sessions(&self, user: &UserName) {
        self.people.remove_if(user, |_, sessions| sessions.is_empty());
    }

    pub(crate) fn session_count(&self) -> usize {
        self.session_count.get()
    }

    /// How many users there is an entry for, with a session or without.
    #[cfg(test)]
    pub(crate) fn people_count(&self) -> usize {
        self.people.iter().count()
    }

    pub(crate) fn sessions_of(&self, user: &UserName) -> Vec<Arc<Peer>> {
        self.people.get(user).map_or_else(Vec::new, |sessions| sessions.values().cloned().collect())
    }

    /// How long somebody waits for a room to be opened: its rules are asked for, and then the store or the cluster.
    pub(crate) fn patience(&self) -> Duration {
        let Config { policy_timeout, store_timeout, .. } = &self.config;
        policy_timeout.saturating_add(store_timeout.saturating_add(GRACE))
    }

    /// Tells a user something on all of their sessions here; says how many those were.
    pub(crate) fn notify(
        self: &Arc<Self>,
        user: &UserName,
        name: Arc<str>,
        data: Option<Data>,
    ) -> usize {
        let event = Event::outside(EventKind::Notice { name, data });
        let peers = self.sessions_of(user);
        let mut effects = Effects::default();
        for peer in &peers {
            effects.pushed(peer, peer.outbox.push(Outgoing::Event(Arc::clone(&event))));
        }
        effects.run(self);
        peers.len()
    }

    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        self.people.iter().flat_map(|user| user.values().cloned().collect::<Vec<_>>()).collect()
    }

    /// Notes that the store was given up.
    pub(crate) fn store_timed_out(&self, operation: &'static str, room: Option<&RoomName>) {
        self.metrics.store_failures.count(operation);
        if self.store.is_told() {
            tracing::error!(
                name: "store_timed_out",
                target: "chatrooms_core",
                operation,
                room = room.map(tracing::field::debug),
                "the store did not answer in time"
            );
        }
    }

    /// Waits until there is no session any more.
    pub(crate) async fn all_gone(&self) {
        self.session_count.none().await;
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.tasks.close();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Config, Error, Identity, RoomRegistry, testing::user};

    #[tokio::test]
    async fn nothing_is_left_of_a_user_whose_last_session_has_gone() {
        let registry = RoomRegistry::new();
        let tabs = ["ada", "ada"].map(|name| registry.open_session(Identity::new(user(name))));
        let [one, two] = tabs.map(Result::unwrap);
        drop(one);
        assert_eq!(registry.shared().people_count(), 1);
        drop(two);
        assert_eq!(registry.shared().people_count(), 0);
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_user_who_was_refused() {
        let config = Config { sessions_per_user: 0, ..Config::default() };
        let registry = RoomRegistry::builder().config(config).build();
        let refused = registry.open_session(Identity::new(user("ada"))).unwrap_err();
        assert_eq!(refused, Error::TooManySessions);
        assert_eq!(registry.shared().people_count(), 0);
    }
}
