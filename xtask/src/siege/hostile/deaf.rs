//! Asks for much and reads nothing of it.

use std::time::Duration;

use serde_json::json;

use super::{super::wire::text, attack::Attack, gone::is_gone};

/// Half of what may wait is there without anything taken.
const STALL: Duration = Duration::from_secs(5);

pub(super) const NEVER_READS: Attack = Attack {
    name: "asking for much and never reading",
    answer: "let go: at once over 1 MiB, within 5 s over half of it",
    takes: Duration::from_secs(10),
    round: |attacker| {
        let (room, mut socket) = (&attacker.room, attacker.user.open()?);
        socket.gets("joined", &json!({"type": "join", "id": 1, "room": room}))?;
        let body = "x".repeat(4_000);
        for id in 2..12 {
            socket.gets("sent", &json!({"type": "send", "id": id, "room": room, "body": body}))?;
        }
        let history = json!({"type": "history", "room": room, "limit": 10}).to_string();
        // What the system holds for both sides is some megabytes more.
        socket.write_as_far_as_possible(&text(&history).repeat(400));
        is_gone(attacker, STALL)
    },
};
