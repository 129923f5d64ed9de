//! What a session is told.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::{Data, Joined, Message, RoomName, UserName, cost};

/// Something that a session is told. One event is shared by all sessions that are told of it.
#[derive(Debug)]
pub struct Event {
    room: Option<RoomName>,
    kind: EventKind,
    cost: usize,
    encoded: OnceLock<Bytes>,
}

impl Event {
    pub(crate) fn new(room: RoomName, kind: EventKind) -> Arc<Self> {
        Self::make(Some(room), kind)
    }

    /// One that belongs to no room.
    pub(crate) fn outside(kind: EventKind) -> Arc<Self> {
        Self::make(None, kind)
    }

    /// One whose content is known to take so many bytes at most.
    pub(crate) fn sized(room: RoomName, kind: EventKind, content: usize) -> Arc<Self> {
        let cost = cost::envelope(Some(&room)) + content;
        Arc::new(Self { room: Some(room), kind, cost, encoded: OnceLock::new() })
    }

    fn make(room: Option<RoomName>, kind: EventKind) -> Arc<Self> {
        let cost = cost::envelope(room.as_ref()) + cost::content(&kind);
        Arc::new(Self { room, kind, cost, encoded: OnceLock::new() })
    }

    /// Where it happened; `None` for an [`EventKind::Notice`], which belongs to no room.
    #[must_use]
    pub const fn room(&self) -> Option<&RoomName> {
        self.room.as_ref()
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> &EventKind {
        &self.kind
    }

    /// Whose message it is, where it is one.
    pub(crate) fn author(&self) -> Option<&UserName> {
        match &self.kind {
            EventKind::Message(message) => message.draft.user.as_ref(),
            _ => None,
        }
    }

    /// What it counts against the bound of an outbox, in bytes: no less than its frame on the wire.
    #[must_use]
    pub const fn cost(&self) -> usize {
        self.cost
    }

    /// The frame of this event, as whoever drives the sessions encodes it: `encode` runs for the first session that asks, all others share its result.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> Bytes) -> &Bytes {
        self.encoded.get_or_init(|| encode(self))
    }
}

/// What a session can be told.
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
        joined: Vec<Arc<Member>>,
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
    /// A page of the list of members, for the session that asked for it; what follows are the changes from there.
    Members {
        /// The mark that the question carried.
        tag: Option<u64>,
        /// The page.
        page: Members,
    },
    /// This session is no longer in the room, though it did not leave.
    Removed {
        /// Why.
        code: Removal,
        /// What the host has to say about it.
        reason: Option<Arc<str>>,
    },
    /// The host has something to say to this user, on all of their sessions and in no room. It is never kept.
    Notice {
        /// What it is.
        name: Arc<str>,
        /// Anything beside it.
        data: Option<Data>,
    },
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

/// A list of members that fits into an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Members {
    /// The members, by user.
    pub members: Vec<Arc<Member>>,
    /// Whether there are more after the last one.
    pub more: bool,
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
