//! The registry: which rooms there are, who is connected, and every way to act on them from the server's side.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use dashmap::{DashMap, Entry};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{runtime::Handle, time::Instant};
use tokio_util::task::TaskTracker;

use crate::{
    Budget, CloseReason, Config, Epoch, Error, Identity, Join, Joined, Life, Members, MemoryStore,
    MessageStore, Page, Post, Purges, Receipt, Removal, RoomName, RoomPolicy, Sent, Session,
    SessionId, StoreError, UserName,
    effects::{Effects, end_peer},
    peer::Peer,
    policy::ask,
    room::{Arrival, Departure, NoEntry, Room},
    session::draft,
    sweeper::Sweeper,
    sync::{Arc, Mutex, lock},
    writer::Redact,
};

/// All rooms and all sessions of a service. Cloning is cheap; all clones are the same registry.
///
/// A room exists while somebody is connected to it. [`open_session`](Self::open_session) and [`Session::join`] are the usual way in;
/// underneath are [`add_connection`](Self::add_connection) and [`remove_connection`](Self::remove_connection).
#[derive(Clone, Debug)]
pub struct RoomRegistry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn MessageStore>,
    policy: Option<Arc<dyn RoomPolicy>>,
    /// A mere index: whether a room is over is decided under the room's own lock. No guard of the map is held while another
    /// lock is taken, nor over an await.
    rooms: DashMap<RoomName, Arc<Room>>,
    room_count: AtomicUsize,
    /// All sessions, by user.
    people: DashMap<UserName, HashMap<SessionId, Arc<Peer>>>,
    session_count: AtomicUsize,
    sweeper: Arc<Sweeper>,
    /// The registry's own work, so that a shutdown can wait for it.
    tasks: TaskTracker,
    /// Lives of an earlier process that wait for somebody to come back.
    kept: Mutex<HashMap<RoomName, Epoch>>,
    stopping: AtomicBool,
}

/// What a registry is made of. See [`RoomRegistry::builder`].
#[derive(Debug)]
#[must_use]
pub struct RegistryBuilder {
    config: Config,
    store: Arc<dyn MessageStore>,
    policy: Option<Arc<dyn RoomPolicy>>,
}

