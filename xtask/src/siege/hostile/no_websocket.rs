//! Handshakes that are none.

use super::{
    super::wire::Request,
    attack::{Attack, SHORT},
};

pub(super) const HANDSHAKES: Attack = Attack {
    name: "handshakes that are none",
    answer: "400 bad_request",
    takes: SHORT,
    round: |attacker| {
        let user = &attacker.user;
        let upgrade = |version: &str, key: &str| {
            user.request("GET", "/chat/ws")
                .header("Connection", "Upgrade")
                .header("Upgrade", "websocket")
                .header("Sec-WebSocket-Version", version)
                .header("Sec-WebSocket-Key", key)
        };
        let good = "dGhlIHNhbXBsZSBub25jZQ==";
        let foreign = Request::upgrade(attacker.target()).header("Cookie", &user.cookie);
        for request in [
            user.request("GET", "/chat/ws"),
            upgrade("12", good),
            upgrade("13", "short"),
            upgrade("13", &"=".repeat(24)),
            foreign.header("Sec-WebSocket-Protocol", "chatrooms.v2.json"),
        ] {
            user.ask(&request)?.is_error(400, "bad_request")?;
        }
        Ok(())
    },
};
