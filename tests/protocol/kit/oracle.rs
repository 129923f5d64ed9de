//! The trace oracle: what one client said and heard, judged by the promises of the protocol.
//!
//! Every client of every test is judged when it is dropped, so a promise is tested wherever anybody talks.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::trace::{Event, Trace};

/// Every promise that this trace shows broken; empty when all is well.
pub(crate) fn violations(trace: &Trace) -> Vec<String> {
    let mut judge = Judge::default();
    for event in &trace.0 {
        match event {
            Event::Sent(frame) => judge.request(frame),
            Event::Received { frame, length } => judge.frame(frame, *length),
        }
    }
    judge.found
}

#[derive(Default)]
struct Judge {
    user: String,
    reply_bytes: u64,
    presence_exact: usize,
    rooms: HashMap<String, Room>,
    asked: HashMap<u64, Value>,
    /// Per room, the ids of requests whose answers must come in this order.
    queues: HashMap<String, Vec<u64>>,
    stored: HashSet<(String, String, u64)>,
    said_bye: bool,
    found: Vec<String>,
}

struct Room {
    epoch: String,
    head: u64,
    present: BTreeSet<String>,
    /// All members are in `present`: the list was never cut short.
    complete: bool,
}

impl Judge {
    fn request(&mut self, frame: &Value) {
        let Some(id) = frame["id"].as_u64() else { return };
        self.asked.insert(id, frame.clone());
        let in_order = !matches!(text(frame, "type"), "history" | "members" | "ping");
        if let (true, Some(room)) = (in_order, frame["room"].as_str()) {
            self.queues.entry(room.to_owned()).or_default().push(id);
        }
    }

    fn frame(&mut self, frame: &Value, length: usize) {
        if self.said_bye {
            self.blame("a frame after bye", frame);
        }
        let request = self.answered(frame);
        match text(frame, "type") {
            "hello" => self.hello(frame),
            "joined" => self.joined(frame, request.as_ref()),
            "left" | "removed" => self.left(frame),
            "message" => self.message(frame),
            "redacted" => self.redacted(frame),
            "presence" => self.presence(frame),
            "sent" => self.sent(frame),
            "history" => self.history(frame),
            "members" => self.members(frame, request.as_ref()),
            "signal" => self.check(
                self.rooms.contains_key(text(frame, "room")),
                "a signal from elsewhere",
                frame,
            ),
            "error" => self.error(frame),
            "bye" => self.said_bye = true,
            _ => {}
        }
        if matches!(text(frame, "type"), "joined" | "history" | "members") {
            self.check(length as u64 <= self.reply_bytes, "an answer over reply_bytes", frame);
        }
    }

    /// Takes the request that this frame answers, if it carries an id.
    fn answered(&mut self, frame: &Value) -> Option<Value> {
        let id = frame["id"].as_u64()?;
        let request = self.asked.remove(&id);
        self.check(request.is_some(), "an answer to nothing, or a second one", frame);
        let request = request?;
        let queue = self.queues.get_mut(text(&request, "room"));
        let turn =
            queue.and_then(|queue| Some((queue.iter().position(|asked| *asked == id)?, queue)));
        if let Some((position, queue)) = turn {
            queue.remove(position);
            self.check(position == 0, "an answer out of order", frame);
        }
        Some(request)
    }

    fn hello(&mut self, frame: &Value) {
        self.user = text(frame, "user").to_owned();
        self.reply_bytes = frame["limits"]["reply_bytes"].as_u64().unwrap_or_default();
        self.presence_exact =
            frame["limits"]["presence_exact"].as_u64().unwrap_or_default() as usize;
    }

    fn joined(&mut self, frame: &Value, request: Option<&Value>) {
        let head = seq(frame);
        let sequence: Vec<u64> = list(frame, "messages").map(seq).collect();
        self.check(is_dense(&sequence), "joined with a gap", frame);
        let ends_with_head = sequence.last().is_none_or(|last| *last == head);
        self.check(ends_with_head, "joined.messages do not end with joined.seq", frame);
        if let Some(since) = request.and_then(|request| request["resume"]["seq"].as_u64())
            && frame["resumed"] == true
        {
            let missed: Vec<u64> = (since + 1..=head).collect();
            self.check(
                sequence == missed,
                "resumed with other messages than the missed ones",
                frame,
            );
        }
        let present: BTreeSet<String> = list(frame, "members").map(name).collect();
        self.check(present.len() == list(frame, "members").count(), "a member twice", frame);
        self.check(present.contains(&self.user), "joined without oneself", frame);
        let room = Room {
            epoch: text(frame, "epoch").to_owned(),
            head,
            present,
            complete: frame["members_more"] != true,
        };
        self.rooms.insert(text(frame, "room").to_owned(), room);
    }

