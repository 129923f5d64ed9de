//! A trace as the rules read it: connections and what was asked, instead of steps.

use std::collections::HashMap;

use super::{Fault, Log, Outcome, Place, Request, Trace, Violation, What, walk::Walk};
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
    pub(super) of: HashMap<(usize, &'t RoomName), Vec<usize>>,
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
    pub(super) fn gone_by(&mut self, time: u64, how: How) {
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
