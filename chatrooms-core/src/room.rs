//! One life of a room: how it begins, who gets in and out, and how it ends. All of it under one lock.

use std::{fmt, pin::pin, time::Duration};

use tokio::{
    sync::{SetOnce, oneshot},
    time::Instant,
};

use crate::{
    ConnectionId, Error, Event, EventKind, Followed, Join, Joined, Message, News, Opened, Outgoing,
    Passing, People, Removal, RoomEnd, RoomEvent, RoomName, RoomRules, RoomSummary, SessionId,
    UserName,
    effects::{Effects, Ended},
    linked::{Guest, Taken, Taking},
    live::Live,
    peer::Peer,
    shared::Shared,
    steward::{Awaited, Desk, Errand, Errands},
    sweeper::Owed,
    sync::{AbortOnDropHandle, Arc, Handle, Mutex, after, in_time, lock},
    watcher::{Audience, Watcher},
};

/// One life of a room, from before it is opened until it is over.
pub(crate) struct Room {
    name: RoomName,
    /// Where the room's own work runs, so that a session can be dropped outside of it.
    pub(crate) runtime: Handle,
    /// Everything that must agree. Never held over an await. Taken before a peer's own locks and never after them.
    state: Mutex<State>,
    /// Set once the store has opened the life, or could not.
    opened: SetOnce<Result<(), Error>>,
    /// Where the room is one of a cluster: what its steward has to see to.
    pub(crate) desk: Option<Desk>,
}

#[derive(Debug)]
pub(crate) struct State {
    phase: Phase,
    /// Joins that have found this room and are not in it yet. While nobody has been in the room, they are what keeps it.
    arriving: usize,
}

#[derive(Debug)]
enum Phase {
    /// The store is being asked.
    Opening,
    /// People can be in it.
    Open(Box<Live>),
    /// Nobody will ever be in it again.
    Over,
}

/// How somebody went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// The connection was lost: where a linger is configured, an emptied room waits for a return.
    Lost,
    /// They went, or were made to go: an emptied room ends at once.
    Left,
    /// The room was closed.
    Closed,
}

/// Why nobody got in.
#[derive(Debug)]
pub(crate) enum NoEntry {
    /// This life is over: there is another one to try.
    Over,
    Refused(Error),
}

impl fmt::Debug for Room {
    // Who is there does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Room {
    /// One for which nobody is on the way.
    pub(crate) fn new(name: RoomName, runtime: Handle) -> Self {
        Self::awaited(name, runtime, 0)
    }

    /// One for which so many joins are on the way.
    pub(crate) fn awaited(name: RoomName, runtime: Handle, arriving: usize) -> Self {
        let state = State { phase: Phase::Opening, arriving };
        Self { name, runtime, state: Mutex::new(state), opened: SetOnce::new(), desk: None }
    }

    /// One of a cluster for which somebody is on the way, with what its steward is to be given.
    pub(crate) fn shared(name: RoomName, runtime: Handle) -> (Self, Errands) {
        let (desk, errands) = Desk::new();
        (Self { desk: Some(desk), ..Self::awaited(name, runtime, 1) }, errands)
    }

    pub(crate) const fn name(&self) -> &RoomName {
        &self.name
    }

