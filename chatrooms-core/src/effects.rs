//! What a change of a room still has to cause once its lock is free.

use std::{task::Waker, time::Duration};

use crate::{
    CloseReason, Epoch, Life, RoomEnd,
    hooks::Hook,
    live::Live,
    metrics::Tally,
    outbox::Pushed,
    peer::Peer,
    room::{Departure, Room},
    shared::Shared,
    sync::{Arc, millis},
};

/// Collected under a room's lock, run after it is released: the sessions to wake, those that were too slow, and the room
/// itself where its life has ended.
#[derive(Debug, Default)]
#[must_use = "sleeping sessions, slow ones and ended rooms wait for `run`"]
pub(crate) struct Effects {
    wakers: Vec<Waker>,
    overflowed: Vec<Arc<Peer>>,
    ended: Vec<Ended>,
    /// What the host's policy is told.
    hooks: Vec<Hook>,
    /// What the host's log is told: its code must not run under a lock either.
    news: Vec<News>,
    pub(crate) tally: Tally,
}

/// A life of a room has begun or ended.
#[derive(Debug)]
enum News {
    Opened(Arc<Room>, Epoch),
    Closed(Arc<Room>, Epoch, RoomEnd, Duration),
}

#[derive(Debug)]
struct Ended {
    room: Arc<Room>,
    purge: Option<Life>,
    /// Dropped out of the lock, because that answers those who still wait for the store.
    live: Option<Box<Live>>,
}

impl Effects {
    pub(crate) fn pushed(&mut self, peer: &Arc<Peer>, pushed: Pushed) {
        self.wakers.extend(pushed.wake);
        self.tally.outbox_bytes += pushed.bytes;
        self.tally.signals_dropped += pushed.dropped;
        if pushed.overflowed {
            self.overflowed.push(Arc::clone(peer));
        }
    }

    /// Somebody who watches has been told something, and may have been told too much.
    pub(crate) fn told(&mut self, wake: Option<Waker>, lags: bool) {
        self.wakers.extend(wake);
        self.tally.watch_lagged += u64::from(lags);
    }

    pub(crate) fn opened(&mut self, room: &Arc<Room>, epoch: Epoch) {
        self.tally.rooms += 1;
        self.news.push(News::Opened(Arc::clone(room), epoch));
    }

    pub(crate) fn closed(
        &mut self,
        room: &Arc<Room>,
        epoch: Epoch,
        reason: RoomEnd,
        lived: Duration,
    ) {
        self.tally.rooms -= 1;
        self.news.push(News::Closed(Arc::clone(room), epoch, reason, lived));
    }

    pub(crate) fn hook(&mut self, hook: Hook) {
        self.hooks.push(hook);
    }

    /// A room is over; the life to purge, and what the open room knew.
    pub(crate) fn ended(&mut self, room: &Arc<Room>, purge: Option<Life>, live: Option<Box<Live>>) {
        self.ended.push(Ended { room: Arc::clone(room), purge, live });
    }

    fn extend(&mut self, other: Self) {
        self.wakers.extend(other.wakers);
        self.overflowed.extend(other.overflowed);
        self.ended.extend(other.ended);
        self.hooks.extend(other.hooks);
        self.news.extend(other.news);
        self.tally.add(&other.tally);
    }

    /// Does it all. Ending a slow session tells its rooms, which may find further ones that are too slow: a loop, not a
    /// recursion, because there may be thousands.
    pub(crate) fn run(mut self, shared: &Arc<Shared>) {
        loop {
            for waker in self.wakers.drain(..) {
                waker.wake();
            }
            for Ended { room, purge, live } in self.ended.drain(..) {
                drop(live);
                shared.forget(&room, purge);
            }
            for hook in self.hooks.drain(..) {
                hook.run(shared);
            }
            for news in self.news.drain(..) {
                news.tell(shared);
            }
            let Some(peer) = self.overflowed.pop() else { break };
            tracing::debug!(
                name: "session_slow",
                target: "chatrooms_core",
                session = %peer.id(),
                user = ?peer.user(),
                "more waits for a session than may wait"
            );
            self.extend(end_peer(&peer, CloseReason::SlowConsumer, shared));
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
    }
}

impl News {
    fn tell(self, shared: &Shared) {
        match self {
            Self::Opened(room, epoch) => {
                shared.metrics.rooms_opened.add(1);
                tracing::debug!(
                    name: "room_opened",
                    target: "chatrooms_core",
                    room = ?room.name(),
                    epoch = %epoch,
                    "a room has opened"
                );
            }
            Self::Closed(room, epoch, reason, lived) => {
                shared.metrics.rooms_closed.count(reason.name());
                tracing::debug!(
                    name: "room_closed",
                    target: "chatrooms_core",
                    room = ?room.name(),
                    epoch = %epoch,
                    reason = reason.name(),
                    lived_ms = millis(lived),
                    "a room has closed"
                );
            }
        }
    }
}

/// Ends a session in all its rooms, for good.
pub(crate) fn end_peer(peer: &Arc<Peer>, reason: CloseReason, shared: &Arc<Shared>) -> Effects {
    // Also where an earlier reason was a softer one, such as a shutdown before a logout, or a harder one, before the socket went.
    let made_to_go =
        reason.is_final() || peer.outbox.closed().is_some_and(|first| first.is_final());
    let departure = if made_to_go { Departure::Left } else { Departure::Lost };
    peer.outbox.close(reason);
    let mut effects = Effects::default();
    for room in peer.end() {
        room.exit(peer.id(), departure, shared, &mut effects);
    }
    effects
}
