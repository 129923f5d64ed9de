//! A store that goes wrong on command, as its test sees it.

use tokio::sync::watch;

use super::{
    Call, Fault, HANG_LIMIT, Held,
    faults::{Rule, Rules},
    holds::Holds,
    lives::Lives,
    room,
};
use crate::{
    Life, MemoryStore, MessageStore, RoomName,
    sync::{
        Arc,
        aside::{Mutex, lock},
    },
};

/// A store around another one, by default a [`MemoryStore`], that does what it should until a test tells it not to.
///
/// Cloning is cheap; all clones are the same store, so that a test keeps one and gives another to the registry.
///
/// ```
/// # use chatrooms_core::testing::{Call, Fault, FaultyStore, TestClient, registry};
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let store = FaultyStore::new();
/// let rooms = registry(|builder| builder.store(store.clone())).await;
/// let ada = TestClient::joined(&rooms, "ada", "lobby").await;
///
/// store.times(2, Call::Append, Fault::Slow(Duration::from_secs(1)));
/// store.always_in("kitchen", Call::Open, Fault::Fail);
/// ada.say("lobby", "this takes a second").await.unwrap();
/// assert_eq!(ada.join("kitchen").await.unwrap_err().code(), "store_unavailable");
/// store.heal();
/// ada.join("kitchen").await.unwrap();
/// assert_eq!((store.calls(Call::Append), store.calls_in("kitchen", Call::Open)), (1, 2));
/// # }
/// ```
///
/// # Which fault a call gets
/// Faults for a number of calls are used up first, in the order in which they were given; then the newest that was given for always
/// holds. A call gets its fault when it is made. A fault for a room is for the calls in that room only.
///
/// # Order
/// Calls that are held ([`Fault::Hold`]) go on in the order in which a test releases them, whatever the order in which they came. Appends of one
/// life come one batch at a time, so that messages of different rooms can be reordered, and messages of one room cannot.
///
/// # What it keeps to
/// With or without faults it keeps to the contract of [`MessageStore`] as far as the fault allows: what was refused was not done, a life
/// that has been closed stays closed, also where the closing failed. The faults that do not return break it, as real stores do.
#[derive(Debug)]
pub struct FaultyStore<S = MemoryStore> {
    pub(super) shared: Arc<Shared<S>>,
    /// Which process this belongs to.
    process: usize,
}

#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) inner: S,
    /// Held for a look or a change, never while the store underneath runs, never over an await.
    state: Mutex<State>,
    /// Tells those who wait for a call that the state has changed.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rules: Rules,
    pub(super) holds: Holds,
    pub(super) lives: Lives,
    pub(super) calls: Vec<(Call, Option<RoomName>)>,
    /// The calls that are held or hang.
    pub(super) stuck: Vec<Call>,
    pub(super) batches: Vec<usize>,
}

impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), process: self.process }
    }
}

impl Default for FaultyStore {
    fn default() -> Self {
        Self::new()
    }
}

impl FaultyStore {
    /// Around a [`MemoryStore`].
    #[must_use]
    pub fn new() -> Self {
        Self::over(MemoryStore::new())
    }
}

impl<S: MessageStore> FaultyStore<S> {
    /// Around a store of any kind. It has to be opened through this one to be used through it.
    #[must_use]
    pub fn over(inner: S) -> Self {
        let (state, changed) = (Mutex::default(), watch::Sender::new(()));
        Self { shared: Arc::new(Shared { inner, state, changed }), process: 0 }
    }

