//! What all tests here share: names, clients that write down what they are told, and a clock that moves only when nothing else can.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

pub(crate) use chatrooms_core::testing::{room, settle, user};
use chatrooms_core::{
    CloseReason, Config, Data, Draft, Error, Identity, Join, Joined, Member, Message, Nonce, Post,
    Receipt, RegistryBuilder, RoomName, RoomPolicy, RoomRegistry, Sent, async_trait,
    oracle::{Bounds, Recorder, check},
    testing::{FaultyStore, TestClient, describe_joined},
};
use futures_util::FutureExt as _;

use crate::model::Host;

pub(crate) fn lobby() -> RoomName {
    room("lobby")
}

pub(crate) fn config(set: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    set(&mut config);
    config
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A policy that takes a second over what somebody wants to say.
#[derive(Debug)]
pub(crate) struct Thoughtful;

#[async_trait]
impl RoomPolicy for Thoughtful {
    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        tokio::time::sleep(secs(1)).await;
        Ok(draft)
    }
}

/// What is done without waiting for anything.
pub(crate) fn at_once<T>(done: impl Future<Output = T>) -> T {
    done.now_or_never().expect("it waits for something")
}

/// A registry, and the store underneath that does as it is told. Whatever a test is about, what its clients saw is judged when it ends.
pub(crate) struct House {
    pub(crate) registry: RoomRegistry,
    pub(crate) store: FaultyStore,
    pub(crate) run: Recorder,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn configured(set: impl FnOnce(&mut Config)) -> Self {
        Self::with(|builder| builder.config(config(set))).await
    }

    pub(crate) async fn with(make: impl FnOnce(RegistryBuilder) -> RegistryBuilder) -> Self {
        Self::over(FaultyStore::new(), make).await
    }

    pub(crate) async fn over(
        store: FaultyStore,
        make: impl FnOnce(RegistryBuilder) -> RegistryBuilder,
    ) -> Self {
        let builder = make(RoomRegistry::builder().store(store.clone()));
        let registry = builder.start().await.unwrap();
        let run = Recorder::bounded(Bounds::from(registry.config()));
        Self { registry, store, run }
    }

    /// A client that is in no room yet.
    pub(crate) fn client(&self, name: &str) -> Client {
        Client(TestClient::new(&self.registry, name).recorded(&self.run))
    }

    /// One of whom nothing is recorded, for tests that take from its session what they want, or leave it there.
    pub(crate) fn unrecorded(&self, name: &str) -> Client {
        Client::new(&self.registry, name)
    }

    fn host(&self) -> Host<'_> {
        Host { registry: &self.registry, run: &self.run }
    }

    /// The host removes a user from a room; says how many connections that were.
    pub(crate) fn kick(&self, at: &str, whom: &str) -> usize {
        at_once(self.host().kick(at, whom))
    }

    pub(crate) fn close_room(&self, at: &str) -> usize {
        at_once(self.host().close_room(at))
    }

    pub(crate) fn end_sessions(&self, of: &str, reason: CloseReason) -> usize {
        at_once(self.host().end_sessions(of, reason))
    }

    /// A client in the lobby who has read all that it was told there so far.
    pub(crate) async fn guest(&self, name: &str) -> Client {
        let client = self.client(name);
        client.enter("lobby").await;
        client.told();
        client
    }

    /// Waits until nothing is left: no room, no session, no purge, and no life open in the store.
    pub(crate) async fn emptied(&self) {
        let limit = tokio::time::Instant::now() + secs(120);
        loop {
            let stats = self.registry.stats();
            let open = self.store.open_lives();
            if (stats.rooms, stats.sessions, stats.purges.pending, open.len()) == (0, 0, 0, 0) {
                return;
            }
            assert!(tokio::time::Instant::now() < limit, "left behind: {stats:?}, {open:?}");
            tokio::time::sleep(millis(10)).await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if !std::thread::panicking()
            && let Err(broken) = check(&self.run.trace())
        {
            panic!("{broken}");
        }
    }
}

/// A client to whom the lobby is home: what it does without naming a room happens there.
#[derive(Debug)]
pub(crate) struct Client(TestClient);

impl Deref for Client {
    type Target = TestClient;

    fn deref(&self) -> &TestClient {
        &self.0
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut TestClient {
        &mut self.0
    }
}

impl Client {
    pub(crate) fn new(registry: &RoomRegistry, name: &str) -> Self {
        Self(TestClient::new(registry, name))
    }

    pub(crate) fn with_identity(registry: &RoomRegistry, identity: Identity) -> Self {
        Self(TestClient::with_identity(registry, identity))
    }

    pub(crate) async fn join(&self, name: &str, join: Join) -> Result<Arc<Joined>, Error> {
        self.join_with(name, join).await
    }

    pub(crate) async fn enter(&self, name: &str) -> Arc<Joined> {
        self.join(name, Join::default()).await.unwrap()
    }

    pub(crate) fn leave(&self, name: &str) {
        self.try_leave(name).unwrap();
    }

    pub(crate) fn try_leave(&self, name: &str) -> Result<(), Error> {
        self.0.leave(name)
    }

    /// Says something in the lobby and waits for the outcome.
    pub(crate) async fn say(&self, body: &str) -> Result<Sent, Error> {
        self.0.say("lobby", body).await
    }

    /// Says something in the lobby without waiting for the outcome.
    pub(crate) async fn begin(&self, body: &str) -> Receipt<Sent> {
        self.send("lobby", body).await.unwrap()
    }

    /// Says something in the lobby under a nonce.
    pub(crate) async fn say_once(&self, body: &str, nonce: &str) -> Result<Sent, Error> {
        self.publish("lobby", Post::new(body).nonce(Nonce::new(nonce))).await
    }

    /// Takes back a message of the lobby.
    pub(crate) async fn take_back(&self, seq: u64) -> Result<(), Error> {
        self.redact("lobby", seq).await
    }

    /// The texts of the lobby that its history holds.
    pub(crate) async fn history(&self) -> Vec<String> {
        bodies(&self.0.history("lobby", None, 200).await.unwrap().messages)
    }

    /// Everything that waits for this client, one line each; it waits no longer.
    pub(crate) fn told(&self) -> Vec<String> {
        let at_home = |line: String| line.strip_prefix("lobby: ").map_or(line.clone(), Into::into);
        self.0.told().into_iter().map(at_home).collect()
    }
}

pub(crate) fn bodies(messages: &[Arc<Message>]) -> Vec<String> {
    messages.iter().map(|message| message.draft.body.to_string()).collect()
}

pub(crate) fn seqs(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.seq).collect()
}

/// The names of members, with the number of their connections where they have several.
pub(crate) fn names(members: &[Arc<Member>]) -> Vec<String> {
    let name = |member: &Arc<Member>| match member.connections {
        1 => member.user.to_string(),
        several => format!("{}x{several}", member.user),
    };
    members.iter().map(name).collect()
}

pub(crate) fn meta(json: &str) -> Join {
    Join { meta: Some(Data::new(json)), ..Join::default() }
}

pub(crate) fn resume(from: &Joined, seq: u64) -> Join {
    Join { resume: Some((from.epoch, seq)), ..Join::default() }
}

/// A join's answer in one line: where the room stands, who is there, and which messages come with it.
pub(crate) fn describe(joined: &Arc<Joined>) -> String {
    describe_joined(joined)
}
