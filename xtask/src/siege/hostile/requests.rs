//! More requests than anybody needs.

use std::collections::BTreeSet;

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
    mut socket: Socket,
    requests: impl Iterator<Item = Value>,
    answers: &Answers,
    mut told: impl FnMut(&Value),
) -> Result<u64, Wrong> {
    let requests: Vec<Value> = requests.collect();
    let bytes: Vec<u8> = requests.iter().flat_map(|one| text(&one.to_string())).collect();
    socket.write_as_far_as_possible(&bytes);
    let mut open: BTreeSet<u64> = requests.iter().filter_map(|one| one["id"].as_u64()).collect();
    let mut granted = 0;
    while !open.is_empty() {
        let frame = socket.next()?;
        if frame["type"] == "bye" {
            return if frame["code"] == "abuse" {
                socket.must_close(None, 4504, SLACK).map(|()| granted)
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
        if !open.remove(&id) {
            return Err(Wrong(format!("two answers: {frame}")));
        }
    }
    socket.close().map(|()| granted)
}
