//! An open room that is one of a cluster: how far it has read what happens there, and what it makes of that.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::{
    Connected, ConnectionId, Edge, EdgeKind, Entered, Entry, Error, Event, EventKind, Join, Joined,
    Known, Message, News, Note, Outgoing, People, Removal, UserName, effects::Effects, live::Live,
    peer::Peer, room::Room, shared::Shared, sync::Arc,
};

/// Where a room stands in the cluster's sequences. It is beside the room's own cursor, which is the one over messages.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    /// The newest edge that has been taken.
    edge: u64,
    /// The newest note that has been taken.
    note: u64,
    /// Whose connection is whose, of all nodes.
    users: HashMap<ConnectionId, UserName>,
    /// Those of sessions of this node that have left, as far as is known: their exit is theirs, whenever it is read.
    leaving: HashSet<ConnectionId>,
    /// How many of them are sessions of this node that are told of the room.
    pub(crate) here: usize,
}

/// Somebody of this node who has just entered the cluster's room.
#[derive(Debug)]
pub(crate) struct Guest<'a> {
    pub(crate) peer: &'a Arc<Peer>,
    pub(crate) join: &'a Join,
    pub(crate) connection: ConnectionId,
    pub(crate) opened: bool,
    pub(crate) first_in_room: bool,
    pub(crate) first_connection_of_user: bool,
}

impl<'a> Guest<'a> {
    pub(crate) const fn new(
        peer: &'a Arc<Peer>,
        join: &'a Join,
        connection: ConnectionId,
        entered: &Entered,
    ) -> Self {
        Self {
            peer,
            join,
            connection,
            opened: entered.opened,
            first_in_room: entered.first_in_room,
            first_connection_of_user: entered.first_connection_of_user,
        }
    }
}

/// What has come of news, beside what people were told.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// What became of the guest.
    pub(crate) joined: Option<Result<Arc<Joined>, Error>>,
    /// Connections of this node that still have to be taken out.
    pub(crate) to_take_out: Vec<ConnectionId>,
    /// Sessions of this node that the cluster took for dead: they have to come anew.
    pub(crate) taken_for_dead: Vec<Arc<Peer>>,
}

/// Taking news: all that is done under one hold of the room's lock.
pub(crate) struct Taking<'a> {
    pub(crate) live: &'a mut Live,
    pub(crate) room: &'a Arc<Room>,
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) effects: &'a mut Effects,
    pub(crate) taken: Taken,
}

impl Linked {
    fn place(&self, live: &Live) -> Known {
        Known { epoch: live.life.epoch, seq: live.head, edge: self.edge, note: self.note }
    }
}

impl Live {
    /// How far this room has read the life that it shares; `None` where it shares none.
    pub(crate) fn known(&self) -> Option<Known> {
        Some(self.linked.as_ref()?.place(self))
    }

    /// Whether no session of this node is told of the room.
    pub(crate) fn is_nobodys_here(&self) -> bool {
        self.linked.as_ref().is_some_and(|linked| linked.here == 0)
    }

    /// Whether nobody of this node has been in the room: it is followed for those who ask about it, and nobody is told of that.
    pub(crate) const fn is_followed(&self) -> bool {
        self.linked.is_some() && !self.has_begun()
    }

    /// Has a session be told nothing any more; its connection is still to be taken out. `None` where it is not here.
    pub(crate) fn detach(&mut self, peer: &Peer, effects: &mut Effects) -> Option<ConnectionId> {
        let connection = self.roster.detach(peer)?;
        self.linked.as_mut()?.here -= 1;
        effects.tally.connections -= 1;
        Some(connection)
    }

    /// Notes that a connection of this node may have exited because its session wanted to leave.
    pub(crate) fn expect_exit(&mut self, connection: ConnectionId) {
        if let Some(linked) = &mut self.linked {
            linked.leaving.insert(connection);
        }
    }

    /// Whether that exit has not been read so far; from now on it is not expected.
    pub(crate) fn expects_exit_no_more(&mut self, connection: ConnectionId) -> bool {
        self.linked.as_mut().is_some_and(|linked| linked.leaving.remove(&connection))
    }

    /// The newest note that is known.
    pub(crate) fn note_revision(&self) -> u64 {
        self.linked.as_ref().map_or(0, |linked| linked.note)
    }

    /// Takes what is imposed in the cluster, with what was imposed here and is not known there yet.
    pub(crate) fn adopt(&mut self, note: &Note) {
        self.sanctions.adopt(&note.text);
        if let Some(linked) = &mut self.linked {
            linked.note = note.revision;
        }
    }
}

