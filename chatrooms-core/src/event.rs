//! What a session is told.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::{Data, Epoch, Message, RoomName, UserName, cost};

/// Something that happened in a room. One event is shared by all sessions that are told of it.
#[derive(Debug)]
pub struct Event {
    room: RoomName,
    kind: EventKind,
    cost: usize,
    encoded: OnceLock<Bytes>,
}

impl Event {
    pub(crate) fn new(room: RoomName, kind: EventKind) -> Arc<Self> {
        let cost = cost::frame(&room, &kind);
        Arc::new(Self { room, kind, cost, encoded: OnceLock::new() })
    }

    /// Where it happened.
    #[must_use]
    pub const fn room(&self) -> &RoomName {
        &self.room
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> &EventKind {
        &self.kind
    }

    /// What it counts against the bound of an outbox, in bytes: no less than its frame on the wire.
    #[must_use]
    pub const fn cost(&self) -> usize {
        self.cost
    }

    /// The frame of this event: `encode` runs for the first session that asks, all others share its result.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(self)).clone()
    }
}

/// What can happen in a room.
#[derive(Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// This session has joined; it replaces all that was known of the room.
    Joined(Arc<Joined>),
    /// Somebody said something.
    Message(Arc<Message>),
    /// A message has been taken back.
    Redacted {
        /// Which.
        seq: u64,
        /// By whom; `None` is the host itself.
        by: Option<UserName>,
    },
    /// Users came and went, net. A user stands in at most one of the lists.
    Presence {
        /// Users who are there now.
        joined: Vec<Member>,
        /// Users who are gone.
        left: Vec<UserName>,
    },
    /// Something passing, such as that somebody types.
    Signal {
        /// Who sends it.
        user: UserName,
        /// What it is.
        name: Arc<str>,
        /// Anything beside it.
        data: Option<Data>,
    },
    /// This session is no longer in the room, though it did not leave.
    Removed {
        /// Why.
        code: Removal,
        /// What the host has to say about it.
        reason: Option<Arc<str>>,
    },
}

/// The state of a room at the moment of a join: what follows are the changes from here, without a gap.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The mark that the join carried, such as the number of a client's request.
    pub tag: Option<u64>,
    /// Which life of the room this is.
    pub epoch: Epoch,
    /// The newest message's number; 0 where there is none.
    pub seq: u64,
    /// Whether `messages` continue exactly where the client was.
    pub resumed: bool,
    /// Whether nobody was in the room before.
    pub first_in_room: bool,
    /// Whether the user was not in the room before.
    pub first_connection_of_user: bool,
    /// Who is there, by user, oneself included; where `members_more`, the first ones, and oneself in front.
    pub members: Vec<Member>,
    /// Whether there are more members than fit into an answer.
    pub members_more: bool,
    /// The newest messages, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Whether older messages are kept.
    pub more: bool,
    /// When resumed: which messages that the client has were taken back.
    pub redacted: Vec<u64>,
}

/// A user in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserName,
    /// The display name.
    pub name: Option<Arc<str>>,
    /// How many connections (tabs, devices) the user has to the room.
    pub connections: usize,
    /// What the user's oldest connection said about itself at its join.
    pub meta: Option<Data>,
}

/// Why a session was removed from a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Removal {
    /// The user was kicked; they may come again.
    Kicked,
    /// The user was banned.
    Banned,
    /// The room was closed.
    RoomClosed,
}

impl Removal {
    /// The code of the wire protocol.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::RoomClosed => "room_closed",
        }
    }
}
