//! A trace as the rules read it: connections and what was asked, instead of steps.

use std::collections::{HashMap, HashSet};

use super::{Fault, Log, Outcome, Place, Request, Told, Trace, Violation, What};
use crate::{Draft, Epoch, Joined, Member, Members, Message, Page, RoomName, UserName, sync::Arc};

/// What has no end in the trace ends after it.
pub(super) const NEVER: u64 = u64::MAX;

/// From before something was asked until after it was answered: it happened in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// A session in a room, from its join to its end.
#[derive(Debug)]
pub(super) struct Connection<'t> {
    pub(super) client: usize,
    /// The step that tells of its join.
    pub(super) step: usize,
    pub(super) user: Option<&'t UserName>,
    pub(super) room: &'t RoomName,
    pub(super) cut: &'t Joined,
    /// The join that was granted, where it is known which.
    pub(super) wish: Option<Wish>,
    pub(super) came: Span,
    pub(super) went: Option<Going>,
    /// What it saw after its join.
    pub(super) seen: Vec<Sight<'t>>,
}

/// What somebody wanted who joined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) resume: Option<(Epoch, u64)>,
    pub(super) history: Option<usize>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Going {
    pub(super) span: Span,
    /// The step that shows it.
    pub(super) step: usize,
    pub(super) how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By asking for it: it lasted at least until then, and not longer than until it was answered.
    Left,
    /// With its session, which the client ended.
    Closed,
    /// By somebody else: it had ended when the client learned of it.
    Removed,
    /// With its session, which was lost: others may learn of it later.
    Lost,
    /// The same, and it had gone by then for certain.
    Gone,
}

/// Something that a connection saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'t> {
    pub(super) at: u64,
    pub(super) step: usize,
    pub(super) what: Seen<'t>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'t> {
    Message(&'t Arc<Message>),
    Redacted(u64),
    Presence {
        joined: &'t [Arc<Member>],
        left: &'t [UserName],
    },
    /// Asked for at a time, after a user.
    Members {
        page: &'t Members,
        asked: u64,
        after: Option<&'t UserName>,
    },
    Settled,
}

/// Something that a client asked for, whatever it is, with its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed<'t, T> {
    pub(super) client: usize,
    pub(super) user: Option<&'t UserName>,
    pub(super) step: usize,
    pub(super) room: &'t RoomName,
    pub(super) span: Span,
    pub(super) what: T,
}

/// Something said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saying<'t> {
    pub(super) draft: &'t Draft,
    /// Who says it.
    pub(super) by: Option<&'t UserName>,
    pub(super) became: Became<'t>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Became<'t> {
    Accepted { seq: u64, duplicate: bool },
    Refused(&'t Arc<str>),
    Unknown,
}

/// A page of messages, and what was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'t> {
    pub(super) before: Option<u64>,
    /// How many messages may come.
    pub(super) most: usize,
    pub(super) page: &'t Page,
}

/// A connection that may have been: a join that was not refused, and of which the client has learned no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hidden<'t> {
    pub(super) client: usize,
    pub(super) user: Option<&'t UserName>,
    pub(super) room: &'t RoomName,
    pub(super) span: Span,
}

/// A trace, read.
#[derive(Debug)]
pub(super) struct Run<'t> {
    pub(super) trace: &'t Trace,
    pub(super) connections: Vec<Connection<'t>>,
    pub(super) sayings: Vec<Deed<'t, Saying<'t>>>,
    pub(super) readings: Vec<Deed<'t, Reading<'t>>>,
    /// Joins that may have been granted, and nobody was told: where somebody may have been, in whatever life, and when.
    pub(super) hidden: Vec<Hidden<'t>>,
    /// Signals that were asked for, and when.
    pub(super) signals: Vec<Deed<'t, ()>>,
    /// Signals that came, and by whom they are said to be.
    pub(super) heard: Vec<Deed<'t, &'t UserName>>,
    /// Requests that were refused because the client is not in the room.
    pub(super) disowned: Vec<Deed<'t, ()>>,
    /// Requests that were granted, and that nobody has to be granted who is not in the room.
    pub(super) owned: Vec<Deed<'t, ()>>,
    /// Messages that may have been taken back.
    pub(super) redactions: Vec<Deed<'t, u64>>,
    /// The connections of each client to each room, in their order.
    of: HashMap<(usize, &'t RoomName), Vec<usize>>,
    pub(super) found: Vec<Violation>,
}

