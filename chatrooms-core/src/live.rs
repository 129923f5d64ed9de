//! What an open room knows: its people, its cursor over the store, and what everybody in it has been told.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use tokio::{sync::SetOnce, time::Instant};

use crate::{
    Config, Epoch, Error, Event, EventKind, Join, Joined, Life, Message, Nonce, Opened, Outgoing,
    RoomEnd, RoomEvent, RoomName, RoomRules, SessionId, UserName, cost,
    effects::{Closed, Effects},
    hooks::Hook,
    linked::Linked,
    note,
    peer::Peer,
    recent::Recent,
    room::Room,
    roster::Roster,
    sanctions::Sanctions,
    shared::Shared,
    sync::{AbortOnDropHandle, Arc, after},
    watcher::{Audience, Watcher},
    writes::Writes,
};

/// An open room. All of it stands under the room's one lock.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) life: Life,
    pub(crate) rules: RoomRules,
    pub(crate) roster: Roster,
    /// The newest message that has been delivered: everybody in the room has been told of all up to it.
    pub(crate) head: u64,
    /// The oldest message that is kept.
    pub(crate) oldest: u64,
    recent: Recent,
    /// The kept messages that have been taken back, and the newest message at that time.
    redacted: BTreeMap<u64, u64>,
    /// The newest message at the time of the last redaction that is known no more because its message has been trimmed.
    /// Whoever left before it cannot be told everything.
    forgotten: u64,
    pub(crate) writes: Writes,
    pub(crate) sanctions: Sanctions,
    audience: Audience,
    /// Where the room is one of a cluster.
    pub(crate) linked: Option<Box<Linked>>,
    /// Set once somebody has been here.
    begun: Option<Begun>,
    /// Set while nobody is here and the room is kept for their return.
    lingering: Option<Linger>,
    /// Set while news wait for the next round.
    telling: Option<AbortOnDropHandle<()>>,
}

/// The beginning of a life: its first user came.
#[derive(Debug)]
struct Begun {
    at: Instant,
    /// Where there is a policy: whether it has been told.
    told: Option<Arc<SetOnce<()>>>,
}

#[derive(Debug)]
struct Linger {
    until: Instant,
    /// Stops with this.
    _timer: AbortOnDropHandle<()>,
}

impl Live {
    pub(crate) fn new(
        opened: Opened,
        rules: RoomRules,
        audience: Audience,
        config: &Config,
    ) -> Self {
        let mut recent = Recent::new(config.recent, config.half_reply());
        for message in opened.recent {
            recent.push(message);
        }
        let sanctions = note::read(&opened.note, rules.slow_mode);
        // Of messages that an earlier process has trimmed nobody knows whether they were taken back, and when.
        let forgotten = if opened.oldest > 1 { opened.head } else { 0 };
        Self {
            life: opened.life,
            rules,
            roster: Roster::default(),
            head: opened.head,
            oldest: opened.oldest,
            recent,
            redacted: opened.redacted.into_iter().map(|seq| (seq, opened.head)).collect(),
            forgotten,
            writes: Writes::default(),
            sanctions,
            audience,
            linked: None,
            begun: None,
            lingering: None,
            telling: None,
        }
    }

    /// Lets somebody in, tells the others, and tells the one who came how things stand.
    pub(crate) fn enter(
        &mut self,
        room: &Arc<Room>,
        peer: &Arc<Peer>,
        join: &Join,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) -> Result<Arc<Joined>, Error> {
        self.admit(room, peer, &shared.config)?;
        self.stop_waiting();
        let first_in_room = self.roster.is_empty();
        if self.begun.is_none() {
            self.begin(room, peer, shared, effects);
        }
        let first_connection_of_user = self.roster.insert(peer, join.meta.clone());
        let firsts = (first_in_room, first_connection_of_user);
        Ok(self.welcome(room, peer, (join, firsts), shared, effects))
    }