impl Taking<'_> {
    /// Takes what comes next, in its order: edges behind the messages that they stand behind.
    pub(crate) fn take(&mut self, news: News, guest: Option<&Guest<'_>>) {
        let mut messages = VecDeque::from(news.messages);
        match news.people {
            People::Changed(edges) => {
                for edge in edges {
                    self.deliver(&mut messages, edge.seq);
                    self.edge(edge, guest);
                }
                self.deliver(&mut messages, u64::MAX);
            }
            People::All { edge, connected, redacted } => {
                self.deliver(&mut messages, u64::MAX);
                self.all(edge, connected, redacted, guest);
            }
        }
        if let Some(note) = &news.note {
            self.live.adopt(note);
        }
        self.live.trimmed(news.oldest);
    }

    /// Begins to follow: everybody who is there, of whom nobody has to be told.
    pub(crate) fn follow(&mut self, edge: u64, connected: Vec<Connected>) {
        for one in connected {
            self.add(&one.entry);
        }
        self.live.roster.forget_news();
        self.set_edge(edge);
    }

    /// The beginning on this node by its first one, who is among those who are there.
    pub(crate) fn begin(&mut self, edge: u64, mut connected: Vec<Connected>, guest: &Guest<'_>) {
        let own = connected.iter().position(|one| one.entry.connection == guest.connection);
        let own = own.map(|place| connected.remove(place).entry);
        self.follow(edge, connected);
        let opener = guest.opened.then_some(guest.peer);
        self.live.begin_shared(self.room, opener, self.shared, self.effects);
        match own {
            Some(entry) => self.let_in(&entry, guest),
            // They have been made to go between two tries to enter.
            None => self.taken.joined = Some(Err(Error::StoreUnavailable)),
        }
    }

    fn set_edge(&mut self, edge: u64) {
        if let Some(linked) = &mut self.live.linked {
            linked.edge = edge;
        }
    }

    fn deliver(&mut self, messages: &mut VecDeque<Arc<Message>>, up_to: u64) {
        let count = messages.iter().take_while(|message| message.seq <= up_to).count();
        if count > 0 {
            let next = messages.drain(..count).collect();
            self.live.deliver(self.room.name(), next, self.effects);
        }
    }

    fn edge(&mut self, edge: Edge, guest: Option<&Guest<'_>>) {
        match edge.kind {
            EdgeKind::Entered(entry) => self.entered(&entry, guest),
            EdgeKind::Exited(connection) => self.gone(connection, None),
            EdgeKind::Removed { connection, code, reason } => {
                self.gone(connection, Some((code, reason)));
            }
            EdgeKind::Redacted { seq, by } => {
                self.live.redact(self.room.name(), seq, by, self.effects);
            }
        }
        self.set_edge(edge.number);
    }

    /// Where more has happened than is kept of it: whoever is not there any more has gone, whoever is there now has come.
    fn all(
        &mut self,
        edge: u64,
        connected: Vec<Connected>,
        redacted: Vec<u64>,
        guest: Option<&Guest<'_>>,
    ) {
        let there: HashSet<_> = connected.iter().map(|one| one.entry.connection).collect();
        let known = self.live.linked.iter().flat_map(|linked| linked.users.keys());
        let gone: Vec<_> = known.filter(|known| !there.contains(known)).copied().collect();
        for connection in gone {
            self.gone(connection, None);
        }
        for one in connected {
            let linked = self.live.linked.as_ref();
            if linked.is_some_and(|linked| !linked.users.contains_key(&one.entry.connection)) {
                self.entered(&one.entry, guest);
            }
        }
        for seq in redacted {
            self.live.redact(self.room.name(), seq, None, self.effects);
        }
        self.set_edge(edge);
    }

    /// Adds a connection of another node.
    fn add(&mut self, entry: &Arc<Entry>) -> bool {
        if let Some(linked) = &mut self.live.linked {
            linked.users.insert(entry.connection, entry.user.clone());
        }
        self.live.roster.enter(entry, None)
    }

    fn entered(&mut self, entry: &Arc<Entry>, guest: Option<&Guest<'_>>) {
        if let Some(guest) = guest.filter(|guest| guest.connection == entry.connection) {
            return self.let_in(entry, guest);
        }
        self.live.stop_waiting();
        if self.add(entry) {
            self.live.tell_audience_joined(self.room.name(), &entry.user, self.effects);
        }
        self.live.tell(self.room, None, self.shared, self.effects);
    }

    /// Lets a session of this node in, where its entry stands in the order.
    fn let_in(&mut self, entry: &Arc<Entry>, guest: &Guest<'_>) {
        let most = self.shared.config.rooms_per_session;
        if let Err(error) = guest.peer.enter(self.room, most) {
            // The session has ended meanwhile, or is there already.
            self.add(entry);
            self.live.tell(self.room, None, self.shared, self.effects);
            self.taken.to_take_out.push(entry.connection);
            self.taken.joined = Some(Err(error));
            return;
        }
        if self.live.is_followed() {
            // From here on this node has a part in the room, which those who watch are told.
            self.live.begin_shared(self.room, None, self.shared, self.effects);
        }
        self.live.stop_waiting();
        if let Some(linked) = &mut self.live.linked {
            linked.users.insert(entry.connection, entry.user.clone());
            linked.here += 1;
        }
        self.live.roster.enter(entry, Some(guest.peer));
        let firsts = (guest.first_in_room, guest.first_connection_of_user);
        let joined = self.live.welcome(
            self.room,
            guest.peer,
            (guest.join, firsts),
            self.shared,
            self.effects,
        );
        self.taken.joined = Some(Ok(joined));
    }

    /// A connection is not there any more: it went, or was made to go.
    fn gone(&mut self, connection: ConnectionId, why: Option<(Removal, Option<Arc<str>>)>) {
        let Some(linked) = &mut self.live.linked else { return };
        let Some(user) = linked.users.remove(&connection) else { return };
        // Whoever is made to go has not left.
        let has_left = why.is_none() && linked.leaving.remove(&connection);
        let Some((peer, was_last)) = self.live.roster.exit(&user, connection) else { return };
        if peer.is_some() {
            linked.here -= 1;
            self.effects.tally.connections -= 1;
        }
        let name = self.room.name();
        if was_last {
            self.live.tell_audience_left(name, &user, self.effects);
        }
        self.live.tell(self.room, None, self.shared, self.effects);
        let Some(peer) = peer else { return };
        peer.exit(name);
        match why {
            Some((code, reason)) => {
                let event = Event::new(name.clone(), EventKind::Removed { code, reason });
                let pushed = peer.outbox.push(Outgoing::Event(event));
                self.effects.pushed(&peer, pushed);
                self.taken.to_take_out.push(connection);
            }
            None if has_left => {}
            None => self.taken.taken_for_dead.push(peer),
        }
    }
}
