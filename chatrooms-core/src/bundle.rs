//! What is told at once.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::Event;

/// Several events that a room tells at once, such as messages that were accepted together, in their order. One bundle is shared by all sessions that are
/// told of it, so that each costs no more than a single event.
#[derive(Debug)]
pub struct Bundle {
    events: Box<[Arc<Event>]>,
    cost: usize,
    encoded: OnceLock<Bytes>,
}

impl Bundle {
    pub(crate) fn new(events: &[Arc<Event>]) -> Arc<Self> {
        let cost = events.iter().map(|event| event.cost()).sum();
        Arc::new(Self { events: events.into(), cost, encoded: OnceLock::new() })
    }

    /// The events, in their order.
    #[must_use]
    pub const fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// What it counts against the bound of an outbox, in bytes: as much as its events do.
    #[must_use]
    pub const fn cost(&self) -> usize {
        self.cost
    }

    /// The frames of these events, one behind the other, as whoever drives the sessions encodes them: `encode` runs for the first session that asks, all others
    /// share its result.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> Bytes) -> &Bytes {
        self.encoded.get_or_init(|| encode(self))
    }
}
