//! Clients that vanish are no news for an operator, in whatever they were about to do.

use chatrooms::RoomRegistry;
use serde_json::json;

use crate::log;
use crate::service::{Service, eventually};

/// A text frame of 100 bytes with its mask, of which this much comes.
const HALF_A_FRAME: &[u8] = b"\x81\xe4\0\0\0\0{\"type\":";
/// Of a message that goes on in another frame.
const FRAGMENT: &[u8] = b"\x01\x88\0\0\0\0{\"type\":";
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";

#[tokio::test]
async fn who_vanishes_is_logged_below_info() {
    log::keep();
    for is_warp in [false, true] {
        let registry = RoomRegistry::new();
        let service = match is_warp {
            false => Service::start(&registry).await,
            true => Service::start_on_warp(&registry).await,
        };
        for sent in [&b""[..], HALF_A_FRAME, FRAGMENT, CLOSE] {
            let mut client = service.joined("vanisher", "hall").await;
            client.send(&json!({"type": "send", "room": "hall", "body": "x"})).await;
            client.send_bytes(sent).await;
            client.reset();
            eventually("it is gone", || registry.stats().sessions == 0).await;
        }
    }
    let about = |record: &log::Record| record.contains("vanisher");
    let kept: Vec<_> = log::kept().into_iter().filter(about).collect();
    let ended = kept.iter().filter(|record| record.name == "session_ended").count();
    assert_eq!(ended, 8, "{kept:#?}");
    let news: Vec<_> =
        kept.iter().filter(|it| !matches!(it.level.as_str(), "debug" | "trace")).collect();
    assert!(news.is_empty(), "{news:#?}");
}
