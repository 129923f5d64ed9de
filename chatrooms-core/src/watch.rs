//! Watching rooms from the host's side, without being in them.

use std::{time::Duration, vec::IntoIter};

use crate::{
    Epoch, Member, Message, RoomName, RoomRegistry, UserName, cost, sync::Arc, watcher::Watcher,
};

/// What happens in rooms, for the host: see [`RoomRegistry::watch`] and [`RoomRegistry::watch_all`].
///
/// For each room the first thing told is [`RoomEvent::RoomFound`] or [`RoomEvent::RoomOpened`], and everything that happens there from then on follows,
/// in its order and without a gap, up to [`RoomEvent::RoomClosed`]. Rooms have no order among each other.
///
/// A watch counts as nobody: it keeps no room alive, and no member is told of it.
///
/// What is not taken yet waits, up to [`Config::watch_events`](crate::Config::watch_events) and [`Config::watch_bytes`](crate::Config::watch_bytes). A watch over that is told
/// [`RoomEvent::Lagged`] in place of what it has missed, and then every room anew, as if it had just begun: it never goes deaf, and never
/// misses anything silently.
///
/// ```
/// use chatrooms_core::{Identity, Join, Post, RoomEvent, RoomName, RoomRegistry, UserName};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = RoomRegistry::new();
/// let mut watch = registry.watch_all();
///
/// let lobby = RoomName::new("lobby")?;
/// let ada = registry.open_session(Identity::new(UserName::new("ada")?))?;
/// ada.join(&lobby, Join::default()).await?;
/// ada.publish(&lobby, Post::new("hello")).await?;
/// drop(ada);
///
/// assert!(matches!(watch.next().await, Some(RoomEvent::RoomOpened { room, .. }) if room == lobby));
/// assert!(matches!(watch.next().await, Some(RoomEvent::UserJoined { member, .. }) if member.user.as_str() == "ada"));
/// assert!(matches!(watch.next().await, Some(RoomEvent::Message { message, .. }) if &*message.draft.body == "hello"));
/// assert!(matches!(watch.next().await, Some(RoomEvent::UserLeft { .. })));
/// assert!(matches!(watch.next().await, Some(RoomEvent::RoomClosed { purged: true, .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Watch {
    registry: RoomRegistry,
    /// The one room that is watched, or all.
    of: Option<RoomName>,
    watcher: Arc<Watcher>,
    /// Where the rooms stood that were there when the watch began, as far as that has not been told yet.
    found: IntoIter<RoomEvent>,
}

/// What a [`Watch`] is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RoomEvent {
    /// The room was there when the watch began: where it stands. What follows are the changes from here.
    #[non_exhaustive]
    RoomFound {
        /// Which room.
        room: RoomName,
        /// Which life of it.
        epoch: Epoch,
        /// The newest message's number; 0 where there is none.
        seq: u64,
        /// Everybody who is there, by user; nobody where the room waits for a return.
        members: Vec<Arc<Member>>,
    },
    /// A life of a room has begun: its first user comes next.
    #[non_exhaustive]
    RoomOpened {
        /// Which room.
        room: RoomName,
        /// Which life of it.
        epoch: Epoch,
        /// The newest message's number: 0, except where people have come back to what an earlier process kept.
        seq: u64,
    },
    /// A user is in the room with a first connection.
    #[non_exhaustive]
    UserJoined {
        /// Which room.
        room: RoomName,
        /// Who.
        member: Arc<Member>,
    },
    /// Somebody, or the host, said something.
    #[non_exhaustive]
    Message {
        /// Which room.
        room: RoomName,
        /// What.
        message: Arc<Message>,
    },
    /// A message has been taken back.
    #[non_exhaustive]
    Redacted {
        /// Which room.
        room: RoomName,
        /// Which message.
        seq: u64,
        /// By whom; `None` is the host itself.
        by: Option<UserName>,
    },
    /// A user's last connection has gone.
    #[non_exhaustive]
    UserLeft {
        /// Which room.
        room: RoomName,
        /// Who.
        user: UserName,
    },
    /// The life of a room is over. The next thing told of this room, if ever, is [`RoomEvent::RoomOpened`].
    #[non_exhaustive]
    RoomClosed {
        /// Which room.
        room: RoomName,
        /// Which life of it.
        epoch: Epoch,
        /// Why.
        reason: RoomEnd,
        /// Whether its messages go with it: nobody can read them any more. Otherwise the store keeps them for the next process.
        purged: bool,
        /// The time since its first user came, as far as this process has seen it.
        lived: Duration,
    },
    /// More has happened than may wait, and it is lost to this watch. All rooms are told anew after this: what was known of them is
    /// out of date.
    Lagged,
}

