//! What happens in a life, as all nodes read it.

use crate::{
    Connected, ConnectionId, Entry, Epoch, Message, Removal, Timestamp, UserName, sync::Arc,
};

/// How far a node has read a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which life.
    pub epoch: Epoch,
    /// The newest message.
    pub seq: u64,
    /// The newest edge.
    pub edge: u64,
    /// The newest [`Note`].
    pub note: u64,
}

impl Known {
    /// The farther one of both in each respect, of one life.
    pub(crate) fn or_farther(self, other: Self) -> Self {
        Self {
            epoch: self.epoch,
            seq: self.seq.max(other.seq),
            edge: self.edge.max(other.edge),
            note: self.note.max(other.note),
        }
    }
}

/// One step in a life that is no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its place in the life, from 1, dense.
    pub number: u64,
    /// The newest message at that time.
    pub seq: u64,
    /// What happened.
    pub kind: EdgeKind,
}

/// What an [`Edge`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EdgeKind {
    /// A connection came.
    Entered(Arc<Entry>),
    /// A connection went.
    Exited(ConnectionId),
    /// A connection was made to go; its node still has to take it out.
    Removed {
        /// Which.
        connection: ConnectionId,
        /// Why.
        code: Removal,
        /// What the host has to say about it.
        reason: Option<Arc<str>>,
    },
    /// A message was taken back.
    Redacted {
        /// Which.
        seq: u64,
        /// By whom; `None` is the host itself.
        by: Option<UserName>,
    },
}

/// What a node did not know yet, as of one moment.
#[derive(Clone, Debug)]
pub struct News {
    /// The newest message's number, told here or not.
    pub head: u64,
    /// The oldest kept message's number; `head + 1` where none is kept.
    pub oldest: u64,
    /// The next messages, consecutive; where nothing was known, the newest ones.
    pub messages: Vec<Arc<Message>>,
    /// Who came and went. It never goes beyond the messages that are told: no redaction comes before its message.
    pub people: People,
    /// Whether there is more to be read at once.
    pub more: bool,
    /// What is imposed on people, where that is not known.
    pub note: Option<Note>,
}

/// Who is in a room, or how that has changed.
#[derive(Clone, Debug)]
pub enum People {
    /// The next edges, consecutive.
    Changed(Vec<Edge>),
    /// Where nothing was known, or more has happened than is kept of it.
    All {
        /// The newest edge that is in it.
        edge: u64,
        /// Everybody who is there, by when they came.
        connected: Vec<Connected>,
        /// Every kept message that has been taken back.
        redacted: Vec<u64>,
    },
}

/// What is imposed on people in a life, for all nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Counts the changes of it, from 1; 0 where nothing was ever imposed.
    pub revision: u64,
    /// A text of this crate's own.
    pub text: String,
    /// Who is banned, and until when; `None` for as long as the life lasts. It is in the text, too: those who enter are judged by this.
    pub banned: Vec<(UserName, Option<Timestamp>)>,
}
