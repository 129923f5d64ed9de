//! Runs in short words.

use super::super::{Bounds, Outcome, Recorder, Request, Told, Violation, Witness, check};
use crate::{
    Data, Draft, Epoch, Joined, Member, Members, Message, Nonce, Page, RoomName, Timestamp,
    UserName, sync::Arc,
};

/// A run in one room, in which whoever acts does it when the one before has done.
pub(super) struct Play {
    pub(super) run: Recorder,
}

impl Play {
    pub(super) fn new() -> Self {
        Self { run: Recorder::bounded(Bounds { history: 3, keep: 10, ..Bounds::default() }) }
    }

    pub(super) fn complete() -> Self {
        let play = Self::new();
        play.run.complete();
        play
    }

    /// Somebody with a session of their own.
    pub(super) fn actor(&self, name: &str) -> Actor {
        let witness = self.run.client(Some(user(name)));
        Actor { witness, user: Some(user(name)), room: lobby() }
    }

    /// Somebody with a socket, whose requests have their turns.
    pub(super) fn socket(&self, name: &str) -> Actor {
        let actor = self.actor(name);
        actor.witness.introduce(user(name), true, |_| ());
        actor
    }

    pub(super) fn host(&self) -> Actor {
        Actor { witness: self.run.client(None), user: None, room: lobby() }
    }

    pub(super) fn verdict(&self) -> Vec<Violation> {
        check(&self.run.trace()).map_or_else(|broken| broken.to_vec(), |_| Vec::new())
    }
}

pub(super) struct Actor {
    pub(super) witness: Witness,
    user: Option<UserName>,
    room: RoomName,
}

impl Actor {
    /// The same one in another room.
    pub(super) fn at(&self, room: &str) -> Self {
        let (witness, user) = (self.witness.clone(), self.user.clone());
        Self { witness, user, room: RoomName::new(room).unwrap() }
    }

    pub(super) fn asks_to_join(&self) -> u64 {
        self.asks_to_resume(None, None)
    }

    pub(super) fn asks_to_resume(
        &self,
        resume: Option<(Epoch, u64)>,
        history: Option<usize>,
    ) -> u64 {
        self.witness.asks(Request::Join { room: self.room.clone(), resume, history })
    }

    pub(super) fn is_let_in(&self, call: u64, cut: Joined) {
        let own = cut.members.iter().find(|member| Some(&member.user) == self.user.as_ref());
        let is_first = own.is_some_and(|member| member.connections == 1);
        let first_connection_of_user = is_first || cut.first_connection_of_user;
        self.is_told_in(call, Joined { first_connection_of_user, ..cut });
    }

    /// The same, to the letter.
    pub(super) fn is_told_in(&self, call: u64, cut: Joined) {
        let (room, cut) = (self.room.clone(), Arc::new(cut));
        self.witness.told(Told::Joined { call: Some(call), room, cut });
        self.witness.answered(call, Outcome::Done);
    }

    /// Joins, and wants messages where it gets some.
    pub(super) fn joins(&self, cut: Joined) {
        let wants_none = cut.messages.is_empty() && !cut.resumed;
        self.is_let_in(self.asks_to_resume(None, wants_none.then_some(0)), cut);
    }

    pub(super) fn resumes(&self, since: u64, cut: Joined) {
        self.is_let_in(self.asks_to_resume(Some((cut.epoch, since)), None), cut);
    }

    pub(super) fn leaves(&self) {
        let call = self.witness.asks(Request::Leave { room: self.room.clone() });
        self.witness.answered(call, Outcome::Done);
    }

    pub(super) fn begins_to_say(&self, body: &str) -> u64 {
        self.begins_to_send(self.draft(body))
    }

    pub(super) fn draft(&self, body: &str) -> Draft {
        Draft { user: self.user.clone(), ..Draft::new(user("nobody"), body) }
    }

    pub(super) fn begins_to_send(&self, draft: Draft) -> u64 {
        self.witness.asks(Request::Send { room: self.room.clone(), draft })
    }

    pub(super) fn is_accepted(&self, call: u64, seq: u64) {
        self.witness.answered(call, Outcome::Sent { seq, duplicate: false });
    }

    pub(super) fn says(&self, body: &str, seq: u64) {
        self.is_accepted(self.begins_to_say(body), seq);
    }

    /// Says something and is told of it.
    pub(super) fn says_and_hears(&self, body: &str, seq: u64) {
        self.says(body, seq);
        let by = self.user.as_ref().map(UserName::as_str);
        self.hears(message(seq, by.unwrap_or_default(), body));
    }

    pub(super) fn hears(&self, message: Message) {
        let (room, message) = (self.room.clone(), Arc::new(message));
        self.witness.told(Told::Message { room, message });
    }

    pub(super) fn sees(&self, joined: &[&str], left: &[&str]) {
        let left = left.iter().map(|name| user(name)).collect();
        let room = self.room.clone();
        self.witness.told(Told::Presence { room, joined: members(joined), left });
    }

    pub(super) fn lists(&self, names: &[&str], more: bool) {
        let call = self.asks_for_members();
        self.witness.answered(call, Outcome::Members(Members { members: members(names), more }));
    }

    pub(super) fn asks_for_members(&self) -> u64 {
        self.witness.asks(Request::Members { room: self.room.clone(), after: None })
    }

