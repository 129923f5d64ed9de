//! What goes over one socket, read into the trace of a run.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use chatrooms_core::{
    Data, Draft, Epoch, Joined, Member, Members, Message, Nonce, Page, RoomName, Timestamp,
    UserName,
    oracle::{Outcome, Recorder, Request, Told, Witness},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::json::compact;

/// What goes over one socket, read into the trace of a run: for the tests of clients, of adapters, and of whole services.
///
/// Each text frame goes through it, in the order in which the client sends and receives, and [`check`](chatrooms_core::oracle::check) judges what
/// all of them together were told:
///
/// ```
/// use chatrooms_core::oracle::{Recorder, check};
/// use chatrooms_ws::Transcript;
///
/// # let hello = r#"{"type":"hello","session":"s","user":"ada","heartbeat_ms":25000,"limits":{}}"#;
/// # let join = r#"{"type":"join","id":1,"room":"tea"}"#;
/// # let joined = r#"{"type":"joined","id":1,"room":"tea","epoch":"00000000000000000000000000000001","seq":0,"resumed":false,
/// #     "members":[{"user":"ada","connections":1}],"messages":[],"more":false}"#;
/// let run = Recorder::new();
/// let mut ada = Transcript::new(&run);
/// ada.received(hello);
/// ada.sent(join); // before it goes out
/// ada.received(joined); // once it has come in
/// assert_eq!(check(&run.trace()).unwrap().connections, 1);
/// ```
///
/// # What it knows
/// Requests with an `id` are known with their answers; of those without one it stays open what became of them. Frames that are not in the protocol are left
/// out: that each frame by itself is as the protocol has it is not judged here.
#[derive(Debug)]
pub struct Transcript {
    witness: Witness,
    /// What was asked under an `id` and has not been answered, the oldest first.
    asked: HashMap<u64, VecDeque<u64>>,
}

/// An answer to nothing is noted under a number that no request has.
const NOTHING: u64 = 1 << 63;

impl Transcript {
    /// Of a socket that has just been opened, or is about to be.
    #[must_use]
    pub fn new(run: &Recorder) -> Self {
        Self { witness: run.client(None), asked: HashMap::new() }
    }

    /// Reads a frame that is about to be sent.
    pub fn sent(&mut self, frame: &str) {
        let Ok(head) = serde_json::from_str::<Value>(frame) else { return };
        // What is no good request is refused.
        let request = request(&head, frame).unwrap_or(Request::Other);
        let call = self.witness.asks(request);
        if let Some(id) = id(&head) {
            self.asked.entry(id).or_default().push_back(call);
        }
    }

    /// Reads a frame that has come.
    pub fn received(&mut self, frame: &str) {
        let Ok(head) = serde_json::from_str::<Head>(frame) else { return };
        let room = head.room.as_deref().and_then(|room| RoomName::new(room).ok());
        match &*head.kind {
            "hello" => self.hello(frame),
            "bye" => {
                self.witness.told(Told::Bye { code: head.code.clone().unwrap_or_default().into() });
            }
            _ => {}
        }
        let Some(told) = room.and_then(|room| told(&head, room, frame)) else {
            return self.answered(&head, frame);
        };
        let told = match (told, head.id) {
            (Told::Joined { room, cut, .. }, Some(id)) => {
                // Its answer comes with it, so that the request still waits.
                let call = self.asked.get(&id).and_then(VecDeque::front).copied();
                Told::Joined { call: Some(call.unwrap_or(id | NOTHING)), room, cut }
            }
            // It is the answer to a request.
            (Told::Left { .. }, Some(_)) => return self.answered(&head, frame),
            (told, _) => told,
        };
        self.witness.told(told);
        self.witness.took(frame.len());
        self.answered(&head, frame);
    }

    /// Notes that the socket has ended, with the code of its close frame if there was one.
    pub fn ended(&self, code: Option<u16>) {
        let code = code.and_then(name).map(Arc::from);
        self.witness.told(Told::Ended { code });
    }

    /// Notes that all has come that was on its way, each answer too, and that whatever anybody did before has come to its end.
    pub fn settled(&self) {
        let unanswered = self.asked.values().flatten();
        unanswered.for_each(|call| self.witness.unanswered(*call));
        self.witness.settled();
    }

