//! The frames of a client.

use chatrooms_core::{Data, Join, Nonce, Post, RoomName};
use serde_json::Value;

use crate::{
    framing::text,
    request::{Action, Invalid, MAX_ID, Request, RoomAction, parse},
};

/// The codes by which a frame can be refused before anything is done.
const CODES: [&str; 3] = ["bad_request", "unknown_type", "invalid_room"];

/// A text is a request or refused with a code of the protocol; a request says what its text says as JSON, and nothing that a client claims to be is part of it.
///
/// # Panics
/// Where this does not hold.
pub fn request(bytes: &[u8]) {
    let Ok(frame) = str::from_utf8(bytes) else { return };
    let parsed = parse(frame);
    match &parsed {
        Ok(request) => {
            assert!(request.id.is_none_or(|id| (1..=MAX_ID).contains(&id)));
            // What is too deep or too large for a value of serde's is carried all the same.
            if let Ok(value) = serde_json::from_str(frame) {
                agrees(request, &value);
            }
        }
        Err(invalid) => is_answer(invalid),
    }
    let claimed = frame.replacen('{', "{\"user\":\"root\",\"at\":1,\"session\":\"x\",", 1);
    let claimed = parse(&claimed);
    // An empty object has nothing to put a comma before.
    if claimed.is_ok() || parsed.is_ok() {
        assert_eq!(told(&claimed), told(&parsed), "{frame}");
    }
}

fn agrees(request: &Request, value: &Value) {
    assert_eq!(request.id.map(Value::from), value.get("id").cloned());
    match &request.action {
        Action::Room(room, action) => {
            is_named(room, value);
            action_agrees(action, value);
        }
        Action::History { room, before, limit } => {
            is_named(room, value);
            assert!(before.is_none_or(|before| before >= 1) && *limit >= 1);
        }
        Action::Members { room, after } => {
            is_named(room, value);
            assert_eq!(after.is_some(), value.get("after").is_some());
        }
        Action::Ping => assert_eq!(value["type"], "ping"),
    }
}

fn action_agrees(action: &RoomAction, value: &Value) {
    match action {
        RoomAction::Join(join) => {
            assert_eq!(value["type"], "join");
            is_data(join.meta.as_ref(), value.get("meta"));
        }
        RoomAction::Leave => assert_eq!(value["type"], "leave"),
        RoomAction::Send(post) => {
            assert_eq!((&value["type"], &value["body"]), (&"send".into(), &(*post.body).into()));
            assert!(!post.body.is_empty());
            is_data(post.data.as_ref(), value.get("data"));
            assert_eq!(post.nonce.as_ref().map(Nonce::as_str), value["nonce"].as_str());
        }
        RoomAction::Redact(seq) => assert!(*seq >= 1),
        RoomAction::Signal { name, data } => {
            assert_eq!(value["name"], name.as_str());
            assert!((1..=64).contains(&name.len()));
            is_data(data.as_ref(), value.get("data"));
        }
        RoomAction::Refuse(invalid) => is_answer(invalid),
        RoomAction::Deny(denied) => panic!("a text alone is never too soon: {denied:?}"),
    }
}

/// A room is the one that the client has named, in its normal form.
fn is_named(room: &RoomName, value: &Value) {
    let given = value["room"].as_str().expect("a room is a string");
    assert_eq!(RoomName::new(given).as_ref(), Ok(room));
}

/// Data is the same value, and no longer than it was.
fn is_data(data: Option<&Data>, value: Option<&Value>) {
    let read = data.map(|data| serde_json::from_str::<Value>(data.as_str()).expect("it is JSON"));
    assert_eq!(read.as_ref(), value);
}

/// What is refused has an answer that is small and a frame of the protocol, or none where it is a signal.
fn is_answer(invalid: &Invalid) {
    assert!(CODES.contains(&invalid.code), "{invalid:?}");
    let Some(answer) = invalid.answer() else { return };
    assert!(answer.len() < 8 * 1024, "an answer of {} bytes", answer.len());
    let answer: Value = serde_json::from_slice(&text(&answer)).expect("an answer is JSON");
    assert_eq!((&answer["type"], &answer["code"]), (&"error".into(), &invalid.code.into()));
    assert_eq!(answer.get("id").cloned(), invalid.id.map(Value::from));
}

/// All that there is to a request, with its data word for word.
fn told(parsed: &Result<Request, Invalid>) -> String {
    let data = match parsed {
        Ok(Request { action: Action::Room(_, RoomAction::Send(Post { data, .. })), .. })
        | Ok(Request { action: Action::Room(_, RoomAction::Signal { data, .. }), .. })
        | Ok(Request {
            action: Action::Room(_, RoomAction::Join(Join { meta: data, .. })), ..
        }) => data.as_ref().map(Data::as_str),
        _ => None,
    };
    format!("{parsed:?} {data:?}")
}
