//! A live room: who enters, who leaves, what is delivered, and when it is over. All of it under one lock.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::{runtime::Handle, sync::SetOnce, task::AbortHandle, time::Instant};

use crate::{
    Config, Data, Epoch, Error, Event, EventKind, Joined, Life, Members, Message, Opened, Outgoing,
    Removal, RoomName, RoomSummary, SessionId, UserName,
    effects::Effects,
    peer::Peer,
    recent::Recent,
    registry::Shared,
    roster::Roster,
    sync::{Arc, Mutex, lock},
    writer::Writes,
};

/// One life of a room, from before it is opened until it is over.
#[derive(Debug)]
pub(crate) struct Room {
    name: RoomName,
    /// Where the room's own work runs, so that a session can be dropped outside of it.
    pub(crate) runtime: Handle,
    /// Everything that must agree. Never held over an await. Taken before a peer's own locks and never after them.
    pub(crate) state: Mutex<State>,
    /// Set once the store has opened the life, or could not.
    opened: SetOnce<Result<(), Error>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// Joins that have found this room and are not in it yet. While nobody has been in the room, they are what keeps it.
    arriving: usize,
}

#[derive(Debug)]
pub(crate) enum Phase {
    /// The store is being asked.
    Opening,
    /// People can be in it.
    Open(Box<Live>),
    /// Nobody will ever be in it again.
    Over,
}

/// What an open room knows.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) life: Life,
    pub(crate) roster: Roster,
    /// The newest message that has been delivered: everybody in the room has been told of all up to it.
    pub(crate) head: u64,
    /// The oldest message that is kept.
    pub(crate) oldest: u64,
    recent: Recent,
    redacted: BTreeSet<u64>,
    pub(crate) writes: Writes,
    bans: HashMap<UserName, Option<Instant>>,
    /// Set while nobody is here and the room is kept for their return.
    lingering: Option<AbortHandle>,
    /// Set while news wait for the next round.
    telling: Option<AbortHandle>,
}

/// What somebody wants who joins.
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// Where the client was: the life and the newest message it has.
    pub resume: Option<(Epoch, u64)>,
    /// How many recent messages are wanted at most; `None` is [`Config::DEFAULT_HISTORY`].
    pub history: Option<usize>,
    /// What this connection says about itself; at most [`Config::meta_bytes`].
    pub meta: Option<Data>,
    /// Comes back in [`Joined::tag`].
    pub tag: Option<u64>,
}

/// How somebody went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// The connection was lost: where a linger is configured, an emptied room waits for a return.
    Lost,
    /// They went, or were made to go: an emptied room ends at once.
    Left,
}

/// Why nobody got in.
#[derive(Debug)]
pub(crate) enum NoEntry {
    /// This life is over: there is another one to try.
    Over,
    Refused(Error),
}

impl Room {
    pub(crate) fn new(name: RoomName, runtime: Handle) -> Self {
        let state = State { phase: Phase::Opening, arriving: 0 };
        Self { name, runtime, state: Mutex::new(state), opened: SetOnce::new() }
    }

    pub(crate) const fn name(&self) -> &RoomName {
        &self.name
    }

