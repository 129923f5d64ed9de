//! Frames that are no requests.

use std::{thread, time::Duration};

use serde_json::json;

use super::{
    super::wire::{FIN, SLACK, Wrong, frame, text},
    attack::{Attack, SHORT},
};

/// So many within 10 s are let pass.
const LET_PASS: usize = 32;

pub(super) const FLOOD: Attack = Attack {
    name: "a flood of malformed frames",
    answer: "32 times bad_request, then bye abuse, 4504",
    takes: SHORT,
    round: |attacker| {
        let mut socket = attacker.user.open()?;
        socket.write(&text("{{{").repeat(500))?;
        for _ in 0..LET_PASS {
            let error = socket.next()?;
            if error["code"] != "bad_request" {
                return Err(Wrong(format!("{error} instead of bad_request")));
            }
        }
        socket.must_close(Some("abuse"), 4504, SLACK)
    },
};

pub(super) const ODD_FRAMES: Attack = Attack {
    name: "odd frames: deep, double, huge, binary, unknown",
    answer: "bad_request, unknown_type, too_large; the socket stays",
    takes: SHORT,
    round: |attacker| {
        let mut socket = attacker.user.open()?;
        let (deep, digits) = ("[".repeat(30_000), "9".repeat(50_000));
        let long = "x".repeat(5_000);
        socket.gets("joined", &json!({"type": "join", "id": 1, "room": attacker.room}))?;
        let say = |rest: String| format!(r#"{{"type":"send","room":"{}",{rest}}}"#, attacker.room);
        for (odd, code) in [
            (text(r#"{"type":"ping","type":"ping"}"#), "bad_request"),
            (text(r#"{"type":"ping","id":-1}"#), "bad_request"),
            (text(&format!(r#"{{"type":"ping","id":{digits}}}"#)), "bad_request"),
            (text(&format!(r#"{{"type":"ping","id":{deep}"#)), "bad_request"),
            (text(r#"[{"type":"ping"}]"#), "bad_request"),
            (text(r#"{"type":{}}"#), "bad_request"),
            (text(&say(r#""body":7"#.to_owned())), "bad_request"),
            (text(&say(r#""body":"\ud800""#.to_owned())), "bad_request"),
            (text(&say(format!(r#""body":"{long}""#))), "too_large"),
            (text(&say(format!(r#""body":"x","data":"{long}""#))), "too_large"),
            (text(r#"{"type":"__proto__"}"#), "unknown_type"),
            (text(r#"{"type":"hello"}"#), "unknown_type"),
            (frame(FIN | 2, br#"{"type":"ping"}"#), "bad_request"),
        ] {
            socket.write(&odd)?;
            let error = socket.next()?;
            if error["type"] != "error" || error["code"] != code {
                return Err(Wrong(format!("{error} instead of {code}")));
            }
        }
        socket.ask("pong", &json!({"type": "ping", "id": 2}))?;
        socket.close()?;
        // How many messages anybody may try is another's to find out.
        thread::sleep(Duration::from_millis(500));
        Ok(())
    },
};
