//! What a change of a room still has to cause once its lock is free.

use std::{mem, task::Waker};

use tokio::time::Instant;

use crate::{
    CloseReason, Epoch, RoomEnd,
    hooks::Hook,
    live::Live,
    metrics::Tally,
    outbox::Pushed,
    peer::Peer,
    room::{Departure, Room},
    shared::Shared,
    sweeper::Owed,
    sync::{Arc, Handle, millis},
};

/// Collected under a room's lock, run after it is released: the sessions to wake, those that were too slow, and the room
/// itself where its life has ended.
#[derive(Debug, Default)]
#[must_use = "sleeping sessions, slow ones and ended rooms wait for `run`"]
pub(crate) struct Effects {
    wakers: Vec<Waker>,
    /// Those whose waking is a write.
    writers: Vec<Waker>,
    overflowed: Vec<Arc<Peer>>,
    /// A change ends one life at most.
    ended: Option<Ended>,
    /// What the host's policy is told.
    hooks: Vec<Hook>,
    /// A life has begun, which the host's log is told: its code must not run under a lock either. A change begins one life at most.
    opened: Option<(Arc<Room>, Epoch)>,
    pub(crate) tally: Tally,
}

/// So many writes are done by one task.
const TURN: usize = 64;

/// Writes that are done by one task, or where that is dropped before it has begun: a host may speak in a runtime that ends then, and nobody else would wake them.
struct Turn(Vec<Waker>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

/// A room is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) room: Arc<Room>,
    /// The life to purge.
    pub(crate) purge: Option<Owed>,
    /// What the open room knew. Dropped out of the lock, because that answers those who still wait for the store.
    pub(crate) live: Option<Box<Live>>,
    /// The end of a life that had begun, for the host's log.
    pub(crate) closed: Option<Closed>,
}

/// The end of a life in which somebody has been.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed {
    pub(crate) epoch: Epoch,
    pub(crate) reason: RoomEnd,
    /// When it began. How long it lived is found out where somebody listens, because a look at the clock is dear.
    pub(crate) began: Instant,
}

impl Effects {
    pub(crate) fn pushed(&mut self, peer: &Arc<Peer>, pushed: Pushed) {
        let woken = if pushed.writes { &mut self.writers } else { &mut self.wakers };
        woken.extend(pushed.wake);
        self.tally.outbox_bytes += pushed.bytes;
        self.tally.signals_dropped += pushed.dropped;
        if pushed.overflowed {
            self.overflowed.push(Arc::clone(peer));
        }
    }

    /// Wakes these too, behind the others.
    pub(crate) fn wake(&mut self, wakers: Vec<Waker>) {
        self.wakers.extend(wakers);
    }

    /// Somebody who watches has been told something, and may have been told too much.
    pub(crate) fn told(&mut self, wake: Option<Waker>, lags: bool) {
        self.wakers.extend(wake);
        self.tally.watch_lagged += u64::from(lags);
    }

    pub(crate) fn opened(&mut self, room: &Arc<Room>, epoch: Epoch) {
        self.tally.rooms += 1;
        self.opened = Some((Arc::clone(room), epoch));
    }

    pub(crate) fn hook(&mut self, hook: Hook) {
        self.hooks.push(hook);
    }

    pub(crate) fn ended(&mut self, ended: Ended) {
        self.tally.rooms -= i64::from(ended.closed.is_some());
        self.ended = Some(ended);
    }

    /// Does it all. Ending a slow session tells its rooms, which may find further ones that are too slow: a loop, not a
    /// recursion, because there may be thousands.
    pub(crate) fn run(&mut self, shared: &Arc<Shared>) {
        self.cause(shared);
        while let Some(peer) = self.overflowed.pop() {
            tracing::debug!(
                name: "session_slow",
                target: "chatrooms_core",
                session = %peer.id(),
                user = ?peer.user(),
                "more waits for a session than may wait"
            );
            self.end(&peer, CloseReason::SlowConsumer, shared);
        }
        if self.tally.watch_lagged > 0 {
            tracing::warn!(
                name: "watch_lagged",
                target: "chatrooms_core",
                watches = self.tally.watch_lagged,
                "more waits for a watch than may wait: it begins anew"
            );
        }
        self.tally.count(&shared.metrics);
        shared.backlog.change(self.tally.outbox_bytes);
    }