    /// Announces a join, so that the room waits for it. `None` where it is over.
    pub(crate) fn arrive(self: &Arc<Self>, shared: &Arc<Shared>) -> Option<Arrival> {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Over) {
            return None;
        }
        state.arriving += 1;
        Some(Arrival { room: Arc::clone(self), shared: Arc::clone(shared) })
    }

    /// Takes what the store said. Where everybody has gone meanwhile, the life is over before it began.
    pub(crate) fn open(self: &Arc<Self>, opened: Result<Opened, Error>, shared: &Arc<Shared>) {
        let mut effects = Effects::default();
        {
            let mut state = lock(&self.state);
            match (&state.phase, opened) {
                (Phase::Opening, Ok(opened)) if state.arriving > 0 => {
                    state.phase = Phase::Open(Box::new(Live::new(opened, &shared.config)));
                    // Nobody waits any more when this fails.
                    let _ = self.opened.set(Ok(()));
                }
                (_, Ok(opened)) => {
                    state.phase = Phase::Over;
                    let _ = self.opened.set(Err(Error::NotFound));
                    effects.ended(self, Some(opened.life));
                }
                (_, Err(error)) => {
                    state.phase = Phase::Over;
                    let _ = self.opened.set(Err(error));
                    effects.ended(self, None);
                }
            }
        }
        effects.run(shared);
    }

    /// Waits until the store has answered.
    pub(crate) async fn opened(&self) -> Result<(), Error> {
        self.opened.wait().await.clone()
    }

    /// Lets somebody in: from here on they are told everything, and what was before is in the answer.
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer: &Arc<Peer>,
        join: &Join,
        shared: &Arc<Shared>,
    ) -> Result<Arc<Joined>, NoEntry> {
        let mut effects = Effects::default();
        let entered = {
            let mut state = lock(&self.state);
            match &mut state.phase {
                Phase::Open(live) => live.enter(self, peer, join, shared, &mut effects),
                Phase::Opening | Phase::Over => Err(NoEntry::Over),
            }
        };
        effects.run(shared);
        entered
    }

    /// Takes somebody out; says whether they were in.
    pub(crate) fn exit(
        self: &Arc<Self>,
        session: SessionId,
        departure: Departure,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) -> bool {
        let mut state = lock(&self.state);
        let Phase::Open(live) = &mut state.phase else { return false };
        let Some(peer) = live.roster.remove(session) else { return false };
        peer.exit(&self.name);
        self.after_exit(&mut state, departure, shared, effects);
        true
    }

    /// Removes all connections of a user, or everybody; says how many.
    pub(crate) fn remove(
        self: &Arc<Self>,
        whom: Option<&UserName>,
        code: Removal,
        reason: Option<Arc<str>>,
        shared: &Arc<Shared>,
    ) -> usize {
        let mut effects = Effects::default();
        let removed = {
            let mut state = lock(&self.state);
            let Phase::Open(live) = &mut state.phase else { return 0 };
            let sessions = match whom {
                Some(user) => live.roster.sessions_of(user),
                None => live.roster.peers().map(|peer| peer.id()).collect(),
            };
            let event = Event::new(self.name.clone(), EventKind::Removed { code, reason });
            for session in &sessions {
                if let Some(peer) = live.roster.remove(*session) {
                    peer.exit(&self.name);
                    let pushed = peer.outbox.push([Outgoing::Event(Arc::clone(&event))]);
                    effects.pushed(&peer, pushed);
                }
            }
            if !sessions.is_empty() || whom.is_none() {
                self.after_exit(&mut state, Departure::Left, shared, &mut effects);
            }
            sessions.len()
        };
        effects.run(shared);
        removed
    }

    fn after_exit(
        self: &Arc<Self>,
        state: &mut State,
        departure: Departure,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        let Phase::Open(live) = &mut state.phase else { return };
        if !live.roster.is_empty() {
            live.tell(self, None, shared, effects);
            return;
        }
        let linger = shared.config.linger;
        if departure == Departure::Lost && !linger.is_zero() {
            live.linger(self, linger, shared);
        } else {
            Self::end(self, state, effects);
        }
    }

    /// Ends this life: under the room's lock, once.
    fn end(self: &Arc<Self>, state: &mut State, effects: &mut Effects) {
        if let Phase::Open(live) = std::mem::replace(&mut state.phase, Phase::Over) {
            effects.ended(self, Some(live.life.clone()));
        }
    }

    /// Ends a room to which nobody has come back.
    fn expire(self: &Arc<Self>, shared: &Arc<Shared>) {
        let mut effects = Effects::default();
        {
            let mut state = lock(&self.state);
            if matches!(&state.phase, Phase::Open(live) if live.lingering.is_some()) {
                Self::end(self, &mut state, &mut effects);
            }
        }
        effects.run(shared);
    }

    /// Does something with the room after a while, unless the room is gone by then.
    fn later(
        self: &Arc<Self>,
        delay: Duration,
        shared: &Arc<Shared>,
        act: fn(&Arc<Self>, &Arc<Shared>),
    ) -> AbortHandle {
        let (room, shared) = (Arc::downgrade(self), Arc::downgrade(shared));
        let task = self.runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            if let (Some(room), Some(shared)) = (room.upgrade(), shared.upgrade()) {
                act(&room, &shared);
            }
        });
        task.abort_handle()
    }

    /// Tells the news that have gathered.
    fn tell_news(self: &Arc<Self>, shared: &Arc<Shared>) {
        let mut effects = Effects::default();
        if let Phase::Open(live) = &mut lock(&self.state).phase {
            live.telling = None;
            live.tell_now(&self.name, None, shared, &mut effects);
        }
        effects.run(shared);
    }

    /// Relays something passing to everybody but its sender.
    pub(crate) fn signal(
        &self,
        from: SessionId,
        kind: EventKind,
        shared: &Arc<Shared>,
    ) -> Result<(), Error> {
        let mut effects = Effects::default();
        {
            let mut state = lock(&self.state);
            let live = state.of_member(from)?;
            let event = Event::new(self.name.clone(), kind);
            live.push(&[event], Some(from), &mut effects);
        }
        effects.run(shared);
        Ok(())
    }

    /// Delivers messages that the store has accepted, in their order.
    pub(crate) fn deliver(&self, messages: Vec<Arc<Message>>, oldest: u64, shared: &Arc<Shared>) {
        let mut effects = Effects::default();
        if let Phase::Open(live) = &mut lock(&self.state).phase {
            live.deliver(&self.name, messages, oldest, &mut effects);
        }
        effects.run(shared);
    }

    /// Tells everybody that a message has been taken back.
    pub(crate) fn redacted(&self, seq: u64, by: Option<UserName>, shared: &Arc<Shared>) {
        let mut effects = Effects::default();
        if let Phase::Open(live) = &mut lock(&self.state).phase {
            live.recent.redact(seq);
            if live.redacted.insert(seq) {
                let event = Event::new(self.name.clone(), EventKind::Redacted { seq, by });
                live.push(&[event], None, &mut effects);
            }
        }
        effects.run(shared);
    }

    /// Keeps a user out until then, or for the rest of this life.
    pub(crate) fn ban(&self, user: UserName, until: Option<Instant>) -> bool {
        match &mut lock(&self.state).phase {
            Phase::Open(live) => {
                live.bans.retain(|_, until| until.is_none_or(|until| until > Instant::now()));
                live.bans.insert(user, until);
                true
            }
            Phase::Opening | Phase::Over => false,
        }
    }

    /// The room as a list shows it.
    pub(crate) fn summary(&self) -> Result<RoomSummary, Error> {
        self.ask(|live| RoomSummary {
            room: self.name.clone(),
            epoch: live.life.epoch,
            seq: live.head,
            users: live.roster.users(),
            connections: live.roster.connections(),
        })
    }

    /// Asks an open room with somebody in it.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&mut Live) -> T) -> Result<T, Error> {
        lock(&self.state).occupied().map(ask)
    }
}