impl RegistryBuilder {
    /// Where messages are kept. Default: [`MemoryStore`].
    pub fn store(mut self, store: impl MessageStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Bounds and times. Default: [`Config::default`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The host's rules. Default: everything is allowed.
    pub fn policy(mut self, policy: impl RoomPolicy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Starts the registry. Lives that an earlier process has left behind are purged, or kept for [`Config::linger`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the store cannot say what was left behind.
    ///
    /// # Cancel safety
    /// Dropped before it completes, nothing has happened that another start would not do again.
    pub async fn start(self) -> Result<RoomRegistry, StoreError> {
        let registry = self.build();
        registry.take_over(registry.shared.store.abandoned().await?);
        Ok(registry)
    }

    fn build(self) -> RoomRegistry {
        let sweeper = Arc::new(Sweeper::new(Arc::clone(&self.store)));
        let shared = Shared {
            config: self.config,
            store: self.store,
            policy: self.policy,
            rooms: DashMap::new(),
            room_count: AtomicUsize::new(0),
            people: DashMap::new(),
            session_count: AtomicUsize::new(0),
            sweeper,
            tasks: TaskTracker::new(),
            kept: Mutex::default(),
            stopping: AtomicBool::new(false),
        };
        RoomRegistry { shared: Arc::new(shared) }
    }
}

impl Default for RoomRegistry {
    fn default() -> Self {
        Self::new()
    }
}

/// What is going on in a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rooms, those that are being opened or that linger included.
    pub rooms: usize,
    /// Sessions.
    pub sessions: usize,
    /// Purges.
    pub purges: Purges,
}

/// A room as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomSummary {
    /// Which room.
    pub room: RoomName,
    /// Which life of it.
    pub epoch: Epoch,
    /// The newest message's number; 0 where there is none.
    pub seq: u64,
    /// How many users are there.
    pub users: usize,
    /// How many connections they have.
    pub connections: usize,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Sessions that had not ended at the deadline and were cut off.
    pub cut_off: usize,
    /// Purges that are left for the next start.
    pub unfinished_purges: usize,
}

impl RoomRegistry {
    /// A registry that keeps messages in memory, with the default bounds and without a policy.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A registry to be made to measure.
    ///
    /// ```
    /// # use chatrooms_core::{Config, MemoryStore, RoomRegistry, StoreError};
    /// # async fn start() -> Result<RoomRegistry, StoreError> {
    /// let registry = RoomRegistry::builder().store(MemoryStore::default()).config(Config::default()).start().await?;
    /// # Ok(registry)
    /// # }
    /// ```
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder {
            config: Config::default(),
            store: Arc::new(MemoryStore::default()),
            policy: None,
        }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn policy(&self) -> Option<&Arc<dyn RoomPolicy>> {
        self.shared.policy.as_ref()
    }

    /// The bounds and times in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Lets a client in. It is in no room yet.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`], [`Error::TooManySessions`], [`Error::ServerFull`].
    pub fn open_session(&self, identity: Identity) -> Result<Session, Error> {
        let peer = Arc::new(Peer::new(identity, &self.shared.config));
        self.shared.add_session(&peer)?;
        let session = Session::new(peer, self.clone());
        // Asked after the session stands in the list: a shutdown that has not seen it is seen here.
        if self.is_stopping() {
            return Err(Error::ShuttingDown);
        }
        Ok(session)
    }

    /// Adds a connection: this session to that room. The room is opened where nobody is in it. Joining and leaving one room are
    /// linearizable, and a session that has ended never gets in, however late its join runs.
    ///
    /// # Errors
    /// [`Error::AlreadyInRoom`], [`Error::RoomFull`], [`Error::TooManyRooms`], [`Error::ServerFull`], [`Error::Banned`],
    /// [`Error::TooLarge`] for the `meta`, [`Error::StoreUnavailable`], [`Error::SessionEnded`], and what the host's policy gives.
    ///
    /// # Cancel safety
    /// Dropped before it completes, the session is either not in the room or in it like after a join; removing the connection is
    /// safe in either case.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn add_connection(
        &self,
        room: &RoomName,
        session: &Session,
        join: Join,
    ) -> Result<Arc<Joined>, Error> {
        let limit = self.config().meta_bytes;
        if join.meta.as_ref().is_some_and(|meta| meta.as_str().len() > limit) {
            return Err(Error::TooLarge { what: "meta", limit });
        }
        self.may_join(session.identity(), room).await?;
        loop {
            let arrival = self.arrive(room)?;
            let opened = tokio::time::timeout(self.config().store_timeout, arrival.room.opened());
            opened.await.unwrap_or(Err(Error::StoreUnavailable))?;
            match arrival.room.enter(session.peer(), &join, &self.shared) {
                Ok(joined) => return Ok(joined),
                Err(NoEntry::Refused(error)) => return Err(error),
                Err(NoEntry::Over) => {}
            }
        }
    }

    /// Removes a connection; says whether it was there. Where it was the room's last one, the room's life ends with it: at once, whatever
    /// the store takes to remove its messages.
    pub fn remove_connection(&self, room: &RoomName, session: &Session) -> bool {
        let Some(live) = session.peer().room(room) else { return false };
        let mut effects = Effects::default();
        let removed = live.exit(session.id(), Departure::Left, &self.shared, &mut effects);
        effects.run(&self.shared);
        removed
    }

    async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
        match self.policy() {
            Some(policy) => ask(self.config().policy_timeout, policy.may_join(who, room)).await,
            None => Ok(()),
        }
    }

    /// Finds the live room of that name, or begins one.
    fn arrive(&self, name: &RoomName) -> Result<Arrival, Error> {
        loop {
            let (room, is_new) = self.shared.find_or_add(name)?;
            let Some(arrival) = room.arrive(&self.shared) else {
                self.shared.remove_room(&room);
                continue;
            };
            if is_new {
                let opening = open(Arc::clone(&room), Arc::clone(&self.shared));
                self.shared.run_detached(&room.runtime, opening);
            }
            return Ok(arrival);
        }
    }

