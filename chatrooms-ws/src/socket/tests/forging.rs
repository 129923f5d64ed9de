//! Whatever a client says of itself, of others, of places and of times: what is told bears what the server knows.

use std::time::{SystemTime, UNIX_EPOCH};

use chatrooms_core::{RoomName, async_trait};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::request::parse;

/// What is known to a server alone, in the words that clients might try.
const FORGED: [&str; 36] = [
    "user",
    "users",
    "session",
    "session_id",
    "connection",
    "connections",
    "conn",
    "identity",
    "claims",
    "from",
    "by",
    "sender",
    "author",
    "to",
    "host",
    "admin",
    "epoch",
    "at",
    "ts",
    "time",
    "timestamp",
    "expires_at",
    "redacted",
    "duplicate",
    "resumed",
    "joined",
    "left",
    "member",
    "members_more",
    "messages",
    "limits",
    "code",
    "reason",
    "display_name",
    "__proto__",
    "",
];
/// What is a field of one type of request or another.
const KNOWN: [&str; 13] = [
    "id", "room", "resume", "history", "meta", "body", "data", "nonce", "seq", "name", "before",
    "limit", "after",
];
const TYPES: [&str; 14] = [
    "join", "leave", "send", "redact", "signal", "history", "members", "ping", "message",
    "presence", "redacted", "removed", "hello", "bye",
];
const VALUES: [&str; 12] =
    ["ada", "eve", "Ada", "open", "private", "other", "0", "1", "admin", "host", "", "\u{202e}"];
const EVES_NAME: &str = "Eve, who may say so";

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u64..5).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(&VALUES[..]).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((select(&FORGED[..]), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().map(own).collect())),
        ]
    })
}

fn own((key, value): (&str, Value)) -> (String, Value) {
    (key.to_owned(), value)
}

/// A field that no client has to send, or not with this request; now and then spelled so that only a reader of JSON sees what it is.
fn extra() -> impl Strategy<Value = (String, Value)> {
    let key = prop_oneof![
        8 => select(&FORGED[..]).prop_map(str::to_owned),
        1 => select(&KNOWN[..]).prop_map(str::to_owned),
        1 => "[a-z_]{1,8}",
    ];
    let spelled = (key, 0..4u8).prop_map(|(key, how)| match how {
        0 => key.to_uppercase(),
        1 => key.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(),
        _ => key,
    });
    (spelled, json())
}

/// One thing that a client asks for, and what it adds.
#[derive(Clone, Debug)]
struct Forged {
    kind: &'static str,
    room: &'static str,
    seq: u64,
    value: Value,
    extra: Vec<(String, Value)>,
    /// Where among the others each of them stands.
    places: Vec<usize>,
}

fn forged() -> impl Strategy<Value = Forged> {
    // Mostly what others are told of.
    let kind = prop_oneof![3 => select(&["send", "send", "signal", "redact"][..]), 1 => select(&TYPES[..])];
    let room = prop_oneof![8 => Just("open"), 2 => select(&["private", "other"][..])];
    (kind, room, 0u64..6, json(), vec((extra(), any::<usize>()), 0..5)).prop_map(
        |(kind, room, seq, value, extra)| {
            let (extra, places) = extra.into_iter().unzip();
            Forged { kind, room, seq, value, extra, places }
        },
    )
}

impl Forged {
    /// What such a request needs, and what it may have.
    fn fields(&self, number: usize) -> Vec<(String, Value)> {
        let mut fields = vec![("type", json!(self.kind)), ("room", json!(self.room))];
        match self.kind {
            "send" => {
                fields.extend([("body", json!(format!("eve: {number}"))), ("data", self.data())]);
            }
            "signal" => {
                fields.extend([("name", json!(format!("n{number}"))), ("data", self.data())]);
            }
            "join" => fields.push(("meta", json!({"said": self.value}))),
            "redact" => fields.push(("seq", json!(self.seq))),
            _ => {}
        }
        fields.into_iter().map(own).collect()
    }

    fn data(&self) -> Value {
        json!([self.value])
    }

