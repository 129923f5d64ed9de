//! `minimal_axum` and `minimal_warp`: a complete chat in 40 lines each.

use serde_json::{Value, json};

use crate::kit::{Example, bodies, users};

#[test]
fn they_have_40_lines_at_most() {
    for source in [
        include_str!("../../../examples/minimal_axum.rs"),
        include_str!("../../../examples/minimal_warp.rs"),
    ] {
        assert!(source.lines().count() <= 40, "{} lines", source.lines().count());
    }
}

/// Makes a test of each scenario for each of the two.
macro_rules! on_both {
    ($($scenario:ident),+ $(,)?) => {
        mod axum {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_example("minimal_axum", &[], super::$scenario);
            })+
        }

        mod warp {
            $(#[test]
            fn $scenario() {
                $crate::kit::with_example("minimal_warp", &[], super::$scenario);
            })+
        }
    };
}

on_both!(guests_talk, who_does_not_say_who_they_are_is_sent_away, there_is_a_page_to_look_at);

async fn guests_talk(example: Example) {
    let mut ada = example.guest("ada", "lobby").await;
    ada.say("lobby", "anybody here?").await;
    let mut bob = example.guest("bob & co", "hall").await;
    let joined = bob.join("lobby").await;
    assert_eq!(users(&joined), ["ada", "bob & co"]);
    assert_eq!(bodies(&joined), ["anybody here?"]);
    bob.say("lobby", "I am").await;
    let heard = ada.expect_where("bob's message", |frame| frame["body"] == "I am").await;
    assert_eq!((&heard["type"], &heard["user"]), (&json!("message"), &json!("bob & co")));
    bob.close().await;
    ada.expect_where("bob's leave", |frame| frame["left"] == json!(["bob & co"])).await;
}

async fn who_does_not_say_who_they_are_is_sent_away(example: Example) {
    for query in ["", "?user=", "?user=%07", "?room=lobby"] {
        example.upgrade(query).refused().await.assert_error(401, "unauthorized");
    }
    let session = example.request("GET", "/chat/session?user=ada").send().await;
    assert_eq!(session.assert_json(200), json!({"user": "ada"}));
    let rooms = example.request("GET", "/chat/rooms?user=ada").send().await;
    assert_eq!(rooms.assert_json(200)["rooms"], Value::Array(Vec::new()));
}

async fn there_is_a_page_to_look_at(example: Example) {
    let page = example.request("GET", "/").send().await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.header("Content-Type").is_some_and(|value| value.starts_with("text/html")));
    assert!(page.body.contains("/chat/chatrooms.js"), "{}", page.body);
    let module = example.request("GET", "/chat/chatrooms.js").send().await;
    assert_eq!(module.status, 200);
    assert!(module.body.contains("export function connect"), "the client module");
}
