//! What all stories share: a registry over a store that takes its time, clients that are recorded, and an end at which everything is judged.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use shuttle::future::{block_on, yield_now};
use tokio::{runtime::Runtime, time::Instant};

use crate::{
    Appended, Budget, Config, Draft, Epoch, Identity, Life, MemoryStore, MessageStore, Opened,
    Page, Redaction, RegistryBuilder, RoomName, RoomPolicy, RoomRegistry, Session, StoreError,
    UserName,
    oracle::{Bounds, Outcome, Recorder, Request, check},
    testing::{TestClient, room, user},
};

/// A clock that stands still, for all rounds of a story.
pub(super) fn clock() -> Arc<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = Arc::new(runtime.enable_time().start_paused(true).build().unwrap());
    CLOCK.set(Some(Arc::clone(&runtime)));
    runtime
}

std::thread_local! {
    /// All tasks of a model are on one thread.
    static CLOCK: std::cell::Cell<Option<Arc<Runtime>>> = const { std::cell::Cell::new(None) };
}

/// So much time passes, in one step.
pub(super) fn pass(time: Duration) {
    let runtime = CLOCK.take().expect("a model has a clock");
    runtime.block_on(tokio::time::advance(time));
    CLOCK.set(Some(runtime));
}

pub(super) const LOBBY: &str = "lobby";

#[derive(Clone)]
pub(super) struct House {
    pub(super) registry: RoomRegistry,
    store: Store,
    run: Recorder,
}

impl House {
    /// Over a store that lets others go on before and after each thing that it does.
    pub(super) fn new(set: impl FnOnce(&mut Config)) -> Self {
        Self::over(Store { is_slow: true, ..Store::default() }, set)
    }

    /// Over a store that answers at once.
    pub(super) fn prompt(set: impl FnOnce(&mut Config)) -> Self {
        Self::over(Store::default(), set)
    }

    /// The same on a host whose rules are asked.
    pub(super) fn ruled(policy: impl RoomPolicy) -> Self {
        Self::on(RoomRegistry::builder().policy(policy), Store::default())
    }

    fn over(store: Store, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        set(&mut config);
        Self::on(RoomRegistry::builder().config(config), store)
    }

    fn on(rooms: RegistryBuilder, store: Store) -> Self {
        let registry = rooms.store(store.clone()).build();
        let run = Recorder::bounded(Bounds::from(registry.config()));
        run.complete();
        Self { registry, store, run }
    }

    pub(super) fn client(&self, name: &str) -> TestClient {
        TestClient::new(&self.registry, name).recorded(&self.run)
    }

    /// One for whom there may be no place any more.
    pub(super) fn try_client(&self, name: &str) -> Option<TestClient> {
        Some(TestClient::from(self.try_session(name)?).recorded(&self.run))
    }

    /// A session of which nothing is recorded.
    pub(super) fn session(&self, name: &str) -> Session {
        self.try_session(name).expect("there is a place")
    }

    pub(super) fn try_session(&self, name: &str) -> Option<Session> {
        self.registry.open_session(Identity::new(user(name))).ok()
    }

    /// How many connections a user has, in all rooms, whether the session knows of them or not.
    pub(super) fn connections(&self, name: &str) -> usize {
        let rooms = self.registry.shared().rooms();
        let name = user(name);
        let connections = |room: &RoomName| {
            self.registry.connections(room, &name).now_or_never().and_then(Result::ok)
        };
        rooms.iter().filter_map(|room| connections(room.name())).sum()
    }

    /// One who is in the lobby.
    pub(super) fn guest(&self, name: &str) -> TestClient {
        let client = self.client(name);
        block_on(client.join(LOBBY)).unwrap();
        client
    }

    /// The host removes a user from the lobby, for good where that is meant.
    pub(super) fn remove(&self, whom: &str, for_good: bool) {
        let (lobby, whom) = (room(LOBBY), user(whom));
        self.removes(Some(&lobby), &whom, || {
            let moderation = self.registry.moderation(&lobby);
            if for_good {
                let _ = moderation.ban(&whom, None, None).now_or_never();
            } else {
                let _ = moderation.kick(&whom, None).now_or_never();
            }
        });
    }

    pub(super) fn log_out(&self, whom: &str) {
        let whom = user(whom);
        self.removes(None, &whom, || {
            self.registry.end_sessions(&whom, &crate::CloseReason::LoggedOut);
        });
    }

    fn removes(&self, room: Option<&RoomName>, whom: &UserName, act: impl FnOnce()) {
        let host = self.run.client(None);
        let call = host.asks(Request::Remove { room: room.cloned(), user: Some(whom.clone()) });
        act();
        host.answered(call, Outcome::Done);
    }

    /// Waits until everything has been done that was begun.
    pub(super) fn rest(&self) {
        let shared = self.registry.shared();
        block_on(async {
            shared.tasks.wait().await;
            shared.sweeper.idle().await;
        });
    }

    /// Judges what everybody saw, has them go, and looks at what is left.
    pub(super) fn end(self, clients: impl IntoIterator<Item = TestClient>) {
        self.rest();
        let clients: Vec<_> = clients.into_iter().collect();
        clients.iter().for_each(TestClient::settled);
        drop(clients);
        self.rest();
        check(&self.run.trace()).unwrap_or_else(|broken| panic!("{broken}"));
        let stats = self.registry.stats();
        assert_eq!((stats.rooms, stats.sessions), (0, 0), "something is left behind");
        assert_eq!(self.registry.shared().people_count(), 0, "a user is left behind");
        let lives = self.store.lives();
        assert!(lives.open.is_empty(), "a life is left behind");
        let different: HashSet<_> = lives.closed.iter().collect();
        assert_eq!(different.len(), lives.closed.len(), "a life is purged once");
    }
}

/// Keeps messages in memory, and notes which lives have begun and ended.
#[derive(Clone, Debug, Default)]
struct Store {
    is_slow: bool,
    inner: Arc<MemoryStore>,
    /// Held for one look.
    lives: Arc<Mutex<Lives>>,
}

#[derive(Debug, Default)]
struct Lives {
    open: HashSet<Epoch>,
    closed: Vec<Epoch>,
}

impl Store {
    fn lives(&self) -> std::sync::MutexGuard<'_, Lives> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn slowly<T>(&self, work: impl Future<Output = T>) -> T {
        if !self.is_slow {
            return work.await;
        }
        yield_now().await;
        let done = work.await;
        yield_now().await;
        done
    }

    fn ended(&self, life: Epoch) {
        let mut lives = self.lives();
        lives.open.remove(&life);
        lives.closed.push(life);
    }
}

#[async_trait]
impl MessageStore for Store {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        self.slowly(async {
            let opened = self.inner.open(room, kept, recent).await?;
            self.lives().open.insert(opened.life.epoch);
            Ok(opened)
        })
        .await
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        self.slowly(self.inner.append(life, drafts, deadline)).await
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.slowly(self.inner.read_before(life, before, budget)).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.slowly(self.inner.read_after(life, after, budget)).await
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        self.slowly(self.inner.redact(life, seq, author)).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        self.slowly(self.inner.trim(life, up_to)).await
    }

    async fn note(&self, life: &Life, note: &str) -> Result<(), StoreError> {
        self.slowly(self.inner.note(life, note)).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        self.slowly(async {
            self.ended(life.epoch);
            self.inner.close(life).await
        })
        .await
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        self.inner.abandoned().await
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.slowly(self.inner.shutdown()).await
    }
}
