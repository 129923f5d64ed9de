//! Nobody writes the log but the library: what clients say comes into it escaped, or not at all.

use std::time::Duration;

use chatrooms::RoomRegistry;
use serde_json::json;

use crate::log::{self, Record};
use crate::service::{Service, eventually};

/// What would be a line of its own, in red.
const FORGED: &str = "x\r\n\u{1b}[31mFORGED\u{85}FORGED\u{9b}31m";
/// The same in an address.
const ENCODED: &str = "x%0D%0A%1B%5B31mFORGED%C2%85FORGED%C2%9B31m";
/// A good name, for whoever forgets its quotes.
const QUOTED: &str = "eve\" room=\"hall\\";
const QUOTED_ENCODED: &str = "eve%22%20room=%22hall%5C";

#[tokio::test]
async fn nobody_forges_what_is_logged() {
    log::keep();
    for is_warp in [false, true] {
        let registry = RoomRegistry::new();
        let service = match is_warp {
            false => Service::start(&registry).await,
            true => Service::start_on_warp(&registry).await,
        };
        let plain = ("x-anything", "1");
        let forged = service.connect(&format!("?token={ENCODED}.s"), &[plain]).await;
        assert_eq!(forged.err(), Some(401), "no good name");
        let query = format!("?token={QUOTED_ENCODED}.s&room=hall&room={ENCODED}&{ENCODED}=1");
        let foreign = ("origin", "http://x\u{85}FORGED");
        assert_eq!(service.connect(&query, &[foreign]).await.err(), Some(403));
        let mut eve = service.connect(&query, &[plain]).await.expect("let in");
        eve.expect("joined").await;
        eve.expect("error").await;
        for (frame, answer) in [
            (json!({"type": "join", "room": QUOTED}), "joined"),
            (json!({"type": "join", "room": FORGED}), "error"),
            (json!({"type": FORGED}), "error"),
            (json!({"type": "send", "room": "hall", "body": FORGED, "nonce": FORGED}), "sent"),
            (json!({"type": "signal", "id": 1, "room": "hall", "name": FORGED}), "ok"),
            (json!({"type": "join", "room": "other", "meta": {FORGED: FORGED}}), "joined"),
        ] {
            eve.send(&frame).await;
            eve.expect(answer).await;
        }
        for _ in 0..33 {
            eve.send_text(FORGED).await;
        }
        eve.ended().await;
        registry.shutdown(Duration::from_secs(5)).await;
    }
    let ours = || log::kept().into_iter().filter(|record| record.target.starts_with("chatrooms"));
    let is_named = |record: &Record| record.field("user") == Some(&*format!("{QUOTED:?}"));
    eventually("the name is logged", || ours().any(|record| is_named(&record))).await;
    let is_forged = |record: &Record| {
        let quoted = record.contains(QUOTED);
        quoted || record.texts().any(|text| text.contains(char::is_control))
    };
    let forged: Vec<_> = ours().filter(is_forged).collect();
    assert!(forged.is_empty(), "{forged:#?}");
}