    /// The store underneath.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.shared.inner
    }

    /// The next call of this kind goes wrong.
    pub fn next(&self, call: Call, fault: Fault) {
        self.times(1, call, fault);
    }

    /// The next call of this kind goes wrong that is made in this room.
    ///
    /// # Panics
    /// Where `room` is no good name.
    pub fn next_in(&self, room: &str, call: Call, fault: Fault) {
        self.times_in(room, 1, call, fault);
    }

    /// So many calls of this kind go wrong.
    pub fn times(&self, times: usize, call: Call, fault: Fault) {
        self.change(|state| state.rules.count(Rule { call, room: None, fault }, times));
    }

    /// So many calls of this kind go wrong that are made in this room.
    ///
    /// # Panics
    /// Where `room` is no good name.
    pub fn times_in(&self, room: &str, times: usize, call: Call, fault: Fault) {
        let rule = Rule { call, room: Some(super::room(room)), fault };
        self.change(|state| state.rules.count(rule, times));
    }

    /// All calls of this kind go wrong from now on, until the store is healed.
    pub fn always(&self, call: Call, fault: Fault) {
        self.change(|state| state.rules.stand(Rule { call, room: None, fault }));
    }

    /// All calls of this kind go wrong from now on that are made in this room, until the store is healed.
    ///
    /// # Panics
    /// Where `room` is no good name.
    pub fn always_in(&self, room: &str, call: Call, fault: Fault) {
        let rule = Rule { call, room: Some(super::room(room)), fault };
        self.change(|state| state.rules.stand(rule));
    }

    /// Nothing goes wrong any more that is asked from now on, and what is held goes on, but for what a test has taken with
    /// [`held`](Self::held). Calls that hang do not return.
    pub fn heal(&self) {
        self.change(|state| {
            state.rules.clear();
            state.holds.clear();
        });
    }

    /// Waits until a call of this kind is held ([`Fault::Hold`], [`Fault::HoldAfter`]) and takes it, the oldest first.
    ///
    /// # Panics
    /// After [`HANG_LIMIT`], with the calls that were made.
    ///
    /// # Cancel safety
    /// Nothing is taken unless it completes.
    pub async fn held(&self, call: Call) -> Held {
        let what = format!("{call:?} to be held");
        self.wait_for(&what, |state| state.holds.take(call)).await
    }

    /// Waits until a call of this kind is stuck: it is held, or it hangs.
    ///
    /// # Panics
    /// After [`HANG_LIMIT`], with the calls that were made.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn stuck(&self, call: Call) {
        let what = format!("{call:?} to be stuck");
        self.wait_for(&what, |state| state.stuck.contains(&call).then_some(())).await;
    }

    /// How often this was asked, with success or without.
    #[must_use]
    pub fn calls(&self, call: Call) -> usize {
        self.look(|state| state.calls.iter().filter(|(asked, _)| *asked == call).count())
    }

    /// How often this was asked in a room, with success or without.
    ///
    /// # Panics
    /// Where `name` is no good name.
    #[must_use]
    pub fn calls_in(&self, name: &str, call: Call) -> usize {
        let asked = (call, Some(room(name)));
        self.look(|state| state.calls.iter().filter(|call| **call == asked).count())
    }

    /// How many drafts each append had.
    #[must_use]
    pub fn batches(&self) -> Vec<usize> {
        self.look(|state| state.batches.clone())
    }

    /// The lives that have been opened and not been closed with success, in the order of their opening; those that an earlier process has left
    /// included.
    #[must_use]
    pub fn open_lives(&self) -> Vec<Life> {
        self.look(|state| state.lives.open())
    }

    /// The lives that have been closed with success, in that order, and as often.
    #[must_use]
    pub fn closed_lives(&self) -> Vec<Life> {
        self.look(|state| state.lives.closed())
    }

    /// Ends the process that uses this store; what is returned is the store as the next process finds it.
    ///
    /// The lives that are open and were written to are [abandoned](MessageStore::abandoned): a registry that starts on what is returned
    /// purges them, or keeps them for [`Config::linger`](crate::Config::linger). All else that was open is forgotten. Whatever the
    /// registry of the ended process still asks, or has asked and not been answered yet, is refused and not done. Faults and counts are
    /// those of the store and go on.
    ///
    /// The store underneath is not opened again, so that it has to bear being used after a [`shutdown`](MessageStore::shutdown), as
    /// [`MemoryStore`] does.
    ///
    /// ```
    /// # use chatrooms_core::{Config, testing::{FaultyStore, TestClient, registry}};
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut config = Config::default();
    /// config.linger = Duration::from_secs(30);
    /// let store = FaultyStore::new();
    /// let before = registry(|builder| builder.store(store.clone()).config(config.clone())).await;
    /// let ada = TestClient::joined(&before, "ada", "lobby").await;
    /// ada.say("lobby", "see you after the deploy").await.unwrap();
    ///
    /// let store = store.restart();
    /// let after = registry(|builder| builder.store(store).config(config)).await;
    /// let joined = TestClient::new(&after, "ada").join("lobby").await.unwrap();
    /// assert_eq!(&*joined.messages[0].draft.body, "see you after the deploy");
    /// assert!(ada.say("lobby", "too late").await.is_err());
    /// # }
    /// ```
    #[must_use = "what the ended process had does not work any more"]
    pub fn restart(&self) -> Self {
        let process = self.change(|state| state.lives.restart());
        Self { shared: Arc::clone(&self.shared), process }
    }

    /// Loses what a process has left that has ended by [`restart`](Self::restart).
    pub fn lose_abandoned(&self) {
        self.change(|state| state.lives.lose_abandoned());
    }

    /// Whether the process that this belongs to still runs.
    pub(super) fn is_current(&self, state: &State) -> bool {
        state.lives.process() == self.process
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.shared.state))
    }

    /// Changes the state and tells those who wait for that.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut lock(&self.shared.state));
        self.shared.changed.send_replace(());
        changed
    }

    async fn wait_for<T>(&self, what: &str, mut ask: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut changes = self.shared.changed.subscribe();
        let waiting = async {
            loop {
                changes.mark_unchanged();
                if let Some(answer) = ask(&mut lock(&self.shared.state)) {
                    return answer;
                }
                // This store holds the sender.
                let _ = changes.changed().await;
            }
        };
        match tokio::time::timeout(HANG_LIMIT, waiting).await {
            Ok(answer) => answer,
            Err(_) => panic!("waited {HANG_LIMIT:?} for {what}; {}", self.look(State::story)),
        }
    }
}

impl State {
    /// What was asked so far, in one line.
    fn story(&self) -> String {
        let asked = self.calls.iter().map(|(call, room)| match room {
            Some(room) => format!("{call:?} in {room}"),
            None => format!("{call:?}"),
        });
        match asked.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "the store was asked for nothing".to_owned(),
            asked => format!("the store was asked for {asked}"),
        }
    }
}