    /// Announces a join, so that the room waits for it. The room itself where it is over.
    pub(crate) fn arrive(self: Arc<Self>, shared: &Arc<Shared>) -> Result<Arrival<'_>, Arc<Self>> {
        let is_over = {
            let mut state = lock(&self.state);
            let is_over = matches!(state.phase, Phase::Over);
            state.arriving += usize::from(!is_over);
            is_over
        };
        if is_over { Err(self) } else { Ok(Arrival::counted(self, shared)) }
    }

    /// Takes what the store said. A life that nobody waits for is over before it began, except one that was `kept` until some time for
    /// people to return to.
    pub(crate) fn open(
        self: &Arc<Self>,
        opened: Result<(Opened, RoomRules), Error>,
        kept: Option<Instant>,
        shared: &Arc<Shared>,
    ) {
        let mut over = None;
        let outcome = {
            let mut state = lock(&self.state);
            let is_awaited =
                matches!(state.phase, Phase::Opening) && (state.arriving > 0 || kept.is_some());
            match opened {
                Ok((opened, rules)) if is_awaited => {
                    let audience = Audience::new(shared.watchers.of(&self.name));
                    let mut live = Box::new(Live::new(opened, rules, audience, &shared.config));
                    if let Some(until) = kept {
                        live.linger(self, until, shared);
                    }
                    state.phase = Phase::Open(live);
                    Ok(())
                }
                Ok((opened, _)) => {
                    state.phase = Phase::Over;
                    over = Some(self.ended(Some(shared.sweeper.owe(opened.life))));
                    Err(Error::StoreUnavailable)
                }
                Err(error) => {
                    state.phase = Phase::Over;
                    over = Some(self.ended(None));
                    Err(error)
                }
            }
        };
        // Set before where the store has answered too late.
        let _ = self.opened.set(outcome);
        if let Some(ended) = over {
            ended.run(shared);
        }
    }

    /// A join is not on its way any more. A room for which nobody else comes is over with it.
    fn arrived(self: &Arc<Self>, state: &mut State, shared: &Shared, effects: &mut Effects) {
        state.arriving -= 1;
        if let Some(desk) = &self.desk {
            return desk.give(Errand::Look);
        }
        if state.is_deserted() {
            self.end(state, RoomEnd::Expired, shared, effects);
        }
    }

    /// Takes somebody out; says whether they were in.
    pub(crate) fn exit(
        self: &Arc<Self>,
        peer: &Peer,
        departure: Departure,
        shared: &Arc<Shared>,
        effects: &mut Effects,
    ) -> bool {
        let mut state = lock(&self.state);
        let Phase::Open(live) = &mut state.phase else { return false };
        if let Some(desk) = &self.desk {
            let Some(connection) = live.detach(peer, effects) else { return false };
            peer.exit(&self.name);
            desk.give(Errand::Exit { connection, lost: departure == Departure::Lost });
            return true;
        }
        if !live.remove(&self.name, peer, effects) {
            return false;
        }
        peer.exit(&self.name);
        self.after_exit(&mut state, departure, shared, effects);
        true
    }

    /// Has a session be out of this room of a cluster, which knows that already; says whether it was in it.
    pub(crate) fn let_out(&self, peer: &Peer, shared: &Arc<Shared>) -> bool {
        let gone = self.change(shared, |live, effects| {
            let gone = live.detach(peer, effects);
            gone.inspect(|_| peer.exit(&self.name)).is_some()
        });
        gone == Some(true)
    }

    /// Completes when somebody has left who was told everything before, on all nodes; where that cannot be now, it is never answered. `None` where there are none.
    pub(crate) fn left(&self, peer: &Arc<Peer>) -> Option<oneshot::Receiver<()>> {
        let (answer, left) = oneshot::channel();
        self.desk.as_ref()?.give(Errand::Leave { peer: Arc::clone(peer), answer });
        Some(left)
    }

    /// Has everything be taken in that had happened on other nodes when this was called; where that takes too long, or the room is over, nothing more is known.
    pub(crate) async fn catch_up(&self, shared: &Shared) {
        let Some(caught_up) = self.caught_up() else { return };
        let _ = in_time(shared.config.store_timeout, pin!(caught_up)).await;
    }

    /// Completes when all that was done here so far has reached the other nodes, or cannot any more; `None` where there are none.
    pub(crate) fn settled(&self) -> Option<oneshot::Receiver<()>> {
        let (waiting, settled) = oneshot::channel();
        self.desk.as_ref()?.give(Errand::Tell(waiting));
        Some(settled)
    }

    /// Completes when everything has been taken in that had happened on other nodes, or could not be; `None` where there are none.
    fn caught_up(&self) -> Option<oneshot::Receiver<()>> {
        let (waiting, caught_up) = oneshot::channel();
        self.desk.as_ref()?.give(Errand::CatchUp(waiting));
        Some(caught_up)
    }

    /// Removes all connections of a user, or everybody and the room with them; says how many connections of this node that were, and where the room is one of a cluster, what it is to say of
    /// the others.
    pub(crate) fn remove(
        self: &Arc<Self>,
        whom: Option<&UserName>,
        code: Removal,
        reason: Option<Arc<str>>,
        shared: &Arc<Shared>,
    ) -> (usize, Option<Awaited>) {
        let mut effects = Effects::default();
        let removed = {
            let mut state = lock(&self.state);
            let Phase::Open(live) = &mut state.phase else { return (0, None) };
            let peers: Vec<_> = match whom {
                Some(user) => live.roster.peers_of(user).cloned().collect(),
                None => live.roster.peers().cloned().collect(),
            };
            let said = self.desk.is_some().then(|| reason.clone()).flatten();
            let event = Event::new(self.name.clone(), EventKind::Removed { code, reason });
            for peer in &peers {
                match &self.desk {
                    None => _ = live.remove(&self.name, peer, &mut effects),
                    Some(desk) => {
                        let connection = live.detach(peer, &mut effects);
                        // With a room that is closed all of its connections go.
                        if let Some(connection) = connection.filter(|_| whom.is_some()) {
                            desk.give(Errand::Exit { connection, lost: false });
                        }
                    }
                }
                peer.exit(&self.name);
                let pushed = peer.outbox.push(Outgoing::Event(Arc::clone(&event)));
                effects.pushed(peer, pushed);
            }
            let mut awaited = None;
            if let Some(desk) = &self.desk {
                let (answer, answered) = oneshot::channel();
                awaited = Some(answered);
                // The other nodes' connections. Whoever comes from here on comes behind it.
                desk.give(match whom {
                    Some(user) => Errand::Remove { user: user.clone(), code, reason: said, answer },
                    None => Errand::Close { reason: said, answer },
                });
            } else if !peers.is_empty() || whom.is_none() {
                let departure = if whom.is_some() { Departure::Left } else { Departure::Closed };
                self.after_exit(&mut state, departure, shared, &mut effects);
            }
            (peers.len(), awaited)
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
        let linger = live.rules.linger;
        if !live.roster.is_empty() {
            return live.tell(self, None, shared, effects);
        }
        let reason = match departure {
            Departure::Lost if !linger.is_zero() => {
                return live.linger(self, after(linger), shared);
            }
            Departure::Lost => RoomEnd::Lost,
            Departure::Left => RoomEnd::Left,
            Departure::Closed => RoomEnd::Closed,
        };
        self.end(state, reason, shared, effects);
    }

    /// Ends this life: under the room's lock, once.
    fn end(
        self: &Arc<Self>,
        state: &mut State,
        reason: RoomEnd,
        shared: &Shared,
        effects: &mut Effects,
    ) {
        if let Phase::Open(mut live) = std::mem::replace(&mut state.phase, Phase::Over) {
            // What is shared has gone with the last exit.
            let is_ours = self.desk.is_none();
            let purge = (is_ours && reason.purges()).then(|| shared.sweeper.owe(live.life.clone()));
            let closed = live.end(self, reason, effects);
            effects.ended(Ended { room: Arc::clone(self), purge, live: Some(live), closed });
        }
    }

    /// The end of a life in which nobody has been.
    fn ended(self: &Arc<Self>, purge: Option<Owed>) -> Ended {
        Ended { room: Arc::clone(self), purge, live: None, closed: None }
    }

    /// Ends a room to which nobody has come back.
    pub(crate) fn expire(self: &Arc<Self>, shared: &Arc<Shared>) {
        if let Some(desk) = &self.desk {
            return desk.give(Errand::Expire);
        }
        let mut effects = Effects::default();
        {
            let mut state = lock(&self.state);
            if state.is_deserted() {
                self.end(&mut state, RoomEnd::Expired, shared, &mut effects);
            }
        }
        effects.run(shared);
    }

    /// Has a room that waits for a return wait on to the end of a process that stops.
    pub(crate) fn wait_on(self: &Arc<Self>, shared: &Arc<Shared>) {
        self.live(|live| {
            if live.is_lingering() {
                live.linger(self, after(Duration::MAX), shared);
            }
        });
        if let Some(desk) = &self.desk {
            // One that nobody is in is not kept for those who might ask about it.
            desk.give(Errand::Look);
        }
    }

    /// Lets go of a room that waits for a return, and of nothing that the store keeps of it: the return will be to another process. Says whether what is
    /// imposed there is not known to be kept.
    pub(crate) fn put_away(self: &Arc<Self>, shared: &Arc<Shared>) -> bool {
        let mut effects = Effects::default();
        let mut is_unkept = false;
        {
            let mut state = lock(&self.state);
            if let Phase::Open(live) = &state.phase
                && live.is_lingering()
            {
                is_unkept = !live.sanctions.are_noted();
                self.end(&mut state, RoomEnd::PutAway, shared, &mut effects);
            }
        }
        effects.run(shared);
        if let Some(desk) = &self.desk {
            desk.give(Errand::Look);
        }
        is_unkept
    }

    /// Begins the life that is shared, for the first one who has entered it on this node; or for those who ask about it, where nobody has.
    pub(crate) fn begin_shared(
        self: &Arc<Self>,
        Followed { life, news }: Followed,
        rules: RoomRules,
        guest: Option<&Guest<'_>>,
        shared: &Arc<Shared>,
    ) -> Taken {
        let News { head, oldest, messages, people, note, .. } = news;
        let (edge, connected, redacted) = match people {
            People::All { edge, connected, redacted } => (edge, connected, redacted),
            // Who knew nothing is told everything.
            People::Changed(_) => (0, Vec::new(), Vec::new()),
        };
        let opened = Opened { life, head, oldest, recent: messages, redacted, note: String::new() };
        let mut live = Box::new(Live::new(opened, rules, Audience::default(), &shared.config));
        live.linked = Some(Box::default());
        live.sanctions.share();
        if let Some(note) = &note {
            live.adopt(note);
        }
        let mut effects = Effects::default();
        let taken = {
            let mut state = lock(&self.state);
            let mut taking = Taking {
                live: &mut live,
                room: self,
                shared,
                effects: &mut effects,
                taken: Taken::default(),
            };
            match guest {
                Some(guest) => taking.begin(edge, connected, guest),
                None => taking.follow(edge, connected),
            }
            let taken = taking.taken;
            state.phase = Phase::Open(live);
            taken
        };
        effects.run(shared);
        taken
    }

    /// Takes what has happened in the cluster; `None` where the room is not open.
    pub(crate) fn take_news(
        self: &Arc<Self>,
        news: News,
        guest: Option<&Guest<'_>>,
        shared: &Arc<Shared>,
    ) -> Option<Taken> {
        self.change(shared, |live, effects| {
            let mut taking = Taking { live, room: self, shared, effects, taken: Taken::default() };
            taking.take(news, guest);
            taking.taken
        })
    }

    /// Ends what this node has of a life that is shared. Whoever is still told of the room is told that it is closed; their connections come back.
    pub(crate) fn part(
        self: &Arc<Self>,
        reason: RoomEnd,
        is_ours_to_tell: bool,
        why: Option<Arc<str>>,
        shared: &Arc<Shared>,
    ) -> Vec<ConnectionId> {
        let mut effects = Effects::default();
        let mut connections = Vec::new();
        {
            let mut state = lock(&self.state);
            match &mut state.phase {
                Phase::Over => return connections,
                Phase::Opening => {
                    state.phase = Phase::Over;
                    effects.ended(self.ended(None));
                }
                Phase::Open(live) => {
                    let kind = EventKind::Removed { code: Removal::RoomClosed, reason: why };
                    let event = Event::new(self.name.clone(), kind);
                    let peers: Vec<_> = live.roster.peers().cloned().collect();
                    for peer in peers {
                        connections.extend(live.detach(&peer, &mut effects));
                        peer.exit(&self.name);
                        let pushed = peer.outbox.push(Outgoing::Event(Arc::clone(&event)));
                        effects.pushed(&peer, pushed);
                    }
                    if !is_ours_to_tell {
                        live.leave_the_end_to_others();
                    }
                    self.end(&mut state, reason, shared, &mut effects);
                }
            }
        }
        effects.run(shared);
        connections
    }

    /// Lets go of a room in which nobody of this node is, or is about to be; says whether it has.
    pub(crate) fn let_go(self: &Arc<Self>, shared: &Arc<Shared>) -> bool {
        let mut effects = Effects::default();
        {
            let mut state = lock(&self.state);
            if state.arriving > 0 {
                return false;
            }
            match &mut state.phase {
                Phase::Over => return true,
                Phase::Opening => {
                    state.phase = Phase::Over;
                    effects.ended(self.ended(None));
                }
                Phase::Open(live) => {
                    if !live.is_nobodys_here() || live.is_lingering() {
                        return false;
                    }
                    live.leave_the_end_to_others();
                    self.end(&mut state, RoomEnd::Elsewhere, shared, &mut effects);
                }
            }
        }
        effects.run(shared);
        true
    }

    /// Whether nobody will ever be in it again.
    pub(crate) fn is_over(&self) -> bool {
        matches!(lock(&self.state).phase, Phase::Over)
    }

    /// Does something with the room then, unless the room is gone by then.
    pub(crate) fn at(
        self: &Arc<Self>,
        time: Instant,
        shared: &Arc<Shared>,
        act: fn(&Arc<Self>, &Arc<Shared>),
    ) -> AbortOnDropHandle<()> {
        let (room, shared) = (Arc::downgrade(self), Arc::downgrade(shared));
        AbortOnDropHandle::new(self.runtime.spawn(async move {
            tokio::time::sleep_until(time).await;
            if let (Some(room), Some(shared)) = (room.upgrade(), shared.upgrade()) {
                act(&room, &shared);
            }
        }))
    }

    /// Does something with the open room and what that causes; `None` where it is not open.
    fn change<T>(
        &self,
        shared: &Arc<Shared>,
        change: impl FnOnce(&mut Live, &mut Effects) -> T,
    ) -> Option<T> {
        let mut effects = Effects::default();
        let changed = self.live(|live| change(live, &mut effects));
        effects.run(shared);
        changed
    }

    /// Asks the open room, whether somebody is in it or not.
    pub(crate) fn live<T>(&self, ask: impl FnOnce(&mut Live) -> T) -> Option<T> {
        match &mut lock(&self.state).phase {
            Phase::Open(live) => Some(ask(live)),
            Phase::Opening | Phase::Over => None,
        }
    }

    /// Asks the open room, where somebody is in it.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&mut Live) -> T) -> Result<T, Error> {
        self.live(|live| (!live.roster.is_empty()).then(|| ask(live)))
            .flatten()
            .ok_or(Error::NotFound)
    }

    /// Tells the news that have gathered.
    pub(crate) fn tell_news(self: &Arc<Self>, shared: &Arc<Shared>) {
        self.change(shared, |live, effects| live.tell_now(&self.name, None, shared, effects));
    }

    /// Relays something passing to everybody but its sender.
    pub(crate) fn signal(
        &self,
        from: SessionId,
        passing: &Passing,
        shared: &Arc<Shared>,
    ) -> Result<(), Error> {
        let (user, kind) = (&passing.user, signal(passing.clone()));
        let event = Event::new(self.name.clone(), kind);
        let relayed = self.change(shared, |live, effects| {
            if !live.roster.contains(user, from) {
                return Err(Error::NotInRoom);
            }
            if live.sanctions.mutes.holds(user) {
                return Err(Error::Muted);
            }
            live.push(&[event], Some(from), effects);
            effects.tally.signals += 1;
            // Whoever has entered elsewhere just now is not known here yet, and is to hear it all the same.
            if let Some(desk) = &self.desk {
                desk.give(Errand::Pass(passing.clone()));
            }
            Ok(())
        });
        relayed.unwrap_or(Err(Error::NotInRoom))
    }

    /// Tells everybody here something passing from another node.
    pub(crate) fn hear(&self, passing: Passing, shared: &Arc<Shared>) {
        let event = Event::new(self.name.clone(), signal(passing));
        self.change(shared, |live, effects| _ = live.push(&[event], None, effects));
    }

    /// Puts a page of the members into a member's queue, so that what follows there are the changes from it.
    pub(crate) fn tell_members(
        &self,
        whom: &Arc<Peer>,
        after: Option<&UserName>,
        tag: Option<u64>,
        shared: &Arc<Shared>,
    ) -> Result<(), Error> {
        let told = self.change(shared, |live, effects| {
            let is_member = live.roster.contains(whom.user(), whom.id());
            if is_member {
                let bytes = shared.config.whole_reply();
                let page = live.roster.page(after, Some(whom.user()), bytes);
                live.push_to(whom, &self.name, EventKind::Members { tag, page }, effects);
            }
            is_member
        });
        if told == Some(true) { Ok(()) } else { Err(Error::NotInRoom) }
    }

    /// Delivers messages that the store has accepted, in their order.
    pub(crate) fn deliver(&self, messages: Vec<Arc<Message>>, shared: &Arc<Shared>) {
        self.change(shared, |live, effects| live.deliver(&self.name, messages, effects));
    }

    /// Tells everybody that a message has been taken back.
    pub(crate) fn redacted(&self, seq: u64, by: Option<UserName>, shared: &Arc<Shared>) {
        self.change(shared, |live, effects| live.redact(&self.name, seq, by, effects));
    }

    /// Has a watcher told everything from now on; returns where the room stands, where somebody has been in it and the watcher is new here.
    pub(crate) fn attach(&self, watcher: &Arc<Watcher>) -> Option<RoomEvent> {
        self.live(|live| live.attach(&self.name, watcher)).flatten()
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
}

