//! More rooms than a session may be in.

use serde_json::json;

use super::{
    super::wire::Wrong,
    attack::{Attack, SHORT},
};

const MOST: usize = 32;

pub(super) const MANY: Attack = Attack {
    name: "joining rooms without end",
    answer: "at most 32 joined, then too_many_rooms; or rate_limited",
    takes: SHORT,
    round: |attacker| {
        let mut socket = attacker.user.open()?;
        let mut joined = 0;
        for number in 0..2 * MOST {
            let room = format!("{} {number}", attacker.room);
            socket.say(&json!({"type": "join", "id": number + 1, "room": room}))?;
            let answer = socket.next()?;
            match (answer["type"].as_str(), answer["code"].as_str()) {
                (Some("joined"), _) => joined += 1,
                (_, Some("too_many_rooms")) if joined == MOST => {}
                (_, Some("rate_limited")) if answer["retry_after_ms"].as_u64() > Some(0) => {}
                _ => return Err(Wrong(format!("{answer} after {joined} rooms"))),
            }
        }
        if joined <= MOST { socket.close() } else { Err(Wrong(format!("{joined} rooms"))) }
    },
};
