//! More messages than anybody may send.

use serde_json::json;

use super::{
    super::wire::Wrong,
    attack::{Attack, SHORT},
    requests::{Answers, flood},
};

const MESSAGES: u64 = 300;

pub(super) const FLOOD: Attack = Attack {
    name: "a flood of messages",
    answer: "sent, then rate_limited with retry_after_ms, one for each; or bye abuse, 4504",
    takes: SHORT,
    round: |attacker| {
        let (room, mut socket) = (&attacker.room, attacker.user.open()?);
        let joined = socket.gets("joined", &json!({"type": "join", "id": 9999, "room": room}))?;
        let send = |id| json!({"type": "send", "id": id, "room": room, "body": "x".repeat(100)});
        let answers = Answers { granted: "sent", refused: &["rate_limited"] };
        let (mut seq, mut problem) = (joined["seq"].as_u64().unwrap_or(0), None);
        let granted = flood(socket, (1..=MESSAGES).map(send), &answers, |told| {
            if told["type"] == "message" {
                seq += 1;
                if told["seq"] != seq {
                    problem.get_or_insert_with(|| Wrong(format!("{told} instead of number {seq}")));
                }
            }
        })?;
        match problem {
            Some(wrong) => Err(wrong),
            // What a user may say at once, and what they gain while the flood is judged.
            None if granted > 250 => Err(Wrong(format!("{granted} messages were let in"))),
            None => Ok(()),
        }
    },
};