    /// Tells the others of somebody who has just been let in, and them how things stand.
    pub(crate) fn welcome(
        &mut self,
        room: &Arc<Room>,
        peer: &Arc<Peer>,
        (join, (first_in_room, first_connection_of_user)): (&Join, (bool, bool)),
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) -> Arc<Joined> {
        effects.tally.connections += 1;
        if first_connection_of_user {
            self.tell_audience_joined(room.name(), peer.user(), effects);
        }
        self.tell(room, Some(peer), shared, effects);
        let (cut, size) = self.cut(peer, join, &shared.config);
        effects.tally.joined(cut.resumed);
        let joined = Arc::new(Joined { first_in_room, first_connection_of_user, ..cut });
        let kind = EventKind::Joined(Arc::clone(&joined));
        let event = Event::sized(room.name().clone(), kind, size);
        effects.pushed(peer, peer.outbox.push(Outgoing::Event(event)));
        joined
    }

    /// A life that is shared begins on this node: by its first one, or because somebody comes to where others are.
    pub(crate) fn begin_shared(
        &mut self,
        room: &Arc<Room>,
        opener: Option<&Arc<Peer>>,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        // Whoever watches is told of none that is only followed.
        self.audience = Audience::new(shared.watchers.of(room.name()));
        if let Some(first) = opener {
            return self.begin(room, first, shared, effects);
        }
        // Another node has told its policy of the beginning. Should the end be this one's to tell, nothing is waited for.
        let told = Arc::new(SetOnce::new_with(Some(())));
        let told = shared.policy.is_some().then_some(told);
        self.begun = Some(Begun { at: Instant::now(), told });
        effects.opened(room, self.life.epoch);
        let found = self.found(room.name());
        self.audience.tell(effects, || found.clone());
    }

    /// Whether somebody has been here.
    pub(crate) const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Has the end of the life be told to no policy: that is another node's to do.
    pub(crate) fn leave_the_end_to_others(&mut self) {
        if let Some(begun) = &mut self.begun {
            begun.told = None;
        }
    }

    /// Somebody is there.
    pub(crate) fn stop_waiting(&mut self) {
        self.lingering = None;
    }

    fn found(&self, room: &RoomName) -> RoomEvent {
        RoomEvent::RoomFound {
            room: room.clone(),
            epoch: self.life.epoch,
            seq: self.head,
            members: self.roster.present(None, usize::MAX).members,
        }
    }

    /// The first one comes.
    fn begin(
        &mut self,
        room: &Arc<Room>,
        first: &Arc<Peer>,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        let told = shared.policy.is_some().then(|| {
            let (hook, told) = Hook::opened(room, self.life.epoch, first.identity().clone());
            effects.hook(hook);
            told
        });
        self.begun = Some(Begun { at: Instant::now(), told });
        let (epoch, seq) = (self.life.epoch, self.head);
        effects.opened(room, epoch);
        let opened = || RoomEvent::RoomOpened { room: room.name().clone(), epoch, seq };
        self.audience.tell(effects, opened);
    }

    /// The life is over; says what there is to say of it, where somebody has been here.
    pub(crate) fn end(
        &mut self,
        room: &Arc<Room>,
        reason: RoomEnd,
        effects: &mut Effects,
    ) -> Option<Closed> {
        let begun = self.begun.take()?;
        let epoch = self.life.epoch;
        self.audience.tell(effects, || RoomEvent::RoomClosed {
            room: room.name().clone(),
            epoch,
            reason,
            purged: reason.purges(),
            lived: begun.at.elapsed(),
        });
        if let Some(told) = begun.told {
            effects.hook(Hook::closed(room, epoch, reason, told));
        }
        Some(Closed { epoch, reason, began: begun.at })
    }

    /// Takes a session out and says whether it was in; what the others are told of it comes later.
    pub(crate) fn remove(&mut self, room: &RoomName, peer: &Peer, effects: &mut Effects) -> bool {
        let Some(was_last_of_user) = self.roster.remove(peer) else { return false };
        effects.tally.connections -= 1;
        if was_last_of_user {
            self.tell_audience_left(room, peer.user(), effects);
        }
        true
    }

    /// Tells whoever watches of a user's first connection.
    pub(crate) fn tell_audience_joined(
        &mut self,
        room: &RoomName,
        user: &UserName,
        effects: &mut Effects,
    ) {
        if let Some(member) = self.roster.member(user) {
            self.audience.tell(effects, || RoomEvent::UserJoined {
                room: room.clone(),
                member: Arc::clone(member),
            });
        }
    }

