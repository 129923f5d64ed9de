//! What can go wrong with a store, and what is to go wrong next.

use std::{collections::VecDeque, time::Duration};

use crate::RoomName;

/// What a [`MessageStore`](crate::MessageStore) is asked for: one kind for each of its methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`open`](crate::MessageStore::open).
    Open,
    /// [`append`](crate::MessageStore::append): one call for a batch of drafts.
    Append,
    /// [`read_before`](crate::MessageStore::read_before).
    ReadBefore,
    /// [`read_after`](crate::MessageStore::read_after).
    ReadAfter,
    /// [`redact`](crate::MessageStore::redact).
    Redact,
    /// [`trim`](crate::MessageStore::trim).
    Trim,
    /// [`note`](crate::MessageStore::note).
    Note,
    /// [`close`](crate::MessageStore::close): the purge of a life.
    Close,
    /// [`abandoned`](crate::MessageStore::abandoned), in no room.
    Abandoned,
    /// [`shutdown`](crate::MessageStore::shutdown), in no room.
    Shutdown,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It begins after so long.
    Slow(Duration),
    /// It is refused with [`StoreError::Unavailable`](crate::StoreError::Unavailable), and nothing has happened.
    Fail,
    /// It has happened, and is answered with [`StoreError::OutcomeUnknown`](crate::StoreError::OutcomeUnknown).
    Unsure,
    /// It panics before anything has happened.
    Panic,
    /// It has happened, and then the store panics.
    PanicAfter,
    /// It never returns, and nothing has happened. Healing the store does not help it.
    Hang,
    /// It has happened, and never returns. Healing the store does not help it.
    HangAfter,
    /// It begins once a test lets it go ([`FaultyStore::held`](super::FaultyStore::held)) or the store is healed.
    Hold,
    /// It has happened, and returns once a test lets it go ([`FaultyStore::held`](super::FaultyStore::held)) or the store is healed.
    HoldAfter,
}

/// Which calls go wrong.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) call: Call,
    /// In this room only.
    pub(super) room: Option<RoomName>,
    pub(super) fault: Fault,
}

impl Rule {
    fn applies(&self, call: Call, room: Option<&RoomName>) -> bool {
        self.call == call && (self.room.is_none() || self.room.as_ref() == room)
    }
}

/// What is to go wrong.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// For so many calls, in the order given.
    counted: VecDeque<(Rule, usize)>,
    /// For all calls, the newest in front.
    standing: VecDeque<Rule>,
}

impl Rules {
    pub(super) fn count(&mut self, rule: Rule, times: usize) {
        if times > 0 {
            self.counted.push_back((rule, times));
        }
    }

    pub(super) fn stand(&mut self, rule: Rule) {
        self.standing.push_front(rule);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What goes wrong with this call, which uses it up.
    pub(super) fn take(&mut self, call: Call, room: Option<&RoomName>) -> Option<Fault> {
        let Some(at) = self.counted.iter().position(|(rule, _)| rule.applies(call, room)) else {
            return self
                .standing
                .iter()
                .find(|rule| rule.applies(call, room))
                .map(|rule| rule.fault);
        };
        let (rule, left) = &mut self.counted[at];
        let fault = rule.fault;
        *left -= 1;
        if *left == 0 {
            self.counted.remove(at);
        }
        Some(fault)
    }
}
