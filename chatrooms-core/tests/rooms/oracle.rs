//! One judge for everything that runs at the same time: whether what a client was told keeps the promises.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Debug,
    sync::Arc,
};

use chatrooms_core::{Epoch, EventKind, Joined, Outgoing, RoomName, Session, UserName};

/// What a client has seen of one room, in its order.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Joined {
        epoch: Epoch,
        seq: u64,
        messages: Vec<(u64, String)>,
        members: Vec<String>,
    },
    Message(u64, String),
    Redacted(u64),
    Came(String),
    Went(String),
    /// It has left, or was removed.
    Out,
}

/// What a client knows of a room at the end of its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) epoch: Epoch,
    pub(crate) head: u64,
    pub(crate) members: BTreeSet<String>,
}

/// What a client has seen, room by room.
#[derive(Debug)]
pub(crate) struct Trace {
    me: String,
    seen: HashMap<RoomName, Vec<Seen>>,
}

impl Trace {
    pub(crate) fn new(me: &str) -> Self {
        Self { me: me.into(), seen: HashMap::new() }
    }

    fn note(&mut self, room: &RoomName, seen: Seen) {
        self.seen.entry(room.clone()).or_default().push(seen);
    }

    /// Notes that the client has left a room, after all that it was told there.
    pub(crate) fn left(&mut self, room: &RoomName, session: &Session) {
        self.read(session);
        self.note(room, Seen::Out);
    }

    /// Notes everything that waits for the session.
    pub(crate) fn read(&mut self, session: &Session) {
        let mut batch = Vec::new();
        session.outbox().try_take(&mut batch, usize::MAX);
        for event in batch.iter().flat_map(Outgoing::events) {
            let Some(room) = event.room() else { continue };
            for seen in seen(event.kind()) {
                self.note(room, seen);
            }
        }
    }

    /// Judges the trace; returns what the client knows of the rooms it is in.
    pub(crate) fn check(&self, ledger: &mut Ledger) -> Result<HashMap<RoomName, View>, String> {
        let mut views = HashMap::new();
        for (room, seen) in &self.seen {
            let mut view = None;
            for (index, one) in seen.iter().enumerate() {
                apply(&mut view, one, &self.me, ledger)
                    .map_err(|fault| format!("{}, {room}, {index}: {fault} ({one:?})", self.me))?;
            }
            if let Some(view) = view {
                views.insert(room.clone(), view);
            }
        }
        Ok(views)
    }
}

/// Every message that anybody has seen: all must have seen the same.
pub(crate) type Ledger = HashMap<(Epoch, u64), String>;

fn seen(kind: &EventKind) -> Vec<Seen> {
    match kind {
        EventKind::Joined(joined) => vec![joined_as(joined)],
        EventKind::Message(message) => {
            vec![Seen::Message(message.seq, message.draft.body.to_string())]
        }
        EventKind::Redacted { seq, .. } => vec![Seen::Redacted(*seq)],
        EventKind::Presence { joined, left } => {
            let came = joined.iter().map(|member| Seen::Came(member.user.to_string()));
            came.chain(left.iter().map(|user: &UserName| Seen::Went(user.to_string()))).collect()
        }
        EventKind::Removed { .. } => vec![Seen::Out],
        _ => vec![],
    }
}

fn joined_as(joined: &Arc<Joined>) -> Seen {
    Seen::Joined {
        epoch: joined.epoch,
        seq: joined.seq,
        messages: joined
            .messages
            .iter()
            .map(|message| (message.seq, message.draft.body.to_string()))
            .collect(),
        members: joined.members.iter().map(|member| member.user.to_string()).collect(),
    }
}

fn apply(
    view: &mut Option<View>,
    seen: &Seen,
    me: &str,
    ledger: &mut Ledger,
) -> Result<(), String> {
    if let Seen::Joined { epoch, seq, messages, members } = seen {
        demand(view.is_none(), "joined twice")?;
        let numbers = messages.iter().map(|(seq, _)| *seq);
        let expected = seq + 1 - messages.len() as u64..=*seq;
        demand(numbers.eq(expected), "the messages of a join do not end with its seq")?;
        for (seq, body) in messages {
            enter(ledger, *epoch, *seq, body)?;
        }
        let all: BTreeSet<_> = members.iter().cloned().collect();
        demand(all.len() == members.len() && all.contains(me), "not a list of members with me")?;
        *view = Some(View { epoch: *epoch, head: *seq, members: all });
        return Ok(());
    }
    let known = view.as_mut().ok_or("told of a room it is not in")?;
    match seen {
        Seen::Message(seq, body) => {
            demand(*seq == known.head + 1, "a gap or a duplicate")?;
            known.head = *seq;
            enter(ledger, known.epoch, *seq, body)
        }
        Seen::Redacted(seq) => demand(*seq <= known.head, "taken back before it was said"),
        Seen::Came(user) => demand(known.members.insert(user.clone()), "came twice"),
        Seen::Went(user) => {
            demand(user != me && known.members.remove(user), "went without having come")
        }
        Seen::Out => {
            *view = None;
            Ok(())
        }
        Seen::Joined { .. } => unreachable!(),
    }
}