    fn hello(&self, frame: &str) {
        let Ok(hello) = serde_json::from_str::<Hello>(frame) else { return };
        let Ok(user) = UserName::new(&hello.user) else { return };
        let limits = hello.limits;
        self.witness.introduce(user, true, |bounds| {
            let set = |bound: &mut usize, limit: Option<usize>| *bound = limit.unwrap_or(*bound);
            set(&mut bounds.history, limits.history);
            set(&mut bounds.reply_bytes, limits.reply_bytes);
            set(&mut bounds.rooms_per_session, limits.rooms_per_session);
            set(&mut bounds.presence_exact, limits.presence_exact);
        });
    }

    /// Notes an answer, where it is one.
    fn answered(&mut self, head: &Head, frame: &str) {
        let Some(id) = head.id else { return };
        let call = self.asked.get_mut(&id).and_then(VecDeque::pop_front);
        self.witness.answered(call.unwrap_or(id | NOTHING), outcome(head, frame));
        self.witness.took(frame.len());
    }
}

/// What every frame has.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    id: Option<u64>,
    room: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
struct Hello {
    user: String,
    limits: Limits,
}

#[derive(Deserialize)]
struct Limits {
    history: Option<usize>,
    reply_bytes: Option<usize>,
    rooms_per_session: Option<usize>,
    presence_exact: Option<usize>,
}

#[derive(Deserialize)]
struct MessageObject<'a> {
    seq: u64,
    user: Option<String>,
    name: Option<String>,
    body: String,
    at: u64,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    nonce: Option<String>,
    #[serde(default)]
    redacted: bool,
}

#[derive(Deserialize)]
struct MemberObject {
    user: String,
    name: Option<String>,
    connections: usize,
}

#[derive(Deserialize)]
struct JoinedFrame<'a> {
    epoch: String,
    seq: u64,
    resumed: bool,
    members: Vec<MemberObject>,
    #[serde(default)]
    members_more: bool,
    #[serde(borrow)]
    messages: Vec<MessageObject<'a>>,
    more: bool,
    #[serde(default)]
    redacted: Vec<u64>,
}

#[derive(Deserialize)]
struct PresenceFrame {
    joined: Vec<MemberObject>,
    left: Vec<String>,
}

#[derive(Deserialize)]
struct PageFrame<'a> {
    #[serde(borrow)]
    messages: Vec<MessageObject<'a>>,
    more: bool,
}

#[derive(Deserialize)]
struct MembersFrame {
    members: Vec<MemberObject>,
    more: bool,
}

#[derive(Deserialize)]
struct SeqFrame {
    seq: u64,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct SignalFrame {
    user: String,
}

#[derive(Deserialize)]
struct SendFrame<'a> {
    body: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    nonce: Option<String>,
}

fn id(frame: &Value) -> Option<u64> {
    frame["id"].as_u64().filter(|id| (1..1 << 53).contains(id))
}

/// What a frame asks for; `None` where it is no good request.
fn request(head: &Value, frame: &str) -> Option<Request> {
    let room = RoomName::new(head["room"].as_str()?).ok()?;
    let count = |name: &str| head[name].as_u64().and_then(|count| usize::try_from(count).ok());
    Some(match head["type"].as_str()? {
        "join" => {
            let resume = &head["resume"];
            let since = resume["epoch"].as_str().zip(resume["seq"].as_u64());
            // No life has what is no epoch.
            let epoch = |text: &str| text.parse().unwrap_or(Epoch::from_u128(0));
            let resume = since.map(|(text, seq)| (epoch(text), seq));
            Request::Join { room, resume, history: count("history") }
        }
        "leave" => Request::Leave { room },
        "send" => {
            let send: SendFrame<'_> = serde_json::from_str(frame).ok()?;
            let draft = Draft {
                user: None,
                name: None,
                body: send.body.into(),
                data: data(send.data),
                nonce: send.nonce.as_deref().and_then(Nonce::new),
            };
            Request::Send { room, draft }
        }
        "redact" => Request::Redact { room, seq: head["seq"].as_u64()? },
        "signal" => Request::Signal { room },
        "history" => {
            Request::History { room, before: head["before"].as_u64(), limit: count("limit") }
        }
        "members" => {
            let after = head["after"].as_str().and_then(|after| UserName::new(after).ok());
            Request::Members { room, after }
        }
        _ => return None,
    })
}

