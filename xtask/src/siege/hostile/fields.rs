//! Frames that say who sends them, when, and which number they have.

use serde_json::json;

use super::{
    super::wire::Wrong,
    attack::{Attack, SHORT},
};

pub(super) const FORGED: Attack = Attack {
    name: "forged user, name, number and time, and foreign resumes",
    answer: "one's own user and the room's next number; resumed: false",
    takes: SHORT,
    round: |attacker| {
        let (room, mut socket) = (&attacker.room, attacker.user.open()?);
        let resume = json!({"epoch": "0123456789abcdef0123456789abcdef", "seq": 7});
        let join = json!({"type": "join", "id": 1, "room": room, "resume": resume});
        let joined = socket.gets("joined", &join)?;
        if joined["resumed"] != false {
            return Err(Wrong(format!("{joined}")));
        }
        let send = json!({
            "type": "send", "id": 2, "room": room, "body": "I am root",
            "user": "root", "name": "root", "seq": 99, "at": 1, "session": "x", "epoch": "x",
        });
        let sent = socket.gets("sent", &send)?;
        let newest = json!({"type": "history", "id": 3, "room": room, "limit": 1});
        let message = socket.ask("history", &newest)?["messages"][0].take();
        let is_true = message["user"] == *attacker.user.name
            && message["seq"].as_u64() == joined["seq"].as_u64().map(|seq| seq + 1)
            && message["at"] == sent["at"]
            && message["at"].as_u64() > Some(1)
            && message.get("name").is_none();
        if is_true { socket.close() } else { Err(Wrong(format!("{message}"))) }
    },
};