    /// What a user may see and do in a room without being connected to it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room; what the host's policy gives.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn visit(&self, who: &Identity, room: &RoomName) -> Result<Visit<'_>, Error> {
        let found = self.room(room);
        self.may_join(who, room).await?;
        let room = found?;
        if room.ask(|live| live.is_banned(who.user()))? {
            return Err(Error::Banned);
        }
        Ok(Visit { registry: self, who: who.clone(), room })
    }

    fn room(&self, name: &RoomName) -> Result<Arc<Room>, Error> {
        let room = self.shared.rooms.get(name).map(|entry| Arc::clone(&entry));
        let room = room.ok_or(Error::NotFound)?;
        room.ask(|_| ())?;
        Ok(room)
    }

    pub(crate) fn check_post(&self, post: &Post) -> Result<(), Error> {
        let config = self.config();
        if post.body.len() > config.body_bytes {
            return Err(Error::TooLarge { what: "body", limit: config.body_bytes });
        }
        if post.data.as_ref().is_some_and(|data| data.as_str().len() > config.data_bytes) {
            return Err(Error::TooLarge { what: "data", limit: config.data_bytes });
        }
        Ok(())
    }

    pub(crate) async fn read(
        &self,
        room: &Room,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, Error> {
        let config = self.config();
        let life = room.ask(|live| live.life.clone())?;
        let budget =
            Budget { messages: limit.clamp(1, config.history), bytes: config.reply_bytes / 2 };
        let reading = AssertUnwindSafe(self.shared.store.read_before(&life, before, budget));
        match tokio::time::timeout(config.store_timeout, reading.catch_unwind()).await {
            Ok(Ok(Ok(page))) => Ok(fitting(page, config.reply_bytes - 1024)),
            Ok(Ok(Err(StoreError::Closed))) => Err(Error::NotFound),
            Ok(Ok(Err(error))) => {
                tracing::error!(room = ?life.room, %error, "history cannot be read");
                Err(Error::StoreUnavailable)
            }
            Ok(Err(_)) | Err(_) => {
                tracing::error!(room = ?life.room, "history was not read in time");
                Err(Error::StoreUnavailable)
            }
        }
    }

    /// The rooms where somebody is, by name, after a name.
    #[must_use]
    pub fn rooms(&self, after: Option<&RoomName>, limit: usize) -> (Vec<RoomSummary>, bool) {
        let candidates = self.shared.rooms.iter().map(|entry| Arc::clone(entry.value()));
        let mut rooms: Vec<_> =
            candidates.filter(|room| after.is_none_or(|after| room.name() > after)).collect();
        rooms.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        let mut page: Vec<_> =
            rooms.iter().filter_map(|room| room.summary().ok()).take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        (page, more)
    }

    /// Says something in a room as the host itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], and those of [`Receipt::wait`].
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; it is never half sent.
    pub async fn announce(&self, room: &RoomName, post: Post) -> Result<Sent, Error> {
        self.check_post(&post)?;
        let draft =
            crate::Draft { user: None, name: None, body: post.body, data: post.data, nonce: None };
        self.room(room)?.submit(None, draft, &self.shared)?.wait().await
    }

    /// Takes a message back as the host itself.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`], and those of [`Receipt::wait`].
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been taken back.
    pub async fn redact(&self, room: &RoomName, seq: u64) -> Result<(), Error> {
        let redact = Redact { seq, author: None, by: None };
        self.room(room)?.submit_redaction(None, redact, &self.shared)?.wait().await
    }

    /// Removes a user from a room; says how many connections that were. They may come again.
    pub fn kick(&self, room: &RoomName, user: &UserName, reason: Option<&str>) -> usize {
        self.remove(room, Some(user), Removal::Kicked, reason)
    }

    /// Keeps a user out of a room for so long, or for the rest of its life, and removes them; says how many connections that were.
    pub fn ban(
        &self,
        room: &RoomName,
        user: &UserName,
        time: Option<Duration>,
        reason: Option<&str>,
    ) -> usize {
        let until = time.and_then(|time| Instant::now().checked_add(time));
        let banned = self.room(room).is_ok_and(|room| room.ban(user.clone(), until));
        if banned { self.remove(room, Some(user), Removal::Banned, reason) } else { 0 }
    }

    /// Ends a room's life; says how many connections that were.
    pub fn close_room(&self, room: &RoomName, reason: Option<&str>) -> usize {
        self.remove(room, None, Removal::RoomClosed, reason)
    }

    fn remove(
        &self,
        room: &RoomName,
        user: Option<&UserName>,
        code: Removal,
        reason: Option<&str>,
    ) -> usize {
        let room = self.shared.rooms.get(room).map(|entry| Arc::clone(&entry));
        room.map_or(0, |room| room.remove(user, code, reason.map(Into::into), &self.shared))
    }

    /// Ends all sessions of a user, in all rooms; says how many. When it returns, all their connections have ended.
    pub fn end_sessions(&self, user: &UserName, reason: &CloseReason) -> usize {
        let peers: Vec<_> = match self.shared.people.get(user) {
            Some(sessions) => sessions.values().cloned().collect(),
            None => return 0,
        };
        for peer in &peers {
            end_peer(peer, reason.clone(), &self.shared).run(&self.shared);
        }
        peers.len()
    }

    /// How many sessions of a user there are.
    #[must_use]
    pub fn sessions_of(&self, user: &UserName) -> usize {
        self.shared.people.get(user).map_or(0, |sessions| sessions.len())
    }

    /// What is going on.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            rooms: self.shared.room_count.load(Ordering::Relaxed),
            sessions: self.shared.session_count.load(Ordering::Relaxed),
            purges: self.shared.sweeper.purges(),
        }
    }

    /// Runs a task of an adapter, such as a session's loop, and has a shutdown wait for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(task);
    }

    /// Whether a shutdown has begun.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::SeqCst)
    }

    /// Stops: lets nobody in any more, tells every session when to return, waits until they have been told and until purges are
    /// done, for `deadline` at most, and cuts off what is left. Rooms are purged, or kept for the next process where
    /// [`Config::linger`] says so.
    ///
    /// # Cancel safety
    /// Dropped half-way, the registry stays shut, and calling it again goes on where it was.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let deadline = Instant::now() + deadline;
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.tasks.close();
        for peer in self.shared.peers() {
            let after = jitter(self.config().return_window);
            peer.outbox.close(CloseReason::ShuttingDown { after });
        }
        let _ = tokio::time::timeout_at(deadline, self.shared.all_gone()).await;
        let left = self.shared.peers();
        for peer in &left {
            end_peer(peer, CloseReason::Gone, &self.shared).run(&self.shared);
        }
        let _ = tokio::time::timeout_at(deadline, self.shared.sweeper.idle()).await;
        let _ = tokio::time::timeout_at(deadline, self.shared.tasks.wait()).await;
        if let Err(error) = self.shared.store.shutdown().await {
            tracing::error!(%error, "the store did not end in order");
        }
        ShutdownReport {
            cut_off: left.len(),
            unfinished_purges: self.shared.sweeper.purges().pending,
        }
    }

    /// Sweeps the lives of an earlier process, or keeps them for their people's return.
    fn take_over(&self, abandoned: Vec<Life>) {
        let linger = self.config().linger;
        let runtime = Handle::current();
        for Life { room, epoch } in abandoned {
            if linger.is_zero() {
                self.shared.sweep(Life { room, epoch }, &runtime);
            } else if let Some(older) = lock(&self.shared.kept).insert(room.clone(), epoch) {
                self.shared.sweep(Life { room, epoch: older }, &runtime);
            }
        }
        if lock(&self.shared.kept).is_empty() {
            return;
        }
        let shared = Arc::downgrade(&self.shared);
        runtime.clone().spawn(async move {
            tokio::time::sleep(linger).await;
            let Some(shared) = shared.upgrade() else { return };
            let expired = std::mem::take(&mut *lock(&shared.kept));
            for (room, epoch) in expired {
                shared.sweep(Life { room, epoch }, &runtime);
            }
        });
    }
}