impl State {
    /// The live room, where somebody is in it.
    pub(crate) fn occupied(&mut self) -> Result<&mut Live, Error> {
        match &mut self.phase {
            Phase::Open(live) if !live.roster.is_empty() => Ok(live),
            _ => Err(Error::NotFound),
        }
    }

    /// The live room, where this session is in it.
    pub(crate) fn of_member(&mut self, session: SessionId) -> Result<&mut Live, Error> {
        match &mut self.phase {
            Phase::Open(live) if live.roster.contains(session) => Ok(live),
            _ => Err(Error::NotInRoom),
        }
    }
}

impl Live {
    fn new(opened: Opened, config: &Config) -> Self {
        let mut recent = Recent::new(config.recent, config.reply_bytes / 2);
        for message in opened.recent {
            recent.push(message);
        }
        Self {
            life: opened.life,
            roster: Roster::default(),
            head: opened.head,
            oldest: opened.oldest,
            recent,
            redacted: opened.redacted.into_iter().collect(),
            writes: Writes::default(),
            bans: HashMap::new(),
            lingering: None,
            telling: None,
        }
    }

    fn enter(
        &mut self,
        room: &Arc<Room>,
        peer: &Arc<Peer>,
        join: &Join,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) -> Result<Arc<Joined>, NoEntry> {
        self.admit(room, peer, &shared.config).map_err(NoEntry::Refused)?;
        if let Some(timer) = self.lingering.take() {
            timer.abort();
        }
        let first_in_room = self.roster.is_empty();
        let first_connection = self.roster.insert(peer, join.meta.clone());
        self.tell(room, Some(peer), shared, effects);
        let joined =
            Arc::new(self.cut(peer, join, first_in_room, first_connection, &shared.config));
        let event = Event::new(room.name.clone(), EventKind::Joined(Arc::clone(&joined)));
        let pushed = peer.outbox.push([Outgoing::Event(event)]);
        effects.pushed(peer, pushed);
        Ok(joined)
    }

    fn admit(&mut self, room: &Arc<Room>, peer: &Arc<Peer>, config: &Config) -> Result<(), Error> {
        if self.roster.contains(peer.id()) {
            return Err(Error::AlreadyInRoom);
        }
        if self.is_banned(peer.user()) {
            return Err(Error::Banned);
        }
        if self.roster.connections() >= config.members_per_room {
            return Err(Error::RoomFull);
        }
        peer.enter(&room.name, room, config.rooms_per_session)
    }

    pub(crate) fn is_banned(&self, user: &UserName) -> bool {
        self.bans.get(user).is_some_and(|until| until.is_none_or(|until| until > Instant::now()))
    }