    fn left(&mut self, frame: &Value) {
        let was_in = self.rooms.remove(text(frame, "room")).is_some();
        self.check(was_in, "left a room it was not in", frame);
    }

    fn message(&mut self, frame: &Value) {
        let Some(room) = self.rooms.get_mut(text(frame, "room")) else {
            return self.blame("a message from a room it is not in", frame);
        };
        let follows = seq(frame) == room.head + 1;
        room.head = seq(frame);
        self.check(follows, "a gap or a repeat", frame);
    }

    fn redacted(&mut self, frame: &Value) {
        let head = self.rooms.get(text(frame, "room")).map(|room| room.head);
        self.check(
            head.is_some_and(|head| seq(frame) <= head),
            "redacted before its message",
            frame,
        );
    }

    fn presence(&mut self, frame: &Value) {
        let joined: Vec<String> = list(frame, "joined").map(name).collect();
        let left: Vec<String> =
            list(frame, "left").map(|user| user.as_str().unwrap_or_default().to_owned()).collect();
        let user = self.user.clone();
        let mut faults = Vec::new();
        if joined.iter().any(|user| left.contains(user)) {
            faults.push("a user in both lists");
        }
        match self.rooms.get_mut(text(frame, "room")) {
            None => faults.push("presence from a room it is not in"),
            Some(room) => {
                let complete = room.complete;
                for other in joined.iter().filter(|other| **other != user) {
                    if !room.present.insert(other.clone()) && complete {
                        faults.push("joined, but was there");
                    }
                }
                for other in left.iter().filter(|other| **other != user) {
                    if !room.present.remove(other) && complete {
                        faults.push("left, but was not there");
                    }
                }
                if room.present.len() < self.presence_exact && joined.contains(&user) && complete {
                    faults.push("the joiner was told of itself");
                }
            }
        }
        for fault in faults {
            self.blame(fault, frame);
        }
    }

    fn sent(&mut self, frame: &Value) {
        let room = text(frame, "room");
        if let Some(epoch) = self.rooms.get(room).map(|room| room.epoch.clone()) {
            let place = (room.to_owned(), epoch, seq(frame));
            let new = self.stored.insert(place);
            self.check(new || frame["duplicate"] == true, "two sends got one place", frame);
        }
    }

    fn history(&mut self, frame: &Value) {
        let sequence: Vec<u64> = list(frame, "messages").map(seq).collect();
        self.check(is_dense(&sequence), "history with a gap", frame);
    }

    fn members(&mut self, frame: &Value, request: Option<&Value>) {
        let page: Vec<String> = list(frame, "members").map(name).collect();
        self.check(page.is_sorted_by(|one, next| one < next), "members not by user", frame);
        let whole =
            frame["more"] == false && request.is_some_and(|request| request.get("after").is_none());
        if let Some(room) = self.rooms.get(text(frame, "room"))
            && room.complete
            && whole
        {
            let others = |users: &BTreeSet<String>| -> BTreeSet<String> {
                users.iter().filter(|user| **user != self.user).cloned().collect()
            };
            let same = others(&room.present) == others(&page.into_iter().collect());
            self.check(same, "members and presence are not one cut", frame);
        }
    }

    fn error(&mut self, frame: &Value) {
        let waits = matches!(text(frame, "code"), "rate_limited" | "slow_mode");
        let told = frame["retry_after_ms"].as_u64().is_some_and(|wait| wait >= 1);
        self.check(told || !waits, "a limit without retry_after_ms", frame);
        let known = CODES.contains(&text(frame, "code")) || text(frame, "code").starts_with("x-");
        self.check(known, "an unknown error code", frame);
    }

    fn check(&mut self, holds: bool, fault: &str, frame: &Value) {
        if !holds {
            self.blame(fault, frame);
        }
    }

    fn blame(&mut self, fault: &str, frame: &Value) {
        let mut shown = frame.to_string();
        shown.truncate(shown.floor_char_boundary(600));
        self.found.push(format!("{fault}: {shown}"));
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

pub(super) fn text<'v>(frame: &'v Value, field: &str) -> &'v str {
    frame[field].as_str().unwrap_or_default()
}

fn name(member: &Value) -> String {
    text(member, "user").to_owned()
}

pub(super) fn seq(frame: &Value) -> u64 {
    frame["seq"].as_u64().unwrap_or_default()
}

pub(super) fn list<'v>(frame: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    frame[field].as_array().into_iter().flatten()
}

fn is_dense(sequence: &[u64]) -> bool {
    sequence.windows(2).all(|pair| pair[1] == pair[0] + 1)
}
