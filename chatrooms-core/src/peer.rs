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
    /// The rooms this session is in, by name; `None` once it has ended, so that a late join finds no way in. A leaf in the order of
    /// locks: taken under a room's lock, never the other way round, never over an await.
    rooms: Mutex<Option<Vec<Arc<Room>>>>,
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
            rooms: Mutex::new(Some(Vec::new())),
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
        let rooms = rooms.as_mut().ok_or(Error::SessionEnded)?;
        let Err(place) = find(rooms, name) else { return Err(Error::AlreadyInRoom) };
        if rooms.len() >= most {
            return Err(Error::TooManyRooms);
        }
        fill(rooms, place);
        Ok(())
    }

    /// Notes that this session is no longer in a room. The room's lock is held.
    pub(crate) fn exit(&self, name: &RoomName) {
        if let Some(rooms) = &mut *lock(&self.rooms)
            && let Ok(place) = find(rooms, name)
        {
            rooms.remove(place);
        }
    }

    /// The room of that name, where this session is in it.
    pub(crate) fn room(&self, name: &RoomName) -> Option<Arc<Room>> {
        let rooms = lock(&self.rooms);
        let rooms = rooms.as_ref()?;
        find(rooms, name).ok().map(|place| Arc::clone(&rooms[place]))
    }

    /// By name.
    pub(crate) fn rooms(&self) -> Vec<RoomName> {
        let rooms = lock(&self.rooms);
        rooms.iter().flatten().map(|room| room.name().clone()).collect()
    }

    /// Ends all memberships for good; returns where this session was.
    pub(crate) fn end(&self) -> Vec<Arc<Room>> {
        lock(&self.rooms).take().unwrap_or_default()
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
