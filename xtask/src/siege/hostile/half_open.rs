//! A peer of which nothing is heard any more, as after a cable was pulled.

use std::time::Duration;

use serde_json::json;

use super::attack::Attack;

/// Heartbeat and grace.
const SILENCE: Duration = Duration::from_secs(35);

pub(super) const SILENT_PEER: Attack = Attack {
    name: "half-open: answers no ping",
    answer: "bye heartbeat_timeout, 4001 within 35 s",
    takes: Duration::from_secs(37),
    round: |attacker| {
        let mut socket = attacker.user.open()?;
        socket.gets("joined", &json!({"type": "join", "id": 1, "room": attacker.room}))?;
        socket.must_close(Some("heartbeat_timeout"), 4001, SILENCE)
    },
};