    /// Tells whoever watches of the end of a user's last one.
    pub(crate) fn tell_audience_left(
        &mut self,
        room: &RoomName,
        user: &UserName,
        effects: &mut Effects,
    ) {
        let left = || RoomEvent::UserLeft { room: room.clone(), user: user.clone() };
        self.audience.tell(effects, left);
    }

    /// Has a watcher told everything from now on; returns where the room stands, unless nobody has been here yet or the watcher is known.
    pub(crate) fn attach(&mut self, room: &RoomName, watcher: &Arc<Watcher>) -> Option<RoomEvent> {
        if self.is_followed() {
            // They are found when somebody comes.
            return None;
        }
        let is_told = self.audience.add(watcher) && self.begun.is_some();
        is_told.then(|| self.found(room))
    }

    fn admit(&self, room: &Arc<Room>, peer: &Arc<Peer>, config: &Config) -> Result<(), Error> {
        if self.sanctions.bans.holds(peer.user()) {
            return Err(Error::Banned);
        }
        if self.roster.connections() >= self.rules.members {
            return Err(Error::RoomFull);
        }
        peer.enter(room, config.rooms_per_session)
    }

    /// Whether this user has said something under that nonce, as far as it is at hand.
    pub(crate) fn has_said(&self, user: &UserName, nonce: Option<&Nonce>) -> bool {
        nonce.is_some_and(|nonce| self.recent.has(user, nonce))
    }

    /// The state of the room as of now, for somebody who has just been let in; and the most bytes that it takes.
    fn cut(&self, peer: &Peer, join: &Join, config: &Config) -> (Joined, usize) {
        // The members and the messages have half of the answer each.
        let half = config.half_reply();
        let (page, members) = self.roster.first_page(peer.user(), half);
        let resumed = join.resume.and_then(|(epoch, seq)| self.resume(epoch, seq, half));
        let is_resumed = resumed.is_some();
        let (messages, redacted) = resumed.unwrap_or_else(|| {
            let wanted = join.history.unwrap_or(Config::DEFAULT_HISTORY).min(config.history);
            (self.recent.tail(wanted, half), Vec::new())
        });
        let first = messages.first().map_or(self.head + 1, |message| message.seq);
        let size = cost::joined(members, self.recent.size(messages.len()), redacted.len());
        let joined = Joined {
            tag: join.tag,
            epoch: self.life.epoch,
            seq: self.head,
            resumed: is_resumed,
            first_in_room: false,
            first_connection_of_user: false,
            members: page.members,
            members_more: page.more,
            messages,
            more: self.oldest < first,
            redacted,
        };
        (joined, size)
    }

    /// All messages after `seq` and what has been taken back up to it, where everything is at hand and fits.
    fn resume(
        &self,
        epoch: Epoch,
        seq: u64,
        bytes: usize,
    ) -> Option<(Vec<Arc<Message>>, Vec<u64>)> {
        if epoch != self.life.epoch || (self.forgotten > 0 && seq <= self.forgotten) {
            return None;
        }
        let redacted: Vec<u64> = self.redacted.range(..=seq).map(|(seq, _)| *seq).collect();
        let bytes = bytes.checked_sub(redacted.len() * cost::NUMBER)?;
        Some((self.recent.since(seq, self.head, bytes)?, redacted))
    }

    /// Tells who came and went: at once in a small room, else in the next round. The one who has just come knows it already.
    pub(crate) fn tell(
        &mut self,
        room: &Arc<Room>,
        but: Option<&Arc<Peer>>,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        if but.is_some() && self.roster.connections() == 1 {
            // Nobody else is there to be told.
            self.roster.forget_news();
        } else if self.roster.users() <= shared.config.presence_exact {
            self.tell_now(room.name(), but.map(|peer| peer.id()), shared, effects);
        } else if self.telling.is_none() && self.roster.has_news() {
            let at = after(shared.config.presence_interval);
            self.telling = Some(room.at(at, shared, Room::tell_news));
        }
    }

