//! The reading of what one client has noted, step by step.

use std::collections::{HashMap, HashSet};

use super::{
    Fault, Log, Outcome, Request, Told, What,
    run::{
        Became, Connection, Deed, Going, Hidden, How, NEVER, Reading, Run, Saying, Seen, Sight,
        Span, Wish,
    },
};
use crate::{Joined, RoomName, sync::Arc};

/// Reads one log.
pub(super) struct Walk<'r, 't> {
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
    pub(super) fn new(client: usize, run: &'r mut Run<'t>) -> Self {
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

    pub(super) fn along(mut self) {
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
