//! What a client says: frames, taken apart and checked.

use std::borrow::Cow;

use bytes::Bytes;
use chatrooms_core::{Data, Epoch, Error, Join, NameError, Nonce, Post, RoomName, UserName};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{framing::encode, json::compact, response::Frame as Answer};

/// The largest number that every client's arithmetic holds exactly.
pub(crate) const MAX_ID: u64 = (1 << 53) - 1;
const MAX_SIGNAL_NAME: usize = 64;

/// A checked request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Option<u64>,
    pub(crate) action: Action,
}

/// What a client wants.
#[derive(Debug)]
pub(crate) enum Action {
    Room(RoomName, RoomAction),
    History { room: RoomName, before: Option<u64>, limit: usize },
    Members { room: RoomName, after: Option<UserName> },
    Ping,
}

/// What is answered in the order of the requests, room by room.
#[derive(Debug)]
pub(crate) enum RoomAction {
    Join(Join),
    Leave,
    Send(Post),
    Redact(u64),
    Signal {
        name: String,
        data: Option<Data>,
    },
    /// Not to be done, and answered in its turn.
    Refuse(Invalid),
    /// Asked too soon: the same.
    Deny(Denied),
}

/// A request that is refused whatever it asks for.
#[derive(Debug)]
pub(crate) struct Denied {
    pub(crate) error: Error,
    /// A signal without an `id`: the one request that is never answered.
    pub(crate) is_silent: bool,
}

/// Why a frame is no request.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) id: Option<u64>,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    /// The room as it was given, where that is what is wrong.
    pub(crate) room: Option<String>,
    /// A signal without an `id`: the one request that is never answered.
    is_silent: bool,
}

impl Invalid {
    pub(crate) fn frame(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: None,
            code: "bad_request",
            message: message.into(),
            room: None,
            is_silent: false,
        }
    }

    /// The answer, where there is one.
    pub(crate) fn answer(&self) -> Option<Bytes> {
        (!self.is_silent).then(|| encode(&Answer::invalid(self)))
    }

    /// Whether this is nothing that a client would send which keeps to the protocol.
    pub(crate) fn is_malformed(&self) -> bool {
        self.code == "bad_request"
    }
}

/// Every field of every type; what is not known is ignored. `Some` means that it is there, be it `null`.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default, deserialize_with = "there")]
    r#type: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    room: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    resume: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    history: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    meta: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    body: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    nonce: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    seq: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    before: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    limit: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    after: Option<&'a RawValue>,
}

pub(crate) fn there<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Resume<'a> {
    #[serde(borrow)]
    epoch: Cow<'a, str>,
    #[serde(borrow)]
    seq: &'a RawValue,
}

/// Takes a text frame apart.
pub(crate) fn parse(text: &str) -> Result<Request, Invalid> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Invalid::frame("a frame is one JSON object"));
    }
    let frame: Frame<'_> = serde_json::from_str(text)
        .map_err(|_| Invalid::frame("a frame is one JSON object, without a field twice"))?;
    let id = match frame.id.map(integer) {
        None => None,
        Some(Some(id @ 1..=MAX_ID)) => Some(id),
        Some(_) => return Err(Invalid::frame("`id` is an integer from 1 to 2^53-1")),
    };
    let action = match frame.action() {
        Ok(action) => action,
        Err(invalid) => frame.refusal(Invalid { id, ..invalid })?,
    };
    Ok(Request { id, action })
}