/// As many of the newest messages as the answer has room for.
fn fitting(mut page: Page, bytes: usize) -> Page {
    let mut left = bytes;
    let fits = page.messages.iter().rev().take_while(|message| {
        let cost = crate::cost::message(message);
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    });
    let too_many = page.messages.len() - fits.count();
    if too_many > 0 {
        page.messages.drain(..too_many);
        page.more = true;
    }
    page
}

fn jitter(window: Duration) -> Duration {
    let random = crate::life::random() >> 32;
    window.mul_f64(f64::from(u32::try_from(random).unwrap_or(u32::MAX)) / f64::from(u32::MAX))
}

/// What somebody may see and do in a room without being connected to it. See [`RoomRegistry::visit`].
#[derive(Debug)]
pub struct Visit<'a> {
    registry: &'a RoomRegistry,
    who: Identity,
    room: Arc<Room>,
}

impl Visit<'_> {
    /// The room as a list shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more.
    pub fn summary(&self) -> Result<RoomSummary, Error> {
        self.room.summary()
    }

    /// The first members, by user.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more.
    pub fn members(&self) -> Result<Members, Error> {
        let bytes = self.registry.config().reply_bytes / 2;
        self.room.ask(|live| live.roster.told(None, None, bytes))
    }

    /// The messages before `before` (exclusive), or the newest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more, [`Error::StoreUnavailable`].
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<Page, Error> {
        self.registry.read(&self.room, before, limit).await
    }

    /// Says something and waits until it is kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more, [`Error::TooLarge`], [`Error::Busy`], what the host's policy gives, and those
    /// of [`Receipt::wait`].
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; sending it again with the same nonce never doubles it.
    pub async fn publish(&self, post: Post) -> Result<Sent, Error> {
        self.registry.check_post(&post)?;
        let mut draft = draft(&self.who, post);
        if let Some(policy) = self.registry.policy() {
            let asked = policy.before_publish(&self.who, self.room.name(), draft);
            draft = ask(self.registry.config().policy_timeout, asked).await?;
        }
        let receipt: Receipt<Sent> = self.room.submit(None, draft, self.registry.shared())?;
        match receipt.wait().await {
            Err(Error::NotInRoom) => Err(Error::NotFound),
            outcome => outcome,
        }
    }
}