/// A body begins with the epoch in which it was sent; one that was taken back says nothing.
fn enter(ledger: &mut Ledger, epoch: Epoch, seq: u64, body: &str) -> Result<(), String> {
    if body.is_empty() {
        return Ok(());
    }
    demand(body.starts_with(&epoch.to_string()), "a message of another life")?;
    let first = ledger.entry((epoch, seq)).or_insert_with(|| body.into());
    demand(first == body, "another message than somebody else's")
}

fn demand(holds: bool, fault: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault.into()) }
}

mod tests {
    use super::*;

    type Story = fn(Epoch) -> Vec<Seen>;

    /// Judges what ada has seen of a room, in an epoch where every body is right.
    fn verdict(seen: impl FnOnce(Epoch) -> Vec<Seen>) -> String {
        let epoch = Epoch::new();
        let mut trace = Trace::new("ada");
        trace.seen.insert(crate::kit::lobby(), seen(epoch));
        let mut ledger = Ledger::from([((epoch, 7), format!("{epoch} seven"))]);
        match trace.check(&mut ledger) {
            Ok(_) => "right".into(),
            Err(fault) => fault,
        }
    }

    fn joined(epoch: Epoch, seq: u64, messages: &[u64], members: &[&str]) -> Seen {
        let messages = messages.iter().map(|seq| (*seq, epoch.to_string())).collect();
        let members = members.iter().map(ToString::to_string).collect();
        Seen::Joined { epoch, seq, messages, members }
    }

    fn message(epoch: Epoch, seq: u64) -> Seen {
        Seen::Message(seq, epoch.to_string())
    }

    #[test]
    fn the_judge_lets_a_good_trace_pass() {
        let good = verdict(|epoch| {
            vec![
                joined(epoch, 3, &[2, 3], &["ada", "bob"]),
                message(epoch, 4),
                Seen::Redacted(4),
                Seen::Went("bob".into()),
                Seen::Came("bob".into()),
                Seen::Out,
                joined(epoch, 4, &[], &["ada"]),
            ]
        });
        assert_eq!(good, "right");
    }

    #[test]
    fn the_judge_sees_every_fault() {
        let faults: [(&str, Story); 12] = [
            ("a gap", |e| vec![joined(e, 1, &[], &["ada"]), message(e, 3)]),
            ("a gap or a duplicate", |e| vec![joined(e, 1, &[], &["ada"]), message(e, 1)]),
            ("do not end", |e| vec![joined(e, 3, &[1, 2], &["ada"])]),
            ("do not end", |e| vec![joined(e, 3, &[1, 3], &["ada"])]),
            ("with me", |e| vec![joined(e, 0, &[], &["bob"])]),
            ("joined twice", |e| vec![joined(e, 0, &[], &["ada"]), joined(e, 0, &[], &["ada"])]),
            ("not in", |e| vec![joined(e, 0, &[], &["ada"]), Seen::Out, message(e, 1)]),
            ("another life", |e| vec![joined(e, 0, &[], &["ada"]), message(Epoch::new(), 1)]),
            ("somebody else's", |e| vec![joined(e, 6, &[], &["ada"]), message(e, 7)]),
            ("before it was said", |e| vec![joined(e, 0, &[], &["ada"]), Seen::Redacted(1)]),
            ("came twice", |e| vec![joined(e, 0, &[], &["ada"]), Seen::Came("ada".into())]),
            ("without having come", |e| {
                vec![joined(e, 0, &[], &["ada"]), Seen::Went("bob".into())]
            }),
        ];
        for (fault, seen) in faults {
            let said = verdict(seen);
            assert!(said.contains(fault), "{said}");
        }
    }
}