impl Frame<'_> {
    fn action(&self) -> Result<Action, Invalid> {
        let kind = self
            .r#type
            .and_then(string)
            .ok_or_else(|| Invalid::frame("`type` is missing or no string"))?;
        let action = match &*kind {
            "ping" => return Ok(Action::Ping),
            "history" => {
                let before = self.count("before", self.before, 1)?.map(|n| n as u64);
                let limit = self
                    .count("limit", self.limit, 1)?
                    .unwrap_or(chatrooms_core::Config::DEFAULT_HISTORY);
                return Ok(Action::History { room: self.room()?, before, limit });
            }
            "members" => {
                let after = self.after.map(|after| {
                    let text =
                        string(after).ok_or_else(|| Invalid::frame("`after` is no string"))?;
                    UserName::new(&text)
                        .map_err(|error| Invalid::frame(format!("`after`: {error}")))
                });
                return Ok(Action::Members { room: self.room()?, after: after.transpose()? });
            }
            "join" => RoomAction::Join(self.join()?),
            "leave" => RoomAction::Leave,
            "send" => RoomAction::Send(self.post()?),
            "redact" => match self.seq.and_then(integer) {
                Some(seq @ 1..) => RoomAction::Redact(seq),
                _ => return Err(Invalid::frame("`seq` is an integer from 1")),
            },
            "signal" => RoomAction::Signal { name: self.signal_name()?, data: self.data()? },
            _ => {
                let unknown = Invalid::frame("this type of request is not known");
                return Err(Invalid { code: "unknown_type", ..unknown });
            }
        };
        Ok(Action::Room(self.room()?, action))
    }

    /// What is wrong with a request to a room is answered in the order of that room, where it has one.
    fn refusal(&self, invalid: Invalid) -> Result<Action, Invalid> {
        let kind = self.r#type.and_then(string);
        let kind = kind.as_deref().unwrap_or_default();
        let is_ordered = matches!(kind, "join" | "leave" | "send" | "redact" | "signal");
        let is_silent = kind == "signal" && invalid.id.is_none();
        let invalid = Invalid { is_silent, ..invalid };
        match self.room() {
            Ok(room) if is_ordered => {
                let given = Some(room.as_str().to_owned());
                Ok(Action::Room(room, RoomAction::Refuse(Invalid { room: given, ..invalid })))
            }
            _ => Err(invalid),
        }
    }

    fn room(&self) -> Result<RoomName, Invalid> {
        let text = self
            .room
            .and_then(string)
            .ok_or_else(|| Invalid::frame("`room` is missing or no string"))?;
        RoomName::new(&text).map_err(|error| invalid_room(error, &text))
    }

    fn join(&self) -> Result<Join, Invalid> {
        let mut join = Join { history: self.count("history", self.history, 0)?, ..Join::default() };
        if let Some(resume) = self.resume {
            let wrong =
                || Invalid::frame("`resume` is {\"epoch\": string, \"seq\": integer from 0}");
            let resume: Resume<'_> = serde_json::from_str(resume.get()).map_err(|_| wrong())?;
            let seq = integer(resume.seq).ok_or_else(wrong)?;
            // A text that is no epoch is one that no room has.
            join.resume = resume.epoch.parse::<Epoch>().ok().map(|epoch| (epoch, seq));
        }
        if let Some(meta) = self.meta {
            if !meta.get().starts_with('{') {
                return Err(Invalid::frame("`meta` is an object"));
            }
            join.meta = Some(data("meta", meta)?);
        }
        Ok(join)
    }

    fn post(&self) -> Result<Post, Invalid> {
        let body = self
            .body
            .and_then(string)
            .ok_or_else(|| Invalid::frame("`body` is missing or no string"))?;
        post(&body, self.data, self.nonce)
    }

    fn signal_name(&self) -> Result<String, Invalid> {
        let name = self.name.and_then(string);
        let name = name.filter(|name| (1..=MAX_SIGNAL_NAME).contains(&name.len()));
        name.map(Cow::into_owned)
            .ok_or_else(|| Invalid::frame("`name` is a string of 1 to 64 bytes"))
    }

    fn data(&self) -> Result<Option<Data>, Invalid> {
        self.data.map(|value| data("data", value)).transpose()
    }

    /// A count from `least` on; `None` where it is not there. What is too large for this machine is as good as its largest number.
    fn count(
        &self,
        field: &'static str,
        value: Option<&RawValue>,
        least: u64,
    ) -> Result<Option<usize>, Invalid> {
        let Some(value) = value else { return Ok(None) };
        match integer(value) {
            Some(count) if count >= least => Ok(Some(usize::try_from(count).unwrap_or(usize::MAX))),
            _ => Err(Invalid::frame(format!("`{field}` is an integer from {least}"))),
        }
    }
}

/// A message to send, from a frame or from a request's body.
pub(crate) fn post(
    body: &str,
    value: Option<&RawValue>,
    nonce: Option<&RawValue>,
) -> Result<Post, Invalid> {
    if body.is_empty() {
        return Err(Invalid::frame("`body` has at least 1 byte"));
    }
    let nonce = nonce.map(|nonce| {
        let nonce = string(nonce).and_then(|nonce| Nonce::new(&nonce));
        nonce.ok_or_else(|| Invalid::frame("`nonce` is a string of 1 to 64 bytes"))
    });
    let data = value.map(|value| data("data", value)).transpose()?;
    Ok(Post::new(body).data(data).nonce(nonce.transpose()?))
}

fn data(field: &str, value: &RawValue) -> Result<Data, Invalid> {
    let compact = compact(value);
    compact.map(Data::new).ok_or_else(|| Invalid::frame(format!("`{field}` is nested too deep")))
}

