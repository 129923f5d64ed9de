//! What a change of a room still has to cause once its lock is free.

use std::task::Waker;

use crate::{
    CloseReason, Life,
    hooks::Hook,
    live::Live,
    outbox::Pushed,
    peer::Peer,
    room::{Departure, Room},
    shared::Shared,
    sync::Arc,
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
        if pushed.overflowed {
            self.overflowed.push(Arc::clone(peer));
        }
    }

    pub(crate) fn wake(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        self.wakers.extend(wakers);
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
            let Some(peer) = self.overflowed.pop() else { return };
            tracing::debug!(session = %peer.id(), "session is too slow");
            self.extend(end_peer(&peer, CloseReason::SlowConsumer, shared));
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