impl<'t> Run<'t> {
    /// Reads a trace. What cannot be so in one client's log by itself is found meanwhile.
    pub(super) fn read(trace: &'t Trace) -> Self {
        let mut run = Self {
            trace,
            connections: Vec::new(),
            sayings: Vec::new(),
            readings: Vec::new(),
            hidden: Vec::new(),
            signals: Vec::new(),
            heard: Vec::new(),
            disowned: Vec::new(),
            owned: Vec::new(),
            redactions: Vec::new(),
            of: HashMap::new(),
            found: Vec::new(),
        };
        for client in 0..trace.clients.len() {
            Walk::new(client, &mut run).along();
        }
        run.note_removals();
        run
    }

    pub(super) fn log(&self, client: usize) -> &'t Log {
        &self.trace.clients[client]
    }

    pub(super) fn place(&self, client: usize, step: usize, room: Option<&RoomName>) -> Place {
        Place { client, user: self.log(client).user.clone(), step, room: room.cloned() }
    }

    pub(super) fn blame(&mut self, fault: Fault, place: Place) {
        self.found.push(Violation { fault, place });
    }

    /// How many messages of a room are kept at least.
    pub(super) fn keep(&self) -> u64 {
        self.trace.clients.iter().map(|log| log.bounds.keep as u64).min().unwrap_or(0)
    }

    /// The lives in which a client was in a room at some time of that span.
    pub(super) fn lives(&self, client: usize, room: &RoomName, span: Span) -> Vec<Epoch> {
        let all = self.of.get(&(client, room)).map_or(&[][..], Vec::as_slice);
        let ended = |index: &usize| self.connections[*index].gone() < span.from;
        let first = all.partition_point(ended);
        let connections = all[first..].iter().map(|index| &self.connections[*index]);
        let mut lives: Vec<_> = connections
            .take_while(|connection| connection.came.from <= span.to)
            .map(|connection| connection.cut.epoch)
            .collect();
        lives.dedup();
        lives
    }

    /// Whether a client was in a room the whole time, by one connection.
    pub(super) fn is_in(&self, client: usize, room: &RoomName, span: Span) -> bool {
        let all = self.of.get(&(client, room)).map_or(&[][..], Vec::as_slice);
        all.iter().any(|index| self.connections[*index].covers(span))
    }

    /// Whether a client may have been in a room at some time of that span.
    pub(super) fn may_be_in(&self, client: usize, room: &RoomName, span: Span) -> bool {
        let all = self.of.get(&(client, room)).map_or(&[][..], Vec::as_slice);
        all.iter().any(|index| self.connections[*index].may_overlap(span))
            || self.may_be_hidden_in(client, room, span)
    }

    /// Whether a client may have been in a room at some time of that span without having been told, in whatever life.
    pub(super) fn may_be_hidden_in(&self, client: usize, room: &RoomName, span: Span) -> bool {
        let own = self.hidden.iter().filter(|hidden| hidden.client == client);
        let mut here = own.filter(|hidden| hidden.room == room);
        here.any(|hidden| hidden.span.from <= span.to && hidden.span.to >= span.from)
    }

    /// The only one, where there is only one.
    pub(super) fn life<T>(&self, deed: &Deed<'t, T>) -> Option<Epoch> {
        match self.lives(deed.client, deed.room, deed.span)[..] {
            [epoch] => Some(epoch),
            _ => None,
        }
    }

    /// Who was taken out by somebody else had gone when that was answered.
    fn note_removals(&mut self) {
        for log in &self.trace.clients {
            let mut removals = HashMap::new();
            for step in &log.steps {
                match &step.what {
                    What::Asked { call, request: Request::Remove { room, user } } => {
                        removals.insert(*call, (step.at, room.as_ref(), user.as_ref()));
                    }
                    What::Answered { call, outcome: Outcome::Done } => {
                        if let Some((from, room, user)) = removals.remove(call) {
                            self.note_removal(Span { from, to: step.at }, room, user);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn note_removal(&mut self, span: Span, room: Option<&RoomName>, user: Option<&UserName>) {
        for connection in &mut self.connections {
            let meant = room.is_none_or(|room| connection.room == room)
                && user.is_none_or(|user| connection.user == Some(user));
            if !meant || connection.came.to >= span.from {
                continue;
            }
            let step = self.trace.clients[connection.client].steps.len().saturating_sub(1);
            let removed = Going { span: Span { from: 0, ..span }, step, how: How::Removed };
            let going = connection.went.get_or_insert(removed);
            going.gone_by(span.to, How::Removed);
        }
    }
}

impl Going {
    /// It had gone then for certain, whatever is known else; where it was lost, in this way.
    fn gone_by(&mut self, time: u64, how: How) {
        if self.how == How::Lost {
            *self = Self { how, span: Span { from: 0, to: time }, ..*self };
        }
        self.span.to = self.span.to.min(time);
    }
}

impl Connection<'_> {
    /// When it had ended for certain.
    pub(super) fn gone(&self) -> u64 {
        self.went.map_or(NEVER, |going| going.span.to)
    }

    /// Until when it lasted for certain; 0 where nothing is certain. One that has not ended may have been ended and not know it yet, unless all is settled.
    pub(super) fn lasted(&self) -> u64 {
        match self.went {
            Some(Going { span, how: How::Left | How::Closed, .. }) => span.from,
            Some(Going { how: How::Removed | How::Lost | How::Gone, .. }) => 0,
            None => self.settled().unwrap_or(0),
        }
    }

    /// When it was settled last.
    pub(super) fn settled(&self) -> Option<u64> {
        let is_settled = |sight: &&Sight<'_>| matches!(sight.what, Seen::Settled);
        self.seen.iter().rev().find(is_settled).map(|sight| sight.at)
    }

    /// Whether it may have been there at some time of the span. One that was lost is there until others learn of it.
    pub(super) fn may_overlap(&self, span: Span) -> bool {
        let is_lost = self.went.is_some_and(|going| going.how == How::Lost);
        self.came.from <= span.to && (is_lost || self.gone() >= span.from)
    }

    /// Whether it was there the whole time.
    pub(super) fn covers(&self, span: Span) -> bool {
        self.came.to <= span.from && self.lasted() >= span.to
    }
}

/// Reads one log.
struct Walk<'r, 't> {
    run: &'r mut Run<'t>,
    client: usize,
    log: &'t Log,
    /// The rooms it is in, and the connection to each.
    rooms: HashMap<&'t RoomName, usize>,
    /// What waits for an answer.
    waiting: HashMap<u64, (u64, usize, &'t Request)>,
    /// What is answered at some time. A request without a number of its own on the wire never is.
    answers: HashSet<u64>,
    /// Requests to leave that were answered without a number.
    left: HashSet<u64>,
    /// What waits for an answer and has a turn, room by room.
    turns: HashMap<&'t RoomName, Vec<u64>>,
    /// Joins that have been granted: their answer may come yet.
    granted: HashSet<u64>,
    /// The first of this client's connections.
    first: usize,
    /// The first of this client's joins that stay hidden.
    hidden: usize,
    /// Where it may be without having been told.
    may_be: HashSet<&'t RoomName>,
    bye: Option<&'t Arc<str>>,
    has_ended: bool,
    /// Whether the session has an end that is told, now or later.
    ends: bool,
    /// When the session had ended for certain, and was nowhere any more.
    ended_itself: Option<u64>,
}

impl<'r, 't> Walk<'r, 't> {
    fn new(client: usize, run: &'r mut Run<'t>) -> Self {
        let log = run.log(client);
        let answers = log.steps.iter().filter_map(|step| match step.what {
            What::Answered { call, .. } => Some(call),
            _ => None,
        });
        Self {
            answers: answers.collect(),
            ends: log.steps.iter().any(|step| matches!(step.what, What::Told(Told::Ended { .. }))),
            first: run.connections.len(),
            hidden: run.hidden.len(),
            may_be: HashSet::new(),
            ended_itself: None,
            run,
            client,
            log,
            rooms: HashMap::new(),
            waiting: HashMap::new(),
            left: HashSet::new(),
            turns: HashMap::new(),
            granted: HashSet::new(),
            bye: None,
            has_ended: false,
        }
    }

    fn along(mut self) {
        for (index, step) in self.log.steps.iter().enumerate() {
            match &step.what {
                What::Asked { call, request } => self.asked(*call, index, step.at, request),
                What::Answered { call, outcome } => self.answered(*call, index, step.at, outcome),
                What::Told(told) => self.told(index, step.at, told),
                What::Unanswered { call } => self.unanswered(*call, index),
                What::Settled => {
                    for connection in self.rooms.values() {
                        let sight = Sight { at: step.at, step: index, what: Seen::Settled };
                        self.run.connections[*connection].seen.push(sight);
                    }
                }
            }
        }
        // What was never answered may have been done at any time.
        let open: Vec<_> = self.waiting.drain().collect();
        for (call, (from, step, request)) in open {
            if !self.granted.contains(&call) {
                self.became(step, Span { from, to: NEVER }, request, &Outcome::Unknown);
            }
        }
        let end = self.ended_itself.unwrap_or(NEVER);
        self.run.hidden[self.hidden..].iter_mut().for_each(|hidden| hidden.span.to = end);
    }

    fn blame(&mut self, fault: Fault, step: usize, room: Option<&RoomName>) {
        let place = self.run.place(self.client, step, room);
        self.run.blame(fault, place);
    }

    fn asked(&mut self, call: u64, step: usize, at: u64, request: &'t Request) {
        self.waiting.insert(call, (at, step, request));
        if let Request::Signal { room } = request {
            let deed = self.deed(step, room, Span { from: at, to: NEVER }, ());
            self.run.signals.push(deed);
        }
        if let Some(room) = request.room()
            && request.has_a_turn()
            && self.answers.contains(&call)
        {
            self.turns.entry(room).or_default().push(call);
        }
    }

    fn answered(&mut self, call: u64, step: usize, at: u64, outcome: &'t Outcome) {
        if self.bye.is_some() && self.log.in_order {
            self.blame(Fault::AfterTheEnd {}, step, None);
        }
        let Some((from, asked, request)) = self.waiting.remove(&call) else {
            return self.blame(Fault::AnswerToNothing { call }, step, None);
        };
        self.take_turn(call, step, request);
        let span = Span { from, to: at };
        if !request.can_become(outcome) || self.is_untold(request, from, outcome) {
            self.blame(Fault::MisAnswered { call }, step, request.room());
        }
        self.note_whether_it_is_in(step, span, request, outcome);
        match (request, outcome) {
            (Request::Leave { room }, Outcome::Done) => self.leaves(step, room, span),
            (Request::Members { room, after }, Outcome::Members(page)) => {
                if let Some(connection) = self.rooms.get(room) {
                    let what = Seen::Members { page, asked: from, after: after.as_ref() };
                    self.run.connections[*connection].seen.push(Sight { at, step, what });
                }
            }
            (Request::History { room, before, limit }, Outcome::History(page)) => {
                let most = self.log.bounds.history;
                let most = limit.map_or(most, |limit| limit.max(1).min(most));
                let what = Reading { before: *before, most, page };
                let deed = self.deed(step, room, span, what);
                self.run.readings.push(deed);
            }
            (Request::End, _) => {
                self.ended_itself = Some(at);
                self.ends(step, span, How::Closed);
                // What was ended by somebody else before has ended by now too.
                let own = self.run.connections[self.first..].iter_mut();
                own.filter_map(|one| one.went.as_mut())
                    .for_each(|going| going.gone_by(at, How::Gone));
            }
            (Request::Join { .. }, _) if self.granted.contains(&call) => {}
            _ => self.became(asked, span, request, outcome),
        }
    }

    /// Whether a join was granted and the client has not been told how things stand. Who is told nothing any more, or was about to be, need not have been.
    fn is_untold(&self, request: &Request, asked: u64, outcome: &Outcome) -> bool {
        let Request::Join { room, .. } = request else { return false };
        let last = self.run.of.get(&(self.client, room)).and_then(|all| all.last());
        let is_told = last.is_some_and(|last| self.run.connections[*last].came.to > asked);
        let is_ending = self.has_ended || (self.ends && !self.log.in_order);
        matches!(outcome, Outcome::Done) && !is_told && !is_ending
    }

    /// Notes what an answer says of whether the client is in the room.
    fn note_whether_it_is_in(
        &mut self,
        step: usize,
        span: Span,
        request: &'t Request,
        outcome: &Outcome,
    ) {
        let Some(room) = request.room() else { return };
        let deed = self.deed(step, room, span, ());
        match outcome {
            Outcome::Refused { code } if &**code == "not_in_room" => self.run.disowned.push(deed),
            Outcome::Refused { .. } | Outcome::Unknown => {}
            // Whoever has no name need not be there.
            _ if request.is_a_members() && self.log.user.is_some() => self.run.owned.push(deed),
            _ => {}
        }
    }

    /// What became of something that was said or taken back.
    fn became(&mut self, step: usize, span: Span, request: &'t Request, outcome: &'t Outcome) {
        match request {
            Request::Send { room, draft } => {
                let became = match outcome {
                    Outcome::Sent { seq, duplicate } => {
                        Became::Accepted { seq: *seq, duplicate: *duplicate }
                    }
                    Outcome::Refused { code } => Became::Refused(code),
                    _ => Became::Unknown,
                };
                let by = draft.user.as_ref().or(self.log.user.as_ref());
                let deed = self.deed(step, room, span, Saying { draft, by, became });
                self.run.sayings.push(deed);
            }
            // Told or not, it may have been there.
            Request::Join { room, .. } if !matches!(outcome, Outcome::Refused { .. }) => {
                let user = self.log.user.as_ref();
                self.run.hidden.push(Hidden { client: self.client, user, room, span });
                self.may_be.insert(room);
            }
            Request::Redact { room, seq } if !matches!(outcome, Outcome::Refused { .. }) => {
                // Where it is not known whether it has been done, it may yet be.
                let to = if matches!(outcome, Outcome::Done) { span.to } else { NEVER };
                let deed = self.deed(step, room, Span { to, ..span }, *seq);
                self.run.redactions.push(deed);
            }
            _ => {}
        }
    }

    fn deed<T>(&self, step: usize, room: &'t RoomName, span: Span, what: T) -> Deed<'t, T> {
        Deed { client: self.client, user: self.log.user.as_ref(), step, room, span, what }
    }

    fn take_turn(&mut self, call: u64, step: usize, request: &'t Request) {
        let Some(room) = request.room() else { return };
        let Some(turns) = self.turns.get_mut(room) else { return };
        let Some(turn) = turns.iter().position(|waiting| *waiting == call) else { return };
        turns.remove(turn);
        if turn > 0 && self.log.in_order {
            self.blame(Fault::AnsweredOutOfTurn { call }, step, Some(room));
        }
    }

    fn unanswered(&mut self, call: u64, step: usize) {
        let goes_on = self.bye.is_none() && !self.has_ended && self.ended_itself.is_none();
        if let Some((_, _, request)) = self.waiting.get(&call).filter(|_| goes_on) {
            self.blame(Fault::Unanswered { call }, step, request.room());
        }
    }

    fn told(&mut self, step: usize, at: u64, told: &'t Told) {
        if self.has_ended || (self.bye.is_some() && !matches!(told, Told::Ended { .. })) {
            self.blame(Fault::AfterTheEnd {}, step, told.room());
        }
        match told {
            Told::Joined { call, room, cut } => self.joins(step, at, *call, (room, cut)),
            Told::Message { room, message } => self.sees(step, at, room, Seen::Message(message)),
            Told::Redacted { room, seq } => self.sees(step, at, room, Seen::Redacted(*seq)),
            Told::Presence { room, joined, left } => {
                self.sees(step, at, room, Seen::Presence { joined, left });
            }
            Told::Signal { room, user } => {
                if self.rooms.contains_key(room) {
                    let deed = self.deed(step, room, Span { from: 0, to: at }, user);
                    self.run.heard.push(deed);
                } else {
                    self.blame(Fault::NotInRoom {}, step, Some(room));
                }
            }
            Told::Left { room } => {
                if !self.asked_to_leave(room) && self.rooms.contains_key(room) {
                    self.blame(Fault::LeftUnasked {}, step, Some(room));
                }
                self.leaves(step, room, Span { from: 0, to: at });
            }
            Told::Removed { room } => match self.rooms.remove(room) {
                Some(connection) => {
                    let span = Span { from: 0, to: at };
                    self.goes(connection, Going { span, step, how: How::Removed });
                }
                None => self.blame(Fault::NotInRoom {}, step, Some(room)),
            },
            Told::Bye { code } => self.bye = Some(code),
            Told::Ended { code } => self.ended(step, at, code.as_ref()),
        }
    }

    fn ended(&mut self, step: usize, at: u64, code: Option<&Arc<str>>) {
        if let (Some(bye), Some(end)) = (self.bye, code)
            && bye != end
        {
            let fault = Fault::MisnamedEnd { bye: Arc::clone(bye), end: Arc::clone(end) };
            self.blame(fault, step, None);
        }
        self.has_ended = true;
        self.ends(step, Span { from: 0, to: at }, How::Lost);
    }

    fn ends(&mut self, step: usize, span: Span, how: How) {
        let open: Vec<_> = self.rooms.drain().map(|(_, connection)| connection).collect();
        for connection in open {
            self.goes(connection, Going { span, step, how });
        }
    }

    fn joins(
        &mut self,
        step: usize,
        at: u64,
        call: Option<u64>,
        (room, cut): (&'t RoomName, &'t Arc<Joined>),
    ) {
        // One that was not asked for replaces what was.
        if let Some(before) = self.rooms.remove(room) {
            if call.is_some() {
                self.blame(Fault::JoinedTwice {}, step, Some(room));
            }
            let span = Span { from: 0, to: at };
            self.goes(before, Going { span, step, how: How::Removed });
        }
        let asked = call.and_then(|call| Some((call, *self.waiting.get(&call)?)));
        let wish = asked.and_then(|(call, (_, _, request))| match request {
            Request::Join { resume, history, .. } if self.granted.insert(call) => {
                Some(Wish { resume: *resume, history: *history })
            }
            _ => None,
        });
        if call.is_some() && wish.is_none() {
            self.blame(Fault::AnswerToNothing { call: call.unwrap_or(0) }, step, Some(room));
        }
        let from = asked.map_or(self.log.began, |(_, (from, _, _))| from);
        let index = self.run.connections.len();
        self.run.connections.push(Connection {
            client: self.client,
            step,
            user: self.log.user.as_ref(),
            room,
            cut,
            wish,
            came: Span { from, to: at },
            went: None,
            seen: Vec::new(),
        });
        self.run.of.entry((self.client, room)).or_default().push(index);
        self.rooms.insert(room, index);
        let most = self.log.bounds.rooms_per_session;
        if self.rooms.len() > most {
            self.blame(Fault::TooManyRooms { most }, step, Some(room));
        }
    }

    fn sees(&mut self, step: usize, at: u64, room: &'t RoomName, what: Seen<'t>) {
        match self.rooms.get(room) {
            Some(connection) => {
                self.run.connections[*connection].seen.push(Sight { at, step, what });
            }
            None => self.blame(Fault::NotInRoom {}, step, Some(room)),
        }
    }

    fn leaves(&mut self, step: usize, room: &'t RoomName, span: Span) {
        match self.rooms.remove(room) {
            Some(connection) => self.goes(connection, Going { span, step, how: How::Left }),
            // A session that is being ended is told nothing any more, and may still leave.
            None if self.may_be.remove(room) || self.has_ended => {}
            None => self.blame(Fault::NotInRoom {}, step, Some(room)),
        }
    }

    /// Finds the request that has been answered without a number by having left, the oldest first; says whether there is one.
    fn asked_to_leave(&mut self, at: &RoomName) -> bool {
        let joined = self.rooms.get(at).map(|connection| self.run.connections[*connection].came);
        // What a socket asked for before a join has had its answer before the join's.
        let since = joined.filter(|_| self.log.in_order).map_or(0, |came| came.from);
        let meant = self.waiting.iter().filter(|(call, (from, _, request))| {
            let is_meant = matches!(request, Request::Leave { room } if room == at);
            is_meant
                && *from >= since
                && !self.answers.contains(*call)
                && !self.left.contains(*call)
        });
        let oldest = meant.map(|(call, (from, ..))| (*from, *call)).min();
        oldest.is_some_and(|(_, call)| self.left.insert(call))
    }

    fn goes(&mut self, connection: usize, going: Going) {
        self.run.connections[connection].went = Some(going);
    }
}
