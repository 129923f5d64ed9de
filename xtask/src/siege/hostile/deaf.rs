//! Asks for much and reads nothing of it.

use std::time::Duration;

use serde_json::json;

use super::{
    super::wire::{Wrong, text},
    attack::{Attack, Attacker},
    gone::is_gone,
};

/// Half of what may wait is there without anything taken.
const STALL: Duration = Duration::from_secs(5);

pub(super) const NEVER_READS: Attack = Attack {
    name: "asking for much and never reading",
    answer: "let go: at once over 1 MiB, within 5 s over half of it",
    takes: Duration::from_secs(10),
    round: |attacker| go_deaf(attacker, 1),
};

pub(super) const SEVERAL: Attack = Attack {
    name: "the same on several sockets at once",
    answer: "each is let go as the one",
    takes: Duration::from_secs(15),
    round: |attacker| go_deaf(attacker, 8),
};

/// All of them are in a room where nobody else is, so that it ends with the last of them.
fn go_deaf(attacker: &Attacker, sockets: usize) -> Result<(), Wrong> {
    let room = &attacker.room;
    let open = |_| {
        let mut socket = attacker.user.open()?;
        socket.gets("joined", &json!({"type": "join", "id": 1, "room": room}))?;
        Ok(socket)
    };
    let mut sockets = (0..sockets).map(open).collect::<Result<Vec<_>, Wrong>>()?;
    let body = "x".repeat(4_000);
    for id in 2..12 {
        let send = json!({"type": "send", "id": id, "room": room, "body": body});
        sockets[0].gets("sent", &send)?;
    }
    let history = json!({"type": "history", "room": room, "limit": 10}).to_string();
    for socket in &mut sockets {
        // What the system holds for both sides is some megabytes more.
        socket.write_as_far_as_possible(&text(&history).repeat(400));
    }
    is_gone(attacker, STALL)
}