    /// Does what the change of one room causes, but for the sessions that were too slow.
    fn cause(&mut self, shared: &Arc<Shared>) {
        self.write(shared);
        self.wakers.drain(..).for_each(Waker::wake);
        if let Some((room, epoch)) = self.opened.take() {
            tell_opened(&room, epoch, shared);
        }
        if let Some(ended) = self.ended.take() {
            ended.run(shared);
        }
        self.hooks.drain(..).for_each(|hook| hook.run(shared));
    }

    /// Many writes are shared among the threads of the runtime, and begin when whoever caused them has had their turn: a few are done here and now.
    fn write(&mut self, shared: &Shared) {
        if self.writers.len() > TURN
            && let Ok(runtime) = Handle::try_current()
        {
            while self.writers.len() > TURN {
                let rest = self.writers.split_off(TURN);
                let turn = Turn(mem::replace(&mut self.writers, rest));
                shared.tasks.spawn_on(async move { drop(turn) }, &runtime);
            }
        }
        self.writers.drain(..).for_each(Waker::wake);
    }

    /// Ends a session in all its rooms, for good; returns those where it was, or where it may have been about to be let in.
    fn end(
        &mut self,
        peer: &Arc<Peer>,
        reason: CloseReason,
        shared: &Arc<Shared>,
    ) -> Vec<Arc<Room>> {
        // Also where an earlier reason was a softer one, such as a shutdown before a logout, or a harder one, before the socket went.
        let made_to_go =
            reason.is_final() || peer.outbox.closed().is_some_and(|first| first.is_final());
        let departure = if made_to_go { Departure::Left } else { Departure::Lost };
        peer.outbox.close(reason);
        let exit = |room: &Arc<Room>| {
            let mut effects = Self::default();
            room.exit(peer, departure, shared, &mut effects);
            effects
        };
        // They are out of all rooms before anything is caused: what panics then leaves nobody behind.
        let rooms = peer.end();
        let exits: Vec<Self> = rooms.iter().map(exit).collect();
        for mut effects in exits {
            effects.cause(shared);
            self.overflowed.append(&mut effects.overflowed);
            self.tally.add(&effects.tally);
        }
        rooms
    }
}

/// Ends a session in all its rooms, for good; returns those where it was, or where it may have been about to be let in.
pub(crate) fn end_peer(
    peer: &Arc<Peer>,
    reason: CloseReason,
    shared: &Arc<Shared>,
) -> Vec<Arc<Room>> {
    let mut effects = Effects::default();
    let rooms = effects.end(peer, reason, shared);
    effects.run(shared);
    rooms
}

impl Ended {
    pub(crate) fn run(self, shared: &Shared) {
        drop(self.live);
        shared.forget(&self.room, self.purge);
        if let Some(closed) = self.closed {
            closed.tell(&self.room, shared);
        }
    }
}

impl Closed {
    fn tell(self, room: &Room, shared: &Shared) {
        shared.metrics.rooms_closed.count(self.reason.name());
        tracing::debug!(
            name: "room_closed",
            target: "chatrooms_core",
            room = ?room.name(),
            epoch = %self.epoch,
            reason = self.reason.name(),
            lived_ms = millis(self.began.elapsed()),
            "a room has closed"
        );
    }
}