/// What a frame tells of a room beside its being an answer.
fn told(head: &Head, room: RoomName, frame: &str) -> Option<Told> {
    Some(match &*head.kind {
        "joined" => {
            let joined: JoinedFrame<'_> = serde_json::from_str(frame).ok()?;
            Told::Joined { call: None, room, cut: Arc::new(joined.cut()?) }
        }
        "message" => {
            let message: MessageObject<'_> = serde_json::from_str(frame).ok()?;
            Told::Message { room, message: message.message()? }
        }
        "redacted" => {
            let SeqFrame { seq, .. } = serde_json::from_str(frame).ok()?;
            Told::Redacted { room, seq }
        }
        "presence" => {
            let PresenceFrame { joined, left } = serde_json::from_str(frame).ok()?;
            let left = left.iter().map(|user| UserName::new(user).ok()).collect::<Option<_>>()?;
            Told::Presence { room, joined: members(joined)?, left }
        }
        "signal" => {
            let SignalFrame { user } = serde_json::from_str(frame).ok()?;
            Told::Signal { room, user: UserName::new(&user).ok()? }
        }
        "left" => Told::Left { room },
        "removed" => Told::Removed { room },
        _ => return None,
    })
}

fn outcome(head: &Head, frame: &str) -> Outcome {
    let read = || {
        Some(match &*head.kind {
            "sent" => {
                let SeqFrame { seq, duplicate } = serde_json::from_str(frame).ok()?;
                Outcome::Sent { seq, duplicate }
            }
            "history" => {
                let PageFrame { messages, more } = serde_json::from_str(frame).ok()?;
                Outcome::History(Page { messages: page(messages)?, more })
            }
            "members" => {
                let frame: MembersFrame = serde_json::from_str(frame).ok()?;
                let mut page = Members::default();
                (page.members, page.more) = (members(frame.members)?, frame.more);
                Outcome::Members(page)
            }
            "error" => match head.code.as_deref().unwrap_or_default() {
                "outcome_unknown" => Outcome::Unknown,
                code => Outcome::Refused { code: code.into() },
            },
            _ => Outcome::Done,
        })
    };
    read().unwrap_or(Outcome::Unknown)
}

impl JoinedFrame<'_> {
    fn cut(self) -> Option<Joined> {
        Some(Joined {
            tag: None,
            epoch: self.epoch.parse().ok()?,
            seq: self.seq,
            resumed: self.resumed,
            // The wire does not say it.
            first_in_room: false,
            first_connection_of_user: false,
            members: members(self.members)?,
            members_more: self.members_more,
            messages: page(self.messages)?,
            more: self.more,
            redacted: self.redacted,
        })
    }
}

impl MessageObject<'_> {
    fn message(self) -> Option<Arc<Message>> {
        let user = match self.user {
            Some(user) => Some(UserName::new(&user).ok()?),
            None => None,
        };
        let draft = Draft {
            user,
            name: self.name.map(Into::into),
            body: self.body.into(),
            data: data(self.data),
            nonce: self.nonce.as_deref().and_then(Nonce::new),
        };
        let (at, redacted) = (Timestamp(self.at), self.redacted);
        Some(Arc::new(Message { seq: self.seq, at, draft, redacted }))
    }
}

fn page(messages: Vec<MessageObject<'_>>) -> Option<Vec<Arc<Message>>> {
    messages.into_iter().map(MessageObject::message).collect()
}

fn members(members: Vec<MemberObject>) -> Option<Vec<Arc<Member>>> {
    let member = |member: MemberObject| {
        let (user, name) = (UserName::new(&member.user).ok()?, member.name.map(Into::into));
        Some(Arc::new(Member { user, name, connections: member.connections, meta: None }))
    };
    members.into_iter().map(member).collect()
}

fn data(data: Option<&RawValue>) -> Option<Data> {
    Some(Data::new(compact(data?)?))
}