    /// The state of the room as of now, for somebody who has just been let in.
    fn cut(
        &self,
        peer: &Peer,
        join: &Join,
        first_in_room: bool,
        first_connection_of_user: bool,
        config: &Config,
    ) -> Joined {
        // Half for the members, half for the messages; the redactions of a resume come out of the messages' half.
        let half = config.reply_bytes / 2 - 1024;
        let Members { members, more: members_more } =
            self.roster.told(None, Some(peer.user()), half);
        let resumed = self.resume(join.resume, half);
        let (messages, redacted, resumed) = match resumed {
            Some((messages, redacted)) => (messages, redacted, true),
            None => {
                let wanted = join.history.unwrap_or(Config::DEFAULT_HISTORY).min(config.history);
                (self.recent.tail(wanted, half), Vec::new(), false)
            }
        };
        let first = messages.first().map_or(self.head + 1, |message| message.seq);
        Joined {
            tag: join.tag,
            epoch: self.life.epoch,
            seq: self.head,
            resumed,
            first_in_room,
            first_connection_of_user,
            members,
            members_more,
            messages,
            more: self.oldest < first,
            redacted,
        }
    }

    fn resume(
        &self,
        from: Option<(Epoch, u64)>,
        bytes: usize,
    ) -> Option<(Vec<Arc<Message>>, Vec<u64>)> {
        let (epoch, seq) = from?;
        if epoch != self.life.epoch {
            return None;
        }
        let redacted: Vec<u64> = self.redacted.range(..=seq).copied().collect();
        let bytes = bytes.checked_sub(redacted.len() * 21)?;
        Some((self.recent.since(seq, self.head, bytes)?, redacted))
    }

    /// Tells who came and went: at once in a small room, else in the next round. The one who has just come knows it already.
    fn tell(
        &mut self,
        room: &Arc<Room>,
        but: Option<&Arc<Peer>>,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        if self.roster.users() <= shared.config.presence_exact {
            self.tell_now(&room.name, but.map(|peer| peer.id()), shared, effects);
        } else if self.telling.is_none() && self.roster.has_news() {
            let interval = shared.config.presence_interval;
            self.telling = Some(room.later(interval, shared, Room::tell_news));
        }
    }

    fn tell_now(
        &mut self,
        room: &RoomName,
        but: Option<SessionId>,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        if !self.roster.has_news() {
            return;
        }
        if let Some(timer) = self.telling.take() {
            timer.abort();
        }
        let news = self.roster.take_news(shared.config.reply_bytes / 2);
        let events: Vec<_> = news
            .into_iter()
            .map(|(joined, left)| Event::new(room.clone(), EventKind::Presence { joined, left }))
            .collect();
        self.push(&events, but, effects);
    }

    fn linger(&mut self, room: &Arc<Room>, linger: Duration, shared: &Arc<Shared>) {
        self.lingering = Some(room.later(linger, shared, Room::expire));
        // Nobody is left to be told.
        self.roster = Roster::default();
    }

    fn deliver(
        &mut self,
        room: &RoomName,
        messages: Vec<Arc<Message>>,
        oldest: u64,
        effects: &mut Effects,
    ) {
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            if message.seq <= self.head {
                continue;
            }
            self.head = message.seq;
            self.recent.push(Arc::clone(&message));
            events.push(Event::new(room.clone(), EventKind::Message(message)));
        }
        self.trimmed(oldest);
        self.push(&events, None, effects);
    }

    pub(crate) fn trimmed(&mut self, oldest: u64) {
        if oldest > self.oldest {
            self.oldest = oldest;
            self.redacted = self.redacted.split_off(&oldest);
        }
    }

    fn push(&self, events: &[Arc<Event>], but: Option<SessionId>, effects: &mut Effects) {
        for peer in self.roster.peers() {
            if Some(peer.id()) == but {
                continue;
            }
            let pushed = peer.outbox.push(events.iter().cloned().map(Outgoing::Event));
            effects.pushed(peer, pushed);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for timer in self.lingering.take().into_iter().chain(self.telling.take()) {
            timer.abort();
        }
    }
}

/// A join on its way: dropping it, at whatever moment, leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) room: Arc<Room>,
    shared: Arc<Shared>,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut effects = Effects::default();
        {
            let mut state = lock(&self.room.state);
            state.arriving -= 1;
            let unused = state.arriving == 0
                && matches!(&state.phase, Phase::Open(live)
                    if live.roster.is_empty() && live.lingering.is_none());
            if unused {
                Room::end(&self.room, &mut state, &mut effects);
            }
        }
        effects.run(&self.shared);
    }
}