fn signal(Passing { user, name, data }: Passing) -> EventKind {
    EventKind::Signal { user, name, data }
}

impl State {
    /// Whether nobody is here, nobody is on the way, and there is nothing more to wait for.
    fn is_deserted(&self) -> bool {
        let Phase::Open(live) = &self.phase else { return false };
        self.arriving == 0 && live.roster.is_empty() && !live.is_lingering()
    }
}

/// A join on its way: dropping it, at whatever moment, leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) room: Arc<Room>,
    shared: &'a Arc<Shared>,
    is_on_its_way: bool,
}

impl<'a> Arrival<'a> {
    /// One that the room counts already.
    pub(crate) const fn counted(room: Arc<Room>, shared: &'a Arc<Shared>) -> Self {
        Self { room, shared, is_on_its_way: true }
    }

    /// Waits until the store has answered.
    pub(crate) async fn opened(&self) -> Result<(), Error> {
        let opened = &self.room.opened;
        match opened.get() {
            Some(opened) => opened.clone(),
            None => opened.wait().await.clone(),
        }
    }

    /// Enters by the cluster: the room's steward lets somebody in where their entry stands in the order of the life that is shared.
    pub(crate) async fn enter_shared(
        self,
        peer: &Arc<Peer>,
        join: &Join,
    ) -> Result<Arc<Joined>, NoEntry> {
        let Some(desk) = &self.room.desk else { return Err(NoEntry::Over) };
        let asked = peer.ask(&self.room).ok_or(NoEntry::Refused(Error::SessionEnded))?;
        let (answer, answered) = oneshot::channel();
        desk.give(Errand::Enter { asked, join: join.clone(), answer });
        // A steward that has gone had nobody to see to: the next one will.
        answered.await.unwrap_or(Err(NoEntry::Over))
    }