    pub(super) fn asks_to_read(&self) -> u64 {
        let room = self.room.clone();
        self.witness.asks(Request::History { room, before: None, limit: None })
    }

    pub(super) fn asks_to_take_back(&self, seq: u64) -> u64 {
        self.witness.asks(Request::Redact { room: self.room.clone(), seq })
    }

    pub(super) fn is_done(&self, call: u64) {
        self.witness.answered(call, Outcome::Done);
    }

    pub(super) fn reads(&self, before: Option<u64>, messages: Vec<Message>) {
        let more = messages.first().is_some_and(|oldest| oldest.seq > 1);
        self.is_read(before, messages, more);
    }

    /// Reads a page that is said to be the last one.
    pub(super) fn reads_to_the_end(&self, before: Option<u64>, messages: Vec<Message>) {
        self.is_read(before, messages, false);
    }

    /// Reads a page that is said not to be the last one.
    pub(super) fn reads_a_part(&self, before: Option<u64>, messages: Vec<Message>) {
        self.is_read(before, messages, true);
    }

    fn is_read(&self, before: Option<u64>, messages: Vec<Message>, more: bool) {
        let request = Request::History { room: self.room.clone(), before, limit: None };
        let call = self.witness.asks(request);
        let messages = messages.into_iter().map(Arc::new).collect();
        self.witness.answered(call, Outcome::History(Page { messages, more }));
    }

    pub(super) fn takes_back(&self, seq: u64) {
        let call = self.asks_to_take_back(seq);
        self.is_told_redacted(seq);
        self.is_done(call);
    }

    /// The same, and is told of it later, if ever.
    pub(super) fn is_answered_redacted(&self, seq: u64) {
        self.is_done(self.asks_to_take_back(seq));
    }

    pub(super) fn is_told_redacted(&self, seq: u64) {
        self.witness.told(Told::Redacted { room: self.room.clone(), seq });
    }

    pub(super) fn removes(&self, whom: &str) {
        let (room, user) = (Some(self.room.clone()), Some(user(whom)));
        let call = self.witness.asks(Request::Remove { room, user });
        self.witness.answered(call, Outcome::Done);
    }

    pub(super) fn is_removed(&self) {
        self.witness.told(Told::Removed { room: self.room.clone() });
    }

    pub(super) fn is_signalled_by(&self, name: &str) {
        self.witness.told(Told::Signal { room: self.room.clone(), user: user(name) });
    }

    pub(super) fn signals(&self) {
        let call = self.witness.asks(Request::Signal { room: self.room.clone() });
        self.witness.answered(call, Outcome::Done);
    }

    pub(super) fn is_refused(&self, call: u64, code: &str) {
        self.witness.answered(call, Outcome::Refused { code: code.into() });
    }

    pub(super) fn asks_to_leave(&self) -> u64 {
        self.witness.asks(Request::Leave { room: self.room.clone() })
    }

    /// As by a request without a number.
    pub(super) fn is_told_left(&self) {
        self.witness.told(Told::Left { room: self.room.clone() });
    }

    pub(super) fn bye(&self, code: &str) {
        self.witness.told(Told::Bye { code: code.into() });
    }

    pub(super) fn ends(&self, code: &str) {
        self.witness.told(Told::Ended { code: Some(code.into()) });
    }

    pub(super) fn settled(&self) {
        self.witness.settled();
    }
}

pub(super) fn lobby() -> RoomName {
    RoomName::new("lobby").unwrap()
}

pub(super) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

/// The life of that number.
pub(super) const fn life(number: u128) -> Epoch {
    Epoch::from_u128(number)
}

pub(super) fn message(seq: u64, by: &str, body: &str) -> Message {
    Message::new(seq, Timestamp(seq), Draft::new(user(by), body))
}

pub(super) fn with_nonce(message: Message, nonce: &str) -> Message {
    let draft = Draft { nonce: Nonce::new(nonce), ..message.draft };
    Message { draft, ..message }
}

pub(super) fn nonce(draft: Draft, nonce: &str) -> Draft {
    Draft { nonce: Nonce::new(nonce), ..draft }
}

pub(super) fn with_data(message: Message) -> Message {
    let draft = Draft { data: Some(Data::new("1")), ..message.draft };
    Message { draft, ..message }
}

/// Members by name, with the number of their connections behind it: `bob*2`.
pub(super) fn members(names: &[&str]) -> Vec<Arc<Member>> {
    let member = |name: &&str| {
        let (name, connections) = name.split_once('*').unwrap_or((name, "1"));
        let connections = connections.parse().unwrap();
        Arc::new(Member { user: user(name), name: None, connections, meta: None })
    };
    names.iter().map(member).collect()
}

/// How things stand in the first life.
pub(super) fn cut(seq: u64, names: &[&str]) -> Joined {
    cut_in(life(1), seq, vec![], names)
}

pub(super) fn cut_in(epoch: Epoch, seq: u64, messages: Vec<Message>, names: &[&str]) -> Joined {
    Joined {
        tag: None,
        epoch,
        seq,
        resumed: false,
        first_in_room: matches!(names, [only] if !only.contains('*')),
        first_connection_of_user: false,
        members: members(names),
        members_more: false,
        more: messages.first().map_or(seq, |oldest| oldest.seq - 1) > 0,
        messages: messages.into_iter().map(Arc::new).collect(),
        redacted: vec![],
    }
}