pub(crate) fn invalid_room(error: NameError, given: &str) -> Invalid {
    // Long enough to recognise it, and an answer stays small.
    let end = given.floor_char_boundary(1024);
    let room = Some(given[..end].to_owned());
    Invalid { code: "invalid_room", room, ..Invalid::frame(error.to_string()) }
}

fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let json = value.get();
    let quoted = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    // It is known to be JSON: without an escape it says what it is.
    match quoted.filter(|text| !text.contains('\\')) {
        Some(text) => Some(Cow::Borrowed(text)),
        None => serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.0),
    }
}

/// An integer from 0; one that is too large is as good as the largest there is.
fn integer(value: &RawValue) -> Option<u64> {
    let digits = value.get();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (&'static str, Option<u64>) {
        let invalid = match parse(text) {
            Err(invalid) => invalid,
            Ok(Request { action: Action::Room(_, RoomAction::Refuse(invalid)), .. }) => invalid,
            Ok(request) => panic!("{request:?}"),
        };
        (invalid.code, invalid.id)
    }

    #[test]
    fn what_is_no_object_is_a_bad_request() {
        for text in [
            "",
            "x",
            "[]",
            "1",
            "null",
            "\"x\"",
            "{",
            "{}x",
            "{\"type\":1}",
            "{}",
            "[{\"type\":\"ping\"}]",
            "{\"type\":\"ping\",\"type\":\"ping\"}",
        ] {
            assert_eq!(refused(text), ("bad_request", None), "{text}");
        }
        assert_eq!(refused(&"[".repeat(60_000)).0, "bad_request");
        let deep = format!(
            "{{\"type\":\"send\",\"room\":\"r\",\"body\":\"b\",\"data\":{}1{}}}",
            "[".repeat(30_000),
            "]".repeat(30_000)
        );
        assert_eq!(refused(&deep).0, "bad_request");
    }

    #[test]
    fn an_id_is_an_integer_or_the_answer_has_none() {
        for id in
            ["0", "-1", "1.5", "1e3", "9007199254740992", "\"1\"", "null", "[]", &"9".repeat(1000)]
        {
            assert_eq!(
                refused(&format!("{{\"type\":\"ping\",\"id\":{id}}}")),
                ("bad_request", None),
                "{id}"
            );
        }
        assert_eq!(parse("{\"type\":\"ping\",\"id\":9007199254740991}").unwrap().id, Some(MAX_ID));
    }

    #[test]
    fn wrong_fields_are_answered_with_the_id() {
        for text in [
            "\"type\":\"join\"",
            "\"type\":\"join\",\"room\":1",
            "\"type\":\"join\",\"room\":\"r\",\"history\":-1",
            "\"type\":\"join\",\"room\":\"r\",\"history\":null",
            "\"type\":\"join\",\"room\":\"r\",\"resume\":{}",
            "\"type\":\"join\",\"room\":\"r\",\"resume\":{\"epoch\":1,\"seq\":1}",
            "\"type\":\"join\",\"room\":\"r\",\"meta\":[]",
            "\"type\":\"send\",\"room\":\"r\"",
            "\"type\":\"send\",\"room\":\"r\",\"body\":\"\"",
            "\"type\":\"send\",\"room\":\"r\",\"body\":5",
            "\"type\":\"send\",\"room\":\"r\",\"body\":\"b\",\"nonce\":\"\"",
            "\"type\":\"send\",\"room\":\"r\",\"body\":\"b\",\"nonce\":7",
            "\"type\":\"redact\",\"room\":\"r\",\"seq\":0",
            "\"type\":\"redact\",\"room\":\"r\"",
            "\"type\":\"signal\",\"room\":\"r\"",
            "\"type\":\"history\",\"room\":\"r\",\"limit\":0",
            "\"type\":\"history\",\"room\":\"r\",\"before\":0",
            "\"type\":\"members\",\"room\":\"r\",\"after\":1",
        ] {
            assert_eq!(
                refused(&format!("{{\"id\":7,{text}}}")),
                ("bad_request", Some(7)),
                "{text}"
            );
        }
        assert_eq!(refused("{\"id\":7,\"type\":\"fly\"}"), ("unknown_type", Some(7)));
        assert_eq!(
            refused("{\"id\":7,\"type\":\"leave\",\"room\":\"..\"}"),
            ("invalid_room", Some(7))
        );
    }

    #[test]
    fn data_is_untouched_and_unknown_fields_are_ignored() {
        let frame = "{\"type\":\"send\",\"room\":\"r\",\"body\":\"b\\u0041\",\"data\": { \"n\": 1.50e400 },\"user\":\"eve\",\"seq\":9}";
        let Action::Room(_, RoomAction::Send(post)) = parse(frame).unwrap().action else {
            panic!()
        };
        assert_eq!(&*post.body, "bA");
        assert_eq!(post.data, Some(Data::new("{\"n\":1.50e400}")));
        let null = "{\"type\":\"send\",\"room\":\"r\",\"body\":\"b\",\"data\":null}";
        let Action::Room(_, RoomAction::Send(post)) = parse(null).unwrap().action else { panic!() };
        assert_eq!(post.data, Some(Data::new("null")));
    }

    /// One of each kind, with all its fields but `type`.
    const REQUESTS: [(&str, &str); 8] = [
        ("join", r#""room":"r","resume":{"epoch":"00","seq":1},"history":5,"meta":{"a":1}"#),
        ("leave", r#""room":"r""#),
        ("send", r#""room":"r","body":"b","data":[1,{"x":null}],"nonce":"n""#),
        ("redact", r#""room":"r","seq":1"#),
        ("signal", r#""room":"r","name":"typing","data":0.5"#),
        ("history", r#""room":"r","before":9,"limit":3"#),
        ("members", r#""room":"r","after":"ada""#),
        ("ping", r#""x":1"#),
    ];

    #[test]
    fn what_a_client_claims_to_be_changes_nothing() {
        for (kind, fields) in REQUESTS {
            let plain = format!("{{\"type\":\"{kind}\",\"id\":7,{fields}}}");
            let expected = format!("{:?}", parse(&plain).unwrap());
            for claim in [
                "user",
                "name",
                "session",
                "seq",
                "at",
                "epoch",
                "connections",
                "by",
                "rooms",
                "members",
                "redacted",
                "resumed",
                "duplicate",
                "identity",
                "__proto__",
            ] {
                if fields.contains(&format!("\"{claim}\":")) {
                    continue;
                }
                for value in ["\"root\"", "99", "{\"user\":\"root\"}", "null"] {
                    let claimed = plain.replacen('{', &format!("{{\"{claim}\":{value},"), 1);
                    let parsed = format!("{:?}", parse(&claimed).unwrap());
                    assert_eq!(parsed, expected, "{claimed}");
                }
            }
        }
    }

    /// Frames with some bytes changed, doubled, moved or cut out: whatever is left of them is a request or refused with a code of the protocol.
    #[test]
    fn no_text_of_a_client_panics() {
        const PIECES: [&str; 16] = [
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\\u0000",
            "\\ud800",
            "1e999",
            "-0",
            "null",
            "\"room\":\"s\",",
            "\u{202e}",
            "é",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut below = |bound: usize| {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize % bound
        };
        let mut taken = 0;
        for round in 0..40_000 {
            let (kind, fields) = REQUESTS[round % REQUESTS.len()];
            let mut text = format!("{{\"type\":\"{kind}\",\"id\":7,{fields}}}");
            for _ in 0..=below(3) {
                let at = text.floor_char_boundary(below(text.len() + 1));
                let end = text.floor_char_boundary((at + below(4)).min(text.len()));
                text.replace_range(at..end, PIECES[below(PIECES.len())]);
            }
            match parse(&text) {
                Err(invalid) => drop(invalid.answer()),
                Ok(Request { action: Action::Room(_, RoomAction::Refuse(invalid)), .. }) => {
                    assert!(["bad_request", "invalid_room"].contains(&invalid.code), "{text}");
                }
                Ok(_) => taken += 1,
            }
        }
        assert!(taken > 1000, "some of them are good: {taken}");
    }

    #[test]
    fn counts_beyond_every_maximum_are_the_maximum() {
        let frame = format!("{{\"type\":\"history\",\"room\":\"r\",\"limit\":{}}}", "9".repeat(40));
        assert!(matches!(parse(&frame).unwrap().action, Action::History { limit: usize::MAX, .. }));
    }

    #[test]
    fn a_signal_without_an_id_is_never_answered() {
        let refused = |text: &str| match parse(text) {
            Err(invalid) => invalid.answer(),
            Ok(Request { action: Action::Room(_, RoomAction::Refuse(invalid)), .. }) => {
                invalid.answer()
            }
            Ok(request) => panic!("{request:?}"),
        };
        assert!(refused("{\"type\":\"signal\",\"room\":\"r\"}").is_none());
        assert!(refused("{\"type\":\"signal\",\"room\":\"..\",\"name\":\"n\"}").is_none());
        assert!(refused("{\"type\":\"signal\",\"room\":\"r\",\"id\":1}").is_some());
        assert!(refused("{\"type\":\"send\",\"room\":\"r\"}").is_some());
    }
}
