//! Vanishes in the middle of a frame.

use std::time::Duration;

use serde_json::json;

use super::{
    super::wire::{FIN, PING, frame, text},
    attack::{Attack, SHORT},
    gone::is_gone,
};

pub(super) const RESET_IN_A_FRAME: Attack = Attack {
    name: "a reset in the middle of a frame",
    answer: "has left within 1 s",
    takes: SHORT,
    round: |attacker| {
        let send = json!({"type": "send", "room": attacker.room, "body": "never finished"});
        let whole = text(&send.to_string());
        for part in [1, 5, whole.len() - 1] {
            let mut socket = attacker.user.open()?;
            socket.gets("joined", &json!({"type": "join", "id": 1, "room": attacker.room}))?;
            // Its answer is what is not read.
            socket.write(&frame(FIN | PING, b"x"))?;
            socket.write(&whole[..part])?;
            socket.reset()?;
            is_gone(attacker, Duration::from_secs(1))?;
        }
        Ok(())
    },
};