    /// Has the room's steward take part in the life that there is, without anybody entering.
    pub(crate) async fn follow(&self) -> Result<(), NoEntry> {
        let Some(desk) = &self.room.desk else { return Err(NoEntry::Over) };
        let (answer, answered) = oneshot::channel();
        desk.give(Errand::Follow { answer });
        // As with those who enter.
        answered.await.unwrap_or(Err(NoEntry::Over))
    }

    /// Lets somebody in: from here on they are told everything, and what was before is in the answer.
    pub(crate) fn enter(mut self, peer: &Arc<Peer>, join: &Join) -> Result<Arc<Joined>, NoEntry> {
        let (room, shared) = (&self.room, self.shared);
        let mut effects = Effects::default();
        let entered = {
            let mut state = lock(&room.state);
            let entered = match &mut state.phase {
                Phase::Open(live) => {
                    live.enter(room, peer, join, shared, &mut effects).map_err(NoEntry::Refused)
                }
                Phase::Opening | Phase::Over => Err(NoEntry::Over),
            };
            self.is_on_its_way = false;
            room.arrived(&mut state, shared, &mut effects);
            entered
        };
        effects.run(shared);
        entered
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if self.is_on_its_way {
            let mut effects = Effects::default();
            self.room.arrived(&mut lock(&self.room.state), self.shared, &mut effects);
            effects.run(self.shared);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        RoomRegistry,
        testing::{TestClient, room, user},
    };

    use super::*;

    /// Ada has found the room, and was kicked then; bob is there.
    async fn kicked(registry: &RoomRegistry) -> (Arc<Room>, TestClient, TestClient) {
        let ada = TestClient::joined(registry, "ada", "lobby").await;
        let bob = TestClient::joined(registry, "bob", "lobby").await;
        let lobby = ada.session.peer().room(&room("lobby")).unwrap();
        assert_eq!(registry.moderation(&room("lobby")).kick(&user("ada"), None).await, Ok(1));
        ada.told();
        bob.told();
        (lobby, ada, bob)
    }

    #[tokio::test]
    async fn a_signal_of_somebody_who_was_kicked_meanwhile_reaches_nobody() {
        let registry = RoomRegistry::new();
        let (lobby, ada, bob) = kicked(&registry).await;
        let typing = Passing { user: user("ada"), name: "typing".into(), data: None };
        let from = ada.session.id();
        assert_eq!(lobby.signal(from, &typing, registry.shared()), Err(Error::NotInRoom));
        assert_eq!(bob.told(), [""; 0]);
    }

    #[tokio::test]
    async fn who_was_kicked_meanwhile_is_not_told_who_is_there() {
        let registry = RoomRegistry::new();
        let (lobby, ada, _bob) = kicked(&registry).await;
        let told = lobby.tell_members(ada.session.peer(), None, None, registry.shared());
        assert_eq!(told, Err(Error::NotInRoom));
        assert_eq!(ada.told(), [""; 0]);
    }
}
