//! The table "Server to client" of the protocol, as a check that every received frame passes.

use serde_json::Value;

enum Kind {
    Text,
    /// An integer from 0.
    Count,
    Bool,
    Json,
    Object,
    UserOrHost,
    List(&'static Kind),
    Record(&'static [Field]),
}

use Kind::{Bool, Count, Json, List, Object, Record, Text, UserOrHost};

struct Field(&'static str, Presence, Kind);

#[derive(PartialEq)]
enum Presence {
    Always,
    Maybe,
}

use Presence::{Always, Maybe};

const LIMITS: Kind = Record(&[
    Field("body_bytes", Always, Count),
    Field("data_bytes", Always, Count),
    Field("meta_bytes", Always, Count),
    Field("frame_bytes", Always, Count),
    Field("reply_bytes", Always, Count),
    Field("rooms_per_session", Always, Count),
    Field("sends_per_second", Always, Count),
    Field("history", Always, Count),
    Field("presence_exact", Always, Count),
]);

const MEMBER: Kind = Record(&[
    Field("user", Always, Text),
    Field("name", Maybe, Text),
    Field("connections", Always, Count),
    Field("meta", Maybe, Object),
]);

const MESSAGE_FIELDS: &[Field] = &[
    Field("seq", Always, Count),
    Field("user", Always, UserOrHost),
    Field("name", Maybe, Text),
    Field("body", Always, Text),
    Field("at", Always, Count),
    Field("data", Maybe, Json),
    Field("nonce", Maybe, Text),
    Field("redacted", Maybe, Bool),
];

const ID: Field = Field("id", Maybe, Count);
const ROOM: Field = Field("room", Always, Text);
const MORE: Field = Field("more", Always, Bool);
const MEMBERS: Field = Field("members", Always, List(&MEMBER));
const MESSAGES: Field = Field("messages", Always, List(&Record(MESSAGE_FIELDS)));

const FRAMES: &[(&str, &[Field])] = &[
    (
        "hello",
        &[
            Field("session", Always, Text),
            Field("user", Always, Text),
            Field("name", Maybe, Text),
            Field("heartbeat_ms", Always, Count),
            Field("limits", Always, LIMITS),
        ],
    ),
    (
        "joined",
        &[
            ID,
            ROOM,
            Field("epoch", Always, Text),
            Field("seq", Always, Count),
            Field("resumed", Always, Bool),
            MEMBERS,
            Field("members_more", Maybe, Bool),
            MESSAGES,
            MORE,
            Field("redacted", Maybe, List(&Count)),
        ],
    ),
    ("left", &[ID, ROOM]),
    (
        "sent",
        &[
            ID,
            ROOM,
            Field("seq", Always, Count),
            Field("at", Always, Count),
            Field("nonce", Maybe, Text),
            Field("duplicate", Maybe, Bool),
        ],
    ),
    ("message", &[ROOM]),
    ("redacted", &[ROOM, Field("seq", Always, Count), Field("by", Maybe, Text)]),
    (
        "presence",
        &[ROOM, Field("joined", Always, List(&MEMBER)), Field("left", Always, List(&Text))],
    ),
    (
        "signal",
        &[
            ROOM,
            Field("user", Always, UserOrHost),
            Field("name", Always, Text),
            Field("data", Maybe, Json),
        ],
    ),
    ("history", &[ID, ROOM, MESSAGES, MORE]),
    ("members", &[ID, ROOM, MEMBERS, MORE]),
    ("removed", &[ROOM, Field("code", Always, Text), Field("reason", Maybe, Text)]),
    ("notice", &[Field("name", Always, Text), Field("data", Maybe, Json)]),
    ("ok", &[ID]),
    ("pong", &[ID]),
    (
        "error",
        &[
            ID,
            Field("code", Always, Text),
            Field("message", Always, Text),
            Field("room", Maybe, Text),
            Field("retry_after_ms", Maybe, Count),
        ],
    ),
    (
        "bye",
        &[
            Field("code", Always, Text),
            Field("reason", Always, Text),
            Field("reconnect", Always, Bool),
            Field("after_ms", Always, Count),
        ],
    ),
];

/// A frame's content, once it is known to be what the table says.
#[track_caller]
pub(super) fn check(text: &str) -> Value {
    let frame: Value = serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("the server sent no JSON ({error}): {text}"));
    let kind = frame["type"].as_str().unwrap_or_else(|| panic!("a frame without type: {text}"));
    let known = FRAMES.iter().find(|(name, _)| *name == kind);
    let (_, fields) = known.unwrap_or_else(|| panic!("a frame of unknown type: {text}"));
    let mut faults = Vec::new();
    check_fields(&frame, fields, kind, &mut faults);
    if kind == "message" {
        check_fields(&frame, MESSAGE_FIELDS, kind, &mut faults);
    }
    if kind == "error" {
        check_error(&frame, &mut faults);
    }
    assert!(faults.is_empty(), "{faults:?} in {text}");
    frame
}

/// A code of the protocol's, or of the host's own; and a limit says when to come again.
fn check_error(frame: &Value, faults: &mut Vec<String>) {
    let code = frame["code"].as_str().unwrap_or_default();
    if !CODES.contains(&code) && !code.starts_with("x-") {
        faults.push("an unknown error code".to_owned());
    }
    let is_limit = matches!(code, "rate_limited" | "slow_mode");
    if is_limit && frame["retry_after_ms"].as_u64().is_none_or(|wait| wait == 0) {
        faults.push("a limit without retry_after_ms".to_owned());
    }
}

const CODES: &[&str] = &[
    "bad_request",
    "unknown_type",
    "too_large",
    "invalid_room",
    "invalid_user",
    "not_in_room",
    "already_in_room",
    "forbidden",
    "banned",
    "muted",
    "room_full",
    "too_many_rooms",
    "too_many_sessions",
    "server_full",
    "busy",
    "rate_limited",
    "slow_mode",
    "store_unavailable",
    "outcome_unknown",
    "not_found",
    "unauthorized",
    "shutting_down",
    "internal",
];

/// What is wrong with an HTTP answer's Member or Message lists, which have the same form as on the wire.
#[track_caller]
pub(crate) fn check_lists(answer: &Value) {
    let mut faults = Vec::new();
    if answer.get("members").is_some() {
        check_fields(answer, &[MEMBERS], "answer", &mut faults);
    }
    if answer.get("messages").is_some() {
        check_fields(answer, &[MESSAGES], "answer", &mut faults);
    }
    assert!(faults.is_empty(), "{faults:?} in {answer}");
}

fn check_fields(value: &Value, fields: &[Field], path: &str, faults: &mut Vec<String>) {
    for Field(name, presence, kind) in fields {
        let path = format!("{path}.{name}");
        match value.get(name) {
            Some(value) => check_kind(value, kind, &path, faults),
            None if *presence == Always => faults.push(format!("{path} is missing")),
            None => {}
        }
    }
}

fn check_kind(value: &Value, kind: &Kind, path: &str, faults: &mut Vec<String>) {
    let fits = match kind {
        Text => value.is_string(),
        Count => value.is_u64(),
        Bool => value.is_boolean(),
        Json => true,
        Object => value.is_object(),
        UserOrHost => value.is_string() || value.is_null(),
        List(_) => value.is_array(),
        Record(_) => value.is_object(),
    };
    if !fits {
        faults.push(format!("{path} is of the wrong kind"));
    }
    match kind {
        List(inner) => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                check_kind(item, inner, &format!("{path}[{index}]"), faults);
            }
        }
        Record(fields) => check_fields(value, fields, path, faults),
        _ => {}
    }
}
