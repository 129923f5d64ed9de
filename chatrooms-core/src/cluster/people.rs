//! Connections as the whole cluster knows them.

use std::{fmt, str::FromStr, time::Duration};

use crate::{Data, Epoch, EpochError, Life, News, UserName, sync::Arc};

/// Tells one stay of a session in a room from every other, on all nodes: a session that comes again has a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(Epoch);

impl ConnectionId {
    /// A new one, which is no other's.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default value suggests a fixed one")]
    pub fn new() -> Self {
        Self(Epoch::new())
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for ConnectionId {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, EpochError> {
        text.parse().map(Self)
    }
}

/// Somebody who enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// This stay.
    pub connection: ConnectionId,
    /// Who it is.
    pub user: UserName,
    /// The display name.
    pub name: Option<Arc<str>>,
    /// What the connection says about itself.
    pub meta: Option<Data>,
}

/// Somebody who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Who.
    pub entry: Arc<Entry>,
    /// The number of the edge by which they entered: a user's oldest connection has the smallest.
    pub since: u64,
}

/// What an entry has brought.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The life that the connection is in now.
    pub life: Life,
    /// Whether it began with this entry.
    pub opened: bool,
    /// Whether nobody was in the room before.
    pub first_in_room: bool,
    /// Whether the user was not in the room before.
    pub first_connection_of_user: bool,
    /// The number of the edge that the entry is. The news may go on beyond it where the call was repeated.
    pub since: u64,
    /// What the caller did not know yet.
    pub news: News,
}

/// How a life stands for a node that begins to follow it.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Which life.
    pub life: Life,
    /// Who is there, and the newest messages.
    pub news: News,
}

/// What became of a life by an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exited {
    /// Somebody is still there, or the life was over before.
    Gone,
    /// It was the last one, and the life waits for a return this long.
    Lingers(Duration),
    /// It was the last one, and the life has ended: nothing of it is kept any more.
    Ended,
}