/// Asks the store to open a room's life.
async fn open(room: Arc<Room>, shared: Arc<Shared>) {
    let config = &shared.config;
    let recent = Budget { messages: config.recent, bytes: config.reply_bytes / 2 };
    let kept = lock(&shared.kept).remove(room.name());
    let opening = AssertUnwindSafe(shared.store.open(room.name(), kept, recent)).catch_unwind();
    let opened = match opening.await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => {
            tracing::error!(room = ?room.name(), %error, "a room cannot be opened");
            Err(Error::StoreUnavailable)
        }
        Err(_) => {
            tracing::error!(room = ?room.name(), "the store panicked while it opened a room");
            Err(Error::StoreUnavailable)
        }
    };
    if let (Err(_), Some(epoch)) = (&opened, kept) {
        lock(&shared.kept).insert(room.name().clone(), epoch);
    }
    room.open(opened, &shared);
}

impl Shared {
    fn find_or_add(&self, name: &RoomName) -> Result<(Arc<Room>, bool), Error> {
        if let Some(room) = self.rooms.get(name) {
            return Ok((Arc::clone(&room), false));
        }
        match self.rooms.entry(name.clone()) {
            Entry::Occupied(entry) => Ok((Arc::clone(entry.get()), false)),
            Entry::Vacant(entry) => {
                if self.room_count.fetch_add(1, Ordering::Relaxed) >= self.config.rooms {
                    self.room_count.fetch_sub(1, Ordering::Relaxed);
                    return Err(Error::ServerFull);
                }
                let room = Arc::new(Room::new(name.clone(), Handle::current()));
                entry.insert(Arc::clone(&room));
                Ok((room, true))
            }
        }
    }

    /// Takes a room that is over out of the index, by itself and not by its name: the next life may stand there already.
    fn remove_room(&self, room: &Arc<Room>) {
        let removed = self.rooms.remove_if(room.name(), |_, there| Arc::ptr_eq(there, room));
        if removed.is_some() {
            self.room_count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Follows the end of a room: it is not found any more, and its messages are removed.
    pub(crate) fn forget(&self, room: &Arc<Room>, life: Option<Life>) {
        self.remove_room(room);
        if let Some(life) = life {
            self.sweep(life, &room.runtime);
        }
    }

    fn sweep(&self, life: Life, runtime: &Handle) {
        if self.sweeper.submit(life) {
            self.run_detached(runtime, Arc::clone(&self.sweeper).sweep());
        }
    }

    /// Runs something to its end whatever becomes of the caller: here and now as far as it goes without waiting, the rest in a task.
    pub(crate) fn run_detached(
        &self,
        runtime: &Handle,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut work: BoxFuture<'static, ()> = Box::pin(work);
        let _guard = runtime.enter();
        let mut context = Context::from_waker(Waker::noop());
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| work.poll_unpin(&mut context)));
        if matches!(polled, Ok(Poll::Pending)) {
            self.tasks.spawn_on(work, runtime);
        }
    }

    fn add_session(&self, peer: &Arc<Peer>) -> Result<(), Error> {
        if self.session_count.fetch_add(1, Ordering::Relaxed) >= self.config.sessions {
            self.session_count.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::ServerFull);
        }
        let mut sessions = self.people.entry(peer.user().clone()).or_default();
        if sessions.len() >= self.config.sessions_per_user {
            self.session_count.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::TooManySessions);
        }
        sessions.insert(peer.id(), Arc::clone(peer));
        Ok(())
    }

    pub(crate) fn forget_session(&self, peer: &Arc<Peer>) {
        if let Some(mut sessions) = self.people.get_mut(peer.user())
            && sessions.remove(&peer.id()).is_some()
        {
            self.session_count.fetch_sub(1, Ordering::Relaxed);
        }
        self.people.remove_if(peer.user(), |_, sessions| sessions.is_empty());
    }

    fn peers(&self) -> Vec<Arc<Peer>> {
        self.people.iter().flat_map(|user| user.values().cloned().collect::<Vec<_>>()).collect()
    }

    /// Waits until there is no session any more.
    async fn all_gone(&self) {
        while self.session_count.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