fn tell_opened(room: &Room, epoch: Epoch, shared: &Shared) {
    shared.metrics.rooms_opened.add(1);
    tracing::debug!(
        name: "room_opened",
        target: "chatrooms_core",
        room = ?room.name(),
        epoch = %epoch,
        "a room has opened"
    );
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, task::Wake};

    use tokio::task::{Id, try_id, yield_now};

    use super::*;
    use crate::{
        Identity, Join, RoomName, RoomRegistry, UserName,
        sync::aside::{Mutex, lock},
        testing::TestClient,
    };

    /// Notes in which task each was woken.
    #[derive(Default)]
    struct Wakings(Mutex<Vec<Option<Id>>>);

    impl Wake for Wakings {
        fn wake(self: Arc<Self>) {
            lock(&self.0).push(try_id());
        }
    }

    #[tokio::test]
    async fn many_writes_are_shared_and_the_last_are_done_at_once() {
        const SHARED: usize = 3;
        let registry = RoomRegistry::new();
        let wakings = Arc::new(Wakings::default());
        let mut effects = Effects::default();
        for _ in 0..=SHARED * TURN {
            let wake = Some(Waker::from(Arc::clone(&wakings)));
            let peer = &Arc::clone(registry.open_session(ada()).unwrap().peer());
            effects.pushed(peer, Pushed { wake, writes: true, ..Pushed::default() });
        }
        effects.run(registry.shared());
        assert_eq!(lock(&wakings.0)[..], [None], "here");
        while lock(&wakings.0).len() <= SHARED * TURN {
            yield_now().await;
        }
        let mut tasks = HashMap::<_, usize>::new();
        lock(&wakings.0)[1..].iter().for_each(|task| *tasks.entry(*task).or_default() += 1);
        assert!(tasks.len() == SHARED && tasks.values().all(|count| *count == TURN));
    }

    /// A host may speak in a runtime that ends then.
    #[test]
    fn writes_are_done_although_the_runtime_ends_in_which_they_were_caused() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let lasting = runtime();
        let registry = lasting.block_on(async { RoomRegistry::new() });
        let wakings = Arc::new(Wakings::default());
        let passing = runtime();
        passing.block_on(async {
            let mut effects = Effects::default();
            for _ in 0..=TURN {
                let wake = Some(Waker::from(Arc::clone(&wakings)));
                let peer = &Arc::clone(registry.open_session(ada()).unwrap().peer());
                effects.pushed(peer, Pushed { wake, writes: true, ..Pushed::default() });
            }
            effects.run(registry.shared());
        });
        drop(passing);
        assert_eq!(lock(&wakings.0).len(), TURN + 1);
    }

    fn ada() -> Identity {
        Identity::new(UserName::new("ada").unwrap())
    }

    /// What the others are told of it waits for them, and counts as what waits.
    #[tokio::test]
    async fn the_end_of_a_session_counts_what_it_has_caused_in_its_rooms() {
        let registry = RoomRegistry::new();
        let ada = TestClient::joined(&registry, "ada", "tea").await;
        let bob = TestClient::joined(&registry, "bob", "tea").await;
        for room in ["milk", "sugar"] {
            ada.join(room).await.unwrap();
            bob.join(room).await.unwrap();
        }
        ada.told();
        bob.told();
        let backlog = &registry.shared().backlog;
        assert_eq!(backlog.bytes(), 0);
        registry.end_sessions(&UserName::new("ada").unwrap(), &CloseReason::LoggedOut);
        let (frames, bytes) = bob.session.outbox().waiting();
        assert_eq!((frames, backlog.bytes()), (3, bytes as i64));
        bob.told();
        assert_eq!(backlog.bytes(), 0);
    }

    /// As a logout and the end of a socket do: the answer to a logout comes when all connections have ended, whoever has begun to end them.
    #[tokio::test]
    async fn who_ends_a_session_that_somebody_else_is_ending_sees_it_gone() {
        let registry = RoomRegistry::new();
        let user = UserName::new("ada").unwrap();
        let session = registry.open_session(Identity::new(user.clone())).unwrap();
        session.join(&RoomName::new("tea").unwrap(), Join::default()).await.unwrap();
        let begun = session.peer().end();
        assert_eq!((begun.len(), registry.stats().rooms), (1, 1), "it has not come far yet");
        registry.end_sessions(&user, &CloseReason::LoggedOut);
        assert_eq!(registry.stats().rooms, 0);
    }
}