    /// The frame, letter by letter: what is added stands anywhere.
    fn text(&self, number: usize, extra: &[(String, Value)]) -> String {
        let mut fields = self.fields(number);
        for (field, place) in extra.iter().zip(&self.places) {
            fields.insert(place % (fields.len() + 1), field.clone());
        }
        // A key may hold escapes, which are to stay as they are.
        let fields = fields.iter().map(|(key, value)| format!("\"{key}\":{value}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    /// What has no meaning for this type of request: everything but its own fields.
    fn meaningless(&self) -> Vec<(String, Value)> {
        let own: &[&str] = match self.kind {
            "join" => &["resume", "history", "meta"],
            "send" => &["body", "data", "nonce"],
            "redact" => &["seq"],
            "signal" => &["name", "data"],
            "history" => &["before", "limit"],
            "members" => &["after"],
            _ => &[],
        };
        let is_meant = |key: &str| {
            let read: String = serde_json::from_str(&format!("\"{key}\"")).unwrap();
            ["type", "id", "room"].contains(&read.as_str()) || own.contains(&read.as_str())
        };
        let mut seen = Vec::new();
        let mut meaningless = self.extra.clone();
        meaningless.retain(|(key, _)| {
            !is_meant(key) && {
                let read: String = serde_json::from_str(&format!("\"{key}\"")).unwrap();
                // What is known to the protocol at all may not come twice.
                let is_new = !seen.contains(&read);
                seen.push(read);
                is_new
            }
        });
        meaningless
    }
}

/// Lets nobody but ada into one room.
#[derive(Debug)]
struct Private;

#[async_trait]
impl RoomPolicy for Private {
    async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
        let is_let_in = room.as_str() != "private" || who.user().as_str() == "ada";
        is_let_in.then_some(()).ok_or(Error::Forbidden)
    }
}

/// What eve asks for, and what she may be told to have done.
struct Forgery {
    frames: Vec<Forged>,
    began: u64,
    /// The places of her messages in the open room.
    eves: Vec<u64>,
    /// Of all messages there.
    places: Vec<u64>,
}

impl Forgery {
    /// Holds a frame that ada is told against what happened.
    fn check(&mut self, told: &Value) {
        let kind = told["type"].as_str().unwrap();
        let fields: &[&str] = match kind {
            "message" => &["room", "seq", "user", "name", "body", "at", "data", "nonce"],
            "signal" => &["room", "user", "name", "data"],
            "presence" => &["room", "joined", "left"],
            "redacted" => &["room", "seq", "by"],
            // Her own.
            "hello" | "joined" | "sent" => return,
            _ => panic!("nobody may have her told this: {told}"),
        };
        let known = |field: &String| field == "type" || fields.contains(&field.as_str());
        assert!(told.as_object().unwrap().keys().all(known), "{told}");
        let is_eves_room = told["room"] == "open";
        match kind {
            "message" => {
                let (user, number) = told["body"].as_str().unwrap().split_once(": ").unwrap();
                assert_eq!(told["user"], user, "{told}");
                let at = told["at"].as_u64().unwrap();
                assert!((self.began..=now()).contains(&at), "{told}");
                if user == "eve" {
                    let asked = &self.frames[number.parse::<usize>().unwrap()];
                    assert_eq!((asked.kind, &asked.data()), ("send", &told["data"]));
                    assert_eq!((asked.room, is_eves_room), ("open", true), "{told}");
                    assert_eq!(told["name"], EVES_NAME, "{told}");
                    self.eves.push(told["seq"].as_u64().unwrap());
                } else {
                    assert!(told.get("name").is_none() && told.get("data").is_none(), "{told}");
                }
                if is_eves_room {
                    self.places.push(told["seq"].as_u64().unwrap());
                    assert!(self.places.iter().copied().eq(1..=self.places.len() as u64));
                }
            }
            "signal" => {
                assert!(is_eves_room && told["user"] == "eve", "{told}");
                let number = told["name"].as_str().unwrap().strip_prefix('n').unwrap();
                let asked = &self.frames[number.parse::<usize>().unwrap()];
                let said = (asked.kind, asked.room, &asked.data());
                assert_eq!(said, ("signal", "open", &told["data"]), "{told}");
            }
            "presence" => {
                assert!(is_eves_room, "{told}");
                for member in told["joined"].as_array().unwrap() {
                    self.check_member(member);
                }
                for user in told["left"].as_array().unwrap() {
                    assert_eq!(user, "eve", "{told}");
                }
            }
            _ => {
                assert!(is_eves_room && told["by"] == "eve", "{told}");
                assert!(self.eves.contains(&told["seq"].as_u64().unwrap()), "{told}");
            }
        }
    }

    /// Holds somebody who is there against what is known of eve.
    fn check_member(&self, member: &Value) {
        let known = |field: &String| ["user", "name", "connections", "meta"].contains(&&**field);
        assert!(member.as_object().unwrap().keys().all(known), "{member}");
        let eves = (&json!("eve"), &json!(EVES_NAME), &json!(1));
        assert_eq!((&member["user"], &member["name"], &member["connections"]), eves);
        let said = |asked: &Forged| json!({"said": asked.value}) == member["meta"];
        let is_first = member.get("meta").is_none();
        assert!(is_first || self.frames.iter().any(said), "{member}");
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis().try_into().unwrap()
}

async fn nobody_believes(frames: Vec<Forged>) {
    let mut config = Config::default();
    (config.send_burst, config.request_burst) = (10_000, 10_000);
    let registry = RoomRegistry::builder().config(config).policy(Private).start().await.unwrap();
    let mut forgery = Forgery { frames, began: now(), eves: Vec::new(), places: Vec::new() };
    let (mut ada, _serving) =
        connect_to(&["open", "private"], &registry, user("ada"), 1 << 20).await;
    for room in ["open", "private"] {
        say(&mut ada, json!({"type": "send", "room": room, "body": "ada: secret"})).await;
        while hear(&mut ada).await["body"] != "ada: secret" {}
    }
    forgery.places.push(1);

    let eves = user("eve").display_name(EVES_NAME);
    let (mut eve, _serving) = connect_to(&["open"], &registry, eves, 1 << 20).await;
    expect(&mut eve, "joined").await;
    for (number, frame) in forgery.frames.iter().enumerate() {
        let text = frame.text(number, &frame.extra);
        eve.send(Message::text(text)).await.unwrap();
    }
    // Answered behind all others of that room.
    say(&mut eve, json!({"type": "leave", "room": "open", "id": 999_999})).await;
    loop {
        let told = hear(&mut eve).await;
        let is_hers = told["room"] != "private" || told["type"] == "error";
        assert!(is_hers, "{told}");
        if told["id"] == 999_999 && told["type"] != "pong" {
            break;
        }
    }
    for room in ["private", "open"] {
        say(&mut ada, json!({"type": "send", "room": room, "body": "ada: over"})).await;
    }
    loop {
        let told = hear(&mut ada).await;
        forgery.check(&told);
        if told["room"] == "open" && told["body"] == "ada: over" {
            break;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_told_bears_what_the_server_knows(frames in vec(forged(), 1..16)) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(nobody_believes(frames));
    }

    #[test]
    fn what_is_added_to_a_request_changes_nothing(frame in forged()) {
        let plain = parse(&frame.text(1, &[]));
        let full = parse(&frame.text(1, &frame.meaningless()));
        prop_assert_eq!(format!("{plain:?}"), format!("{full:?}"));
    }
}
