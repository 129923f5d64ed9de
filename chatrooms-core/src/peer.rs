//! One client as the rooms see it.

use std::fmt;

use crate::{
    CloseReason, Config, Epoch, Error, Identity, Outbox, RoomName, UserName,
    backlog::Backlog,
    rates::Rate,
    room::Room,
    sync::{Arc, Mutex, lock},
};

/// Tells one session from every other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u128);

impl SessionId {
    fn new() -> Self {
        // The same source of unique numbers, and for the same reasons.
        Self(Epoch::new().as_u128())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What rooms share with a [`Session`](crate::Session): its queue, and the rooms it is in.
pub(crate) struct Peer {
    id: SessionId,
    identity: Identity,
    pub(crate) outbox: Outbox,
    pub(crate) requests: Rate,
    /// A leaf in the order of locks: taken under a room's lock, never the other way round, never over an await.
    rooms: Mutex<Rooms>,
}

/// The rooms that a session is in.
#[derive(Default)]
struct Rooms {
    /// By name. One that is here no longer has let the session go: it is taken out under the room's lock.
    list: Vec<Arc<Room>>,
    /// Those of a cluster that it has asked to enter and has no answer from: their stewards may be letting it in just now. One as often as it has asked.
    asked: Vec<Arc<Room>>,
    /// The session has ended: a late join finds no way in.
    closed: bool,
}

impl Peer {
    pub(crate) fn new(
        identity: Identity,
        config: &Config,
        requests: Rate,
        backlog: Arc<Backlog>,
    ) -> Self {
        Self {
            id: SessionId::new(),
            identity,
            outbox: Outbox::new(config, backlog),
            requests,
            rooms: Mutex::default(),
        }
    }

    pub(crate) const fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) const fn user(&self) -> &UserName {
        self.identity.user()
    }

    /// Whether this session could enter a room as things stand.
    pub(crate) fn may_enter(&self, name: &RoomName, most: usize) -> Result<(), Error> {
        self.vacancy(name, most, |_, _| ())
    }

    /// Notes that this session is in a room now. The room's lock is held.
    pub(crate) fn enter(&self, room: &Arc<Room>, most: usize) -> Result<(), Error> {
        self.vacancy(room.name(), most, |rooms, place| rooms.insert(place, Arc::clone(room)))
    }

    fn vacancy(
        &self,
        name: &RoomName,
        most: usize,
        fill: impl FnOnce(&mut Vec<Arc<Room>>, usize),
    ) -> Result<(), Error> {
        match self.outbox.closed() {
            None => {}
            Some(CloseReason::ShuttingDown { .. }) => return Err(Error::ShuttingDown),
            Some(_) => return Err(Error::SessionEnded),
        }
        let mut rooms = lock(&self.rooms);
        if rooms.closed {
            return Err(Error::SessionEnded);
        }
        let Err(place) = find(&rooms.list, name) else { return Err(Error::AlreadyInRoom) };
        if rooms.list.len() >= most {
            return Err(Error::TooManyRooms);
        }
        fill(&mut rooms.list, place);
        Ok(())
    }

    /// Notes that this session asks to be let into a room of a cluster, until that is answered. `None` where it has ended.
    pub(crate) fn ask(self: &Arc<Self>, room: &Arc<Room>) -> Option<Asked> {
        let mut rooms = lock(&self.rooms);
        if rooms.closed {
            return None;
        }
        rooms.asked.push(Arc::clone(room));
        Some(Asked { peer: Arc::clone(self), room: Arc::clone(room) })
    }

    /// Notes that this session is no longer in a room. The room's lock is held.
    pub(crate) fn exit(&self, name: &RoomName) {
        let mut rooms = lock(&self.rooms);
        if let Ok(place) = find(&rooms.list, name) {
            rooms.list.remove(place);
        }
    }

    /// The room of that name, where this session is in it.
    pub(crate) fn room(&self, name: &RoomName) -> Option<Arc<Room>> {
        let rooms = lock(&self.rooms);
        let place = find(&rooms.list, name).ok().filter(|_| !rooms.closed)?;
        Some(Arc::clone(&rooms.list[place]))
    }

    /// By name.
    pub(crate) fn rooms(&self) -> Vec<RoomName> {
        let rooms = lock(&self.rooms);
        let list = if rooms.closed { &[][..] } else { &rooms.list };
        list.iter().map(|room| room.name().clone()).collect()
    }

    /// Ends all memberships for good; returns the rooms that it still has to be taken out of, whoever is at it: when two end a session at the same time, each
    /// of them has seen it go when they return. Among them are those that it has only asked to enter.
    pub(crate) fn end(&self) -> Vec<Arc<Room>> {
        let mut rooms = lock(&self.rooms);
        rooms.closed = true;
        rooms.list.iter().chain(&rooms.asked).cloned().collect()
    }
}

/// A session's wish to enter a room of a cluster, until it is answered.
#[derive(Debug)]
pub(crate) struct Asked {
    peer: Arc<Peer>,
    room: Arc<Room>,
}

impl Asked {
    /// Whose it is.
    pub(crate) const fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut rooms = lock(&self.peer.rooms);
        let place = rooms.asked.iter().position(|room| Arc::ptr_eq(room, &self.room));
        let answered = place.map(|place| rooms.asked.swap_remove(place));
        drop(rooms);
        // Not under the lock: a room that ends with it has its own.
        drop(answered);
    }
}

/// Where the room of that name stands, or would stand.
fn find(rooms: &[Arc<Room>], name: &RoomName) -> Result<usize, usize> {
    rooms.binary_search_by(|room| room.name().cmp(name))
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.id)
            .field("user", self.user())
            .finish_non_exhaustive()
    }
}
