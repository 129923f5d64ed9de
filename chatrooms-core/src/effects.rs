//! What a change of a room still has to cause once its lock is free.

use std::task::Waker;

use crate::{
    CloseReason, Life, outbox::Pushed, peer::Peer, registry::Shared, room::Room, sync::Arc,
};

/// Collected under a room's lock, run after it is released: the sessions to wake, those that were too slow, and the room
/// itself where its life has ended.
#[derive(Debug, Default)]
#[must_use = "sleeping sessions, slow ones and ended rooms wait for `run`"]
pub(crate) struct Effects {
    wakers: Vec<Waker>,
    overflowed: Vec<Arc<Peer>>,
    ended: Vec<(Arc<Room>, Option<Life>)>,
}

impl Effects {
    pub(crate) fn pushed(&mut self, peer: &Arc<Peer>, pushed: Pushed) {
        self.wakers.extend(pushed.wake);
        if pushed.overflowed {
            self.overflowed.push(Arc::clone(peer));
        }
    }

    pub(crate) fn ended(&mut self, room: &Arc<Room>, life: Option<Life>) {
        self.ended.push((Arc::clone(room), life));
    }

    fn extend(&mut self, other: Self) {
        self.wakers.extend(other.wakers);
        self.overflowed.extend(other.overflowed);
        self.ended.extend(other.ended);
    }

    /// Does it all. Ending a slow session tells its rooms, which may find further ones that are too slow: a loop, not a
    /// recursion, because there may be thousands.
    pub(crate) fn run(mut self, shared: &Arc<Shared>) {
        loop {
            for waker in self.wakers.drain(..) {
                waker.wake();
            }
            for (room, life) in self.ended.drain(..) {
                shared.forget(&room, life);
            }
            let Some(peer) = self.overflowed.pop() else { return };
            tracing::debug!(session = %peer.id(), "session is too slow");
            self.extend(end_peer(&peer, CloseReason::SlowConsumer, shared));
        }
    }
}

/// Ends a session in all its rooms, for good.
pub(crate) fn end_peer(peer: &Arc<Peer>, reason: CloseReason, shared: &Arc<Shared>) -> Effects {
    let departure = reason.departure();
    peer.outbox.close(reason);
    let mut effects = Effects::default();
    for room in peer.end() {
        room.exit(peer.id(), departure, shared, &mut effects);
    }
    effects
}
