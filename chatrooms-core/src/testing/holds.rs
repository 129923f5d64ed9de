//! Calls of a store that wait until a test lets them go.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::Call;
use crate::RoomName;

/// A call of a store that waits; see [`FaultyStore::held`](super::FaultyStore::held). It goes on when this is released or dropped.
#[derive(Debug)]
#[must_use = "dropping it lets the call go on"]
pub struct Held {
    call: Call,
    room: Option<RoomName>,
    /// Nothing is ever sent: the call waits for the end of this.
    go_on: oneshot::Sender<()>,
}

impl Held {
    /// What is asked.
    #[must_use]
    pub const fn call(&self) -> Call {
        self.call
    }

    /// In which room; `None` for what is asked of the store as a whole.
    #[must_use]
    pub const fn room(&self) -> Option<&RoomName> {
        self.room.as_ref()
    }

    /// Lets the call go on. Several that are held go on in the order in which they are released.
    pub fn release(self) {
        drop(self);
    }
}

/// The calls that wait and that no test has taken yet, the oldest in front.
#[derive(Debug, Default)]
pub(super) struct Holds {
    waiting: VecDeque<Held>,
}

impl Holds {
    /// Notes a call; it goes on when what is returned ends.
    pub(super) fn add(&mut self, call: Call, room: Option<RoomName>) -> oneshot::Receiver<()> {
        let (go_on, released) = oneshot::channel();
        self.waiting.push_back(Held { call, room, go_on });
        released
    }

    /// The oldest call of a kind, unless whoever made it has given it up.
    pub(super) fn take(&mut self, call: Call) -> Option<Held> {
        self.waiting.retain(|held| !held.go_on.is_closed());
        let at = self.waiting.iter().position(|held| held.call == call)?;
        self.waiting.remove(at)
    }

    /// Lets all of them go on.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}
