//! Methods that a route does not have: above all, nothing is changed by a link.

use super::{
    super::wire::Wrong,
    attack::{Attack, SHORT},
};

pub(super) const WRONG: Attack = Attack {
    name: "wrong methods, a logout by a link among them",
    answer: "405 with Allow, and nobody is logged out",
    takes: SHORT,
    round: |attacker| {
        let user = &attacker.user;
        for (method, path, allowed) in [
            ("GET", "/logout", "POST"),
            ("POST", "/chat/ws", "GET"),
            ("POST", "/chat/session", "GET"),
            ("DELETE", "/chat/rooms/hall/messages", "POST"),
            ("PUT", "/chat/rooms", "GET"),
        ] {
            let answer = user.ask(&user.request(method, path))?;
            answer.is(405)?;
            if !answer.header("Allow").is_some_and(|allow| allow.contains(allowed)) {
                return Err(Wrong(format!("{method} {path}: no Allow: {allowed}")));
            }
        }
        user.ask(&user.request("GET", "/chat/session"))?.is(200)
    },
};
