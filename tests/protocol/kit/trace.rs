//! What one client said and heard, in order; and whether several of them heard the same.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::Client;
use super::oracle::{list, seq, text};

/// What went over one socket, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(pub(super) Vec<Event>);

#[derive(Clone, Debug)]
pub(super) enum Event {
    Sent(Value),
    Received { frame: Value, length: usize },
}

impl Trace {
    pub(crate) fn sent(&mut self, frame: Value) {
        self.0.push(Event::Sent(frame));
    }

    pub(crate) fn received(&mut self, frame: Value, length: usize) {
        self.0.push(Event::Received { frame, length });
    }

    /// All received frames of this type.
    pub(crate) fn of<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = &'t Value> {
        self.frames().filter(move |frame| frame["type"] == kind)
    }

    fn frames(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter_map(|event| match event {
            Event::Received { frame, .. } => Some(frame),
            Event::Sent(_) => None,
        })
    }
}

/// Asserts that clients which saw the same message saw it at the same place.
#[track_caller]
pub(crate) fn same_order<'c>(clients: impl IntoIterator<Item = &'c Client>) {
    let mut known: BTreeMap<(String, String, u64), (String, Value)> = BTreeMap::new();
    for client in clients {
        for (place, content) in placed_messages(client.trace()) {
            let (first, other) = known
                .entry(place.clone())
                .or_insert_with(|| (client.user.clone(), content.clone()));
            assert_eq!(*other, content, "{first} and {} differ about {place:?}", client.user);
        }
    }
}

/// Each message of a trace that nobody took back, by room, epoch and sequence number.
fn placed_messages(trace: &Trace) -> Vec<((String, String, u64), Value)> {
    let mut epochs: HashMap<String, String> = HashMap::new();
    let mut placed = Vec::new();
    for frame in trace.frames() {
        let room = text(frame, "room").to_owned();
        if frame["type"] == "joined" {
            epochs.insert(room.clone(), text(frame, "epoch").to_owned());
        }
        let Some(epoch) = epochs.get(&room) else { continue };
        for message in messages_of(frame) {
            if message["redacted"] != true {
                let content = ["user", "body", "at", "data"].map(|name| message[name].clone());
                placed.push(((room.clone(), epoch.clone(), seq(message)), content.to_vec().into()));
            }
        }
    }
    placed
}

fn messages_of(frame: &Value) -> Vec<&Value> {
    match frame["type"].as_str() {
        Some("message") => vec![frame],
        Some("joined" | "history") => list(frame, "messages").collect(),
        _ => Vec::new(),
    }
}
