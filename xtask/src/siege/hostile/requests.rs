//! More requests than anybody needs.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{
    super::wire::{SLACK, Socket, Wrong, text},
    attack::{Attack, SHORT},
};

const REQUESTS: u64 = 1_000;

pub(super) const FLOOD: Attack = Attack {
    name: "a flood of requests: who is there, what was said, ping",
    answer: "each is answered or rate_limited; or bye abuse, 4504",
    takes: SHORT,
    round: |attacker| {
        let room = &attacker.room;
        for kind in ["ping", "members", "history"] {
            let answer = if kind == "ping" { "pong" } else { kind };
            let ask = |id| json!({"type": kind, "id": id, "room": room});
            let answers = Answers { granted: answer, refused: &["rate_limited"] };
            let mut socket = attacker.user.open()?;
            socket.gets("joined", &json!({"type": "join", "id": 9999, "room": room}))?;
            flood(socket, (1..=REQUESTS).map(ask), &answers, |_| {})?;
        }
        Ok(())
    },
};

/// So many sockets of one user ask for pages.
const SOCKETS: usize = 16;
const PAGES: u64 = 100;

pub(super) const PAGES_FOR_ALL_SOCKETS: Attack = Attack {
    name: "a flood of requests for what was said, on many sockets of one user",
    answer: "each is answered or rate_limited; or bye abuse, 4504; and nobody else waits for it",
    takes: Duration::from_secs(15),
    round: |attacker| {
        let room = &attacker.room;
        let answers = Answers { granted: "history", refused: &["rate_limited"] };
        let mut sockets = Vec::new();
        for _ in 0..SOCKETS {
            let mut socket = attacker.user.open()?;
            socket.gets("joined", &json!({"type": "join", "id": 9999, "room": room}))?;
            sockets.push(socket);
        }
        let page = |id| json!({"type": "history", "id": id, "room": room, "before": 300});
        let asked = sockets.into_iter().map(|socket| Flood::begin(socket, (1..=PAGES).map(page)));
        for flood in asked.collect::<Vec<_>>() {
            flood.end(&answers, |_| {})?;
        }
        Ok(())
    },
};

/// What a request of a flood may be answered with.
#[derive(Debug)]
pub(super) struct Answers {
    /// The type of the answer where it is done.
    pub(super) granted: &'static str,
    /// The codes with which it may be refused.
    pub(super) refused: &'static [&'static str],
}

/// Sends all of them in one piece and reads until each has its one answer; says how many were done. What is told beside goes to `told`. A server that has
/// enough of it says so, and that is an end too.
pub(super) fn flood(
    socket: Socket,
    requests: impl Iterator<Item = Value>,
    answers: &Answers,
    told: impl FnMut(&Value),
) -> Result<u64, Wrong> {
    Flood::begin(socket, requests).end(answers, told)
}

/// Requests that were sent and are not all answered yet.
struct Flood {
    socket: Socket,
    open: BTreeSet<u64>,
}

impl Flood {
    fn begin(mut socket: Socket, requests: impl Iterator<Item = Value>) -> Self {
        let requests: Vec<Value> = requests.collect();
        let bytes: Vec<u8> = requests.iter().flat_map(|one| text(&one.to_string())).collect();
        socket.write_as_far_as_possible(&bytes);
        Self { socket, open: requests.iter().filter_map(|one| one["id"].as_u64()).collect() }
    }

    fn end(mut self, answers: &Answers, mut told: impl FnMut(&Value)) -> Result<u64, Wrong> {
        let mut granted = 0;
        while !self.open.is_empty() {
            let frame = self.socket.next()?;
            if frame["type"] == "bye" {
                return if frame["code"] == "abuse" {
                    self.socket.must_close(None, 4504, SLACK).map(|()| granted)
                } else {
                    Err(Wrong(format!("{frame} instead of abuse")))
                };
            }
            let Some(id) = frame["id"].as_u64() else {
                told(&frame);
                continue;
            };
            let code = frame["code"].as_str().unwrap_or_default();
            let is_limit = frame["retry_after_ms"].as_u64() > Some(0);
            match frame["type"].as_str() {
                Some(kind) if kind == answers.granted => granted += 1,
                Some("error") if answers.refused.contains(&code) && is_limit => {}
                _ => return Err(Wrong(format!("{frame} for {}", answers.granted))),
            }
            if !self.open.remove(&id) {
                return Err(Wrong(format!("two answers: {frame}")));
            }
        }
        self.socket.close().map(|()| granted)
    }
}