/// Why a life of a room has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoomEnd {
    /// The last one there went, or was made to go.
    Left,
    /// The last connection was lost, and the room does not wait for a return.
    Lost,
    /// Nobody came back in time.
    Expired,
    /// The host closed it.
    Closed,
    /// The process ends, and the room waits for a return to the next one.
    PutAway,
    /// Nobody on this node is there any more; the room goes on where somebody is on another one.
    Elsewhere,
}

impl RoomEnd {
    /// Whether the messages go with the room.
    pub(crate) const fn purges(self) -> bool {
        !matches!(self, Self::PutAway | Self::Elsewhere)
    }

    /// What logs and metrics call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Lost => "lost",
            Self::Expired => "expired",
            Self::Closed => "closed",
            Self::PutAway => "put_away",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl RoomEvent {
    /// The room; `None` for [`RoomEvent::Lagged`].
    #[must_use]
    pub const fn room(&self) -> Option<&RoomName> {
        match self {
            Self::RoomFound { room, .. }
            | Self::RoomOpened { room, .. }
            | Self::UserJoined { room, .. }
            | Self::Message { room, .. }
            | Self::Redacted { room, .. }
            | Self::UserLeft { room, .. }
            | Self::RoomClosed { room, .. } => Some(room),
            Self::Lagged => None,
        }
    }

    /// The bytes of memory that it takes, about.
    pub(crate) fn cost(&self) -> usize {
        let more = match self {
            Self::Message { message, .. } => cost::message(message),
            Self::UserJoined { member, .. } => cost::member(member),
            _ => 0,
        };
        size_of::<Self>() + more
    }
}

impl RoomRegistry {
    /// Watches one room, whether it is there or not, over all its lives.
    #[must_use]
    pub fn watch(&self, room: &RoomName) -> Watch {
        Watch::new(self.clone(), Some(room.clone()))
    }

    /// Watches all rooms.
    ///
    /// Looks once at each room that there is, and keeps where it stands until the watch takes that.
    #[must_use]
    pub fn watch_all(&self) -> Watch {
        Watch::new(self.clone(), None)
    }
}

impl Watch {
    fn new(registry: RoomRegistry, of: Option<RoomName>) -> Self {
        let (watcher, found) = begin(&registry, of.as_ref());
        Self { registry, of, watcher, found }
    }

    /// The next thing that happened; `None` once the registry has shut down and everything has been told.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn next(&mut self) -> Option<RoomEvent> {
        if let Some(found) = self.found.next() {
            return Some(found);
        }
        let next = self.watcher.next().await;
        if matches!(next, Some(RoomEvent::Lagged)) {
            self.end();
            (self.watcher, self.found) = begin(&self.registry, self.of.as_ref());
        }
        next
    }

    fn end(&self) {
        self.watcher.end();
        self.registry.shared().watchers.remove(self.of.as_ref(), &self.watcher);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

/// From here on everything is told: a room that opens later finds the watcher in the list, and one that is there is told of it now. Not when its turn
/// comes to be taken: it may be over by then, with all that was said in it.
fn begin(registry: &RoomRegistry, of: Option<&RoomName>) -> (Arc<Watcher>, IntoIter<RoomEvent>) {
    let shared = registry.shared();
    let watcher = shared.watchers.add(of, registry.config());
    let rooms = of.map_or_else(|| shared.rooms(), |room| shared.find(room).into_iter().collect());
    let found: Vec<_> = rooms.iter().filter_map(|room| room.attach(&watcher)).collect();
    (watcher, found.into_iter())
}