    /// Tells all that has gathered.
    pub(crate) fn tell_now(
        &mut self,
        room: &RoomName,
        but: Option<SessionId>,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) {
        self.telling = None;
        if !self.roster.has_news() {
            return;
        }
        let news = self.roster.take_news(shared.config.half_reply());
        let events: Vec<_> = news
            .into_iter()
            .map(|(joined, left)| Event::new(room.clone(), EventKind::Presence { joined, left }))
            .collect();
        self.push(&events, but, effects);
    }

    /// Keeps the emptied room until then, or to the end of a process that stops: nobody can come back to it, so the wait is the next one's.
    pub(crate) fn linger(&mut self, room: &Arc<Room>, until: Instant, shared: &Arc<Shared>) {
        let until = if shared.is_stopping() { after(Duration::MAX) } else { until };
        self.lingering = Some(Linger { until, _timer: room.at(until, shared, Room::expire) });
    }

    /// Whether the room still waits for somebody to come back. A timer that comes late may find people here, or another wait.
    pub(crate) fn is_lingering(&self) -> bool {
        self.lingering.as_ref().is_some_and(|linger| linger.until > Instant::now())
    }

    /// Takes the next messages, in their order; those that are known already are nothing new.
    pub(crate) fn deliver(
        &mut self,
        room: &RoomName,
        messages: Vec<Arc<Message>>,
        effects: &mut Effects,
    ) {
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            if message.seq <= self.head {
                continue;
            }
            self.head = message.seq;
            self.recent.push(Arc::clone(&message));
            self.audience.tell(effects, || RoomEvent::Message {
                room: room.clone(),
                message: Arc::clone(&message),
            });
            events.push(Event::new(room.clone(), EventKind::Message(message)));
        }
        effects.tally.messages += events.len() as u64;
        let authors = self.sleeping_authors(&events);
        effects.tally.deliveries += self.push(&events, None, effects);
        effects.wake(authors);
    }

    /// Takes a message back; it is told once.
    pub(crate) fn redact(
        &mut self,
        room: &RoomName,
        seq: u64,
        by: Option<UserName>,
        effects: &mut Effects,
    ) {
        self.recent.redact(seq);
        if self.redacted.insert(seq, self.head).is_none() {
            let redacted = || RoomEvent::Redacted { room: room.clone(), seq, by: by.clone() };
            self.audience.tell(effects, redacted);
            let event = Event::new(room.clone(), EventKind::Redacted { seq, by });
            self.push(&[event], None, effects);
        }
    }

    /// Forgets the messages before `oldest`.
    pub(crate) fn trimmed(&mut self, oldest: u64) {
        if oldest > self.oldest {
            self.oldest = oldest;
            self.recent.trim(oldest);
            let kept = self.redacted.split_off(&oldest);
            let trimmed = std::mem::replace(&mut self.redacted, kept);
            self.forgotten = trimmed.into_values().fold(self.forgotten, u64::max);
        }
    }

    /// Those who wrote these, where they wait. They are woken last: what is woken last runs first, and what an author says next is then told to
    /// everybody else together with this.
    fn sleeping_authors(&self, events: &[Arc<Event>]) -> Vec<Waker> {
        let authors = events.iter().filter_map(|event| event.author());
        let peers = authors.flat_map(|user| self.roster.peers_of(user));
        peers.filter_map(|peer| peer.outbox.sleeper()).collect()
    }

    /// Tells everybody but one; says how many copies wait for somebody now.
    pub(crate) fn push(
        &self,
        events: &[Arc<Event>],
        but: Option<SessionId>,
        effects: &mut Effects,
    ) -> u64 {
        let mut queued = 0;
        if events.is_empty() {
            return queued;
        }
        let told = Outgoing::of(events);
        self.roster.peers().filter(|peer| Some(peer.id()) != but).for_each(|peer| {
            let pushed = peer.outbox.push(told.clone());
            queued += pushed.queued;
            effects.pushed(peer, pushed);
        });
        queued
    }

    /// Tells one.
    pub(crate) fn push_to(
        &self,
        peer: &Arc<Peer>,
        room: &RoomName,
        kind: EventKind,
        effects: &mut Effects,
    ) {
        let event = Event::new(room.clone(), kind);
        effects.pushed(peer, peer.outbox.push(Outgoing::Event(event)));
    }
}