/// What an end is called that a server begins.
const fn name(close: u16) -> Option<&'static str> {
    Some(match close {
        1001 => "shutting_down",
        1011 => "internal",
        4000 => "slow_consumer",
        4001 => "heartbeat_timeout",
        4002 => "moved",
        4500 => "unauthorized",
        4501 => "logged_out",
        4502 => "kicked",
        4503 => "banned",
        4504 => "abuse",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use chatrooms_core::oracle::{Fault, check};

    use super::*;

    const HELLO: &str = r#"{"type":"hello","session":"s","user":"ada","heartbeat_ms":1,"limits":{"history":2,"reply_bytes":1000,"rooms_per_session":3,"presence_exact":200}}"#;
    const JOIN: &str = r#"{"type":"join","id":1,"room":"tea"}"#;
    const JOINED: &str = r#"{"type":"joined","id":1,"room":"tea","epoch":"00000000000000000000000000000001","seq":0,"resumed":false,"members":[{"user":"ada","connections":1}],"messages":[],"more":false}"#;

    /// Stands for the moment in which everything has come.
    const SETTLED: &str = "settled";

    /// What somebody sends, marked by `>`, and what comes.
    fn faults(frames: &[&str]) -> Vec<&'static str> {
        let run = Recorder::new();
        run.complete();
        let mut socket = Transcript::new(&run);
        for frame in [HELLO, "> {\"type\":\"ping\"}"].iter().chain(frames) {
            match frame.strip_prefix("> ") {
                Some(frame) => socket.sent(frame),
                None => socket.received(frame),
            }
        }
        if frames.last() == Some(&SETTLED) {
            socket.settled();
        }
        let judged = check(&run.trace());
        judged.map_or_else(|broken| broken.iter().map(|one| one.fault.name()).collect(), |_| vec![])
    }

    #[test]
    fn a_good_conversation_passes() {
        let join = format!("> {JOIN}");
        let good = [
            join.as_str(),
            JOINED,
            r#"> {"type":"send","id":2,"room":"tea","body":"hi","data":{"a": 1.50},"nonce":"n"}"#,
            r#"{"type":"message","room":"tea","seq":1,"user":"ada","body":"hi","at":1,"data":{"a":1.50},"nonce":"n"}"#,
            r#"{"type":"sent","id":2,"room":"tea","seq":1,"at":1,"nonce":"n"}"#,
            r#"> {"type":"history","id":3,"room":"tea"}"#,
            r#"> {"type":"redact","id":4,"room":"tea","seq":1}"#,
            r#"{"type":"redacted","room":"tea","seq":1,"by":"ada"}"#,
            r#"{"type":"ok","id":4}"#,
            r#"{"type":"history","id":3,"room":"tea","messages":[{"seq":1,"user":"ada","body":"","at":1,"nonce":"n","redacted":true}],"more":false}"#,
            r#"> {"type":"members","id":5,"room":"tea"}"#,
            r#"{"type":"members","id":5,"room":"tea","members":[{"user":"ada","connections":1}],"more":false}"#,
            r#"> {"type":"leave","room":"tea"}"#,
            r#"{"type":"left","room":"tea"}"#,
            r#"> {"type":"leave","id":6,"room":"tea"}"#,
            r#"{"type":"error","id":6,"code":"not_in_room","message":"no"}"#,
            r#"{"type":"bye","code":"moved","reason":"","reconnect":true,"after_ms":0}"#,
        ];
        assert_eq!(faults(&good), [""; 0]);
    }

    #[test]
    fn what_is_wrong_in_frames_is_found() {
        let join = format!("> {JOIN}");
        let message = r#"{"type":"message","room":"tea","seq":2,"user":"ada","body":"hi","at":1}"#;
        let send = r#"> {"type":"send","id":2,"room":"tea","body":"hi"}"#;
        assert_eq!(
            faults(&[&join, JOINED, send, message]),
            [Fault::Gap { head: 0, seq: 2 }.name()]
        );
        assert_eq!(faults(&[JOINED]), ["AnswerToNothing", "AnswerToNothing"]);
        assert_eq!(faults(&[r#"{"type":"pong","id":9}"#]), ["AnswerToNothing"]);
        assert_eq!(faults(&[message]), ["NotInRoom"]);
        assert_eq!(faults(&[&join, SETTLED]), ["Unanswered"]);
        assert_eq!(faults(&[&join, r#"{"type":"ok","id":1}"#]), ["MisAnswered"]);
        assert_eq!(faults(&[&join, JOINED, r#"{"type":"left","room":"tea"}"#]), ["LeftUnasked"]);
        let signal = r#"{"type":"signal","room":"tea","user":"eve","name":"typing"}"#;
        assert_eq!(faults(&[&join, JOINED, signal]), ["SignalOfNobody"]);
        let long = JOINED.replace("\"more\"", &format!("{}\"more\"", " ".repeat(1000)));
        assert_eq!(faults(&[&join, &long]), ["TooLong"]);
        let bye = r#"{"type":"bye","code":"moved","reason":"","reconnect":true,"after_ms":0}"#;
        assert_eq!(
            faults(&[bye, r#"{"type":"pong"}"#, &HELLO.replace("hello", "bye")]),
            ["AfterTheEnd"]
        );
    }
}
