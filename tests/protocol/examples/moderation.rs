//! `moderation`: rules that every message passes, and moderators who are obeyed.

use serde_json::{Value, json};

use crate::kit::{Client, Example, Response, bodies, encoded, eventually, with_example};

const KEY: &str = "the-key-of-these-tests";

#[test]
fn rude_words_are_softened_and_links_refused() {
    with_house(async |example| {
        let mut eve = example.guest("eve", "lobby").await;
        eve.say("lobby", "Darn, what the heck is heckling?").await;
        assert_eq!(heard(&mut eve).await, "****, what the **** is heckling?");
        for link in ["see https://example.org", "see WWW.example.org"] {
            eve.refused("x-no-links", json!({"type": "send", "room": "lobby", "body": link})).await;
        }
        let path = "/chat/rooms/lobby/messages?user=eve";
        let post = example.request("POST", path).json(&json!({"body": "http://example.org"}));
        post.send().await.assert_error(403, "x-no-links");
        eve.say_with(json!({"room": "lobby", "body": "look", "data": {"link": "http://x"}})).await;
        let told = eve.expect("message").await;
        assert_eq!((&told["body"], told.get("data")), (&json!("look"), None));
        let mut mo = moderator(&example, "lobby").await;
        mo.say("lobby", "the rules: https://example.org/rules").await;
        assert_eq!(heard(&mut eve).await, "the rules: https://example.org/rules");
    });
}

#[test]
fn only_who_knows_the_key_is_obeyed() {
    with_house(async |example| {
        let forged = example.upgrade("?user=mo&key=guessed").refused().await;
        forged.assert_error(403, "forbidden");
        let mut eve = example.guest("eve", "lobby").await;
        // The name alone is nobody's.
        let mut mo = example.guest("mo", "lobby").await;
        mo.refused("forbidden", order("/kick eve")).await;
        let mut real = moderator(&example, "lobby").await;
        for unknown in ["/", "/dance", "/mute", "/kick eve 60", "/slow down"] {
            real.refused("x-unknown-order", order(unknown)).await;
        }
        real.refused("not_found", order("/kick nobody")).await;
        assert_eq!(bodies(&eve.history("lobby", json!({})).await), [""; 0]);
    });
}

#[test]
fn who_is_muted_hears_and_does_not_speak() {
    with_house(async |example| {
        let mut eve = example.guest("eve the loud", "lobby").await;
        let mut mo = moderator(&example, "lobby").await;
        mo.say("lobby", "/mute eve the loud 600").await;
        let told = eve.expect("message").await;
        assert_eq!(told["user"], "mo");
        assert_eq!(told["body"], "mutes eve the loud for 600 s");
        eve.refused("muted", json!({"type": "send", "room": "lobby", "body": "why?"})).await;
        mo.say("lobby", "/unmute eve the loud").await;
        assert_eq!(heard(&mut eve).await, "unmutes eve the loud");
        eve.say("lobby", "because").await;
        mo.refused("not_found", order("/unmute eve the loud")).await;
    });
}

#[test]
fn a_mute_ends_in_time() {
    with_house(async |example| {
        let mut eve = example.guest("eve", "lobby").await;
        moderator(&example, "lobby").await.say("lobby", "/mute eve 3").await;
        let speak = json!({"type": "send", "room": "lobby", "body": "and now?"});
        eve.refused("muted", speak.clone()).await;
        eventually("the mute is over", async || {
            let answer = eve.request(speak.clone()).await;
            // Who asks so often is told that too.
            let refusals = [json!("muted"), json!("rate_limited")];
            assert!(answer["type"] == "sent" || refusals.contains(&answer["code"]), "{answer}");
            answer["type"] == "sent"
        })
        .await;
    });
}

#[test]
fn who_is_kicked_may_return_and_who_is_banned_may_not_for_a_while() {
    with_house(async |example| {
        let mut eve = example.guest("eve", "lobby").await;
        let mut mo = moderator(&example, "lobby").await;
        mo.say("lobby", "/kick eve").await;
        assert_removed(&mut eve, "kicked").await;
        assert_eq!(heard(&mut mo).await, "kicks eve");
        eve.join("lobby").await;

        mo.say("lobby", "/ban eve").await;
        assert_removed(&mut eve, "banned").await;
        let join = json!({"type": "join", "room": "lobby"});
        eve.refused("banned", join.clone()).await;
        mo.say("lobby", "/unban eve").await;
        eve.join("lobby").await;

        mo.say("lobby", "/ban eve 3").await;
        assert_removed(&mut eve, "banned").await;
        eve.refused("banned", join.clone()).await;
        eventually("the ban is over", async || eve.request(join.clone()).await["type"] == "joined")
            .await;
    });
}

#[test]
fn slow_mode_is_for_everybody_in_the_room() {
    with_house(async |example| {
        let mut eve = example.guest("eve", "lobby").await;
        let mut mo = moderator(&example, "lobby").await;
        mo.say("lobby", "/slow 600").await;
        assert_eq!(heard(&mut eve).await, "allows one message in 600 s");
        eve.say("lobby", "one").await;
        let more = json!({"type": "send", "room": "lobby", "body": "two"});
        let refused = eve.refused("slow_mode", more).await;
        assert!(refused["retry_after_ms"].as_u64().is_some_and(|wait| wait > 500_000), "{refused}");
        let answer = moderate(&example, "lobby", &json!({"slow": {"seconds": 0}})).await;
        assert_eq!((answer.status, &*answer.body), (200, "lets everybody speak freely"));
        for _ in 0..3 {
            eve.say("lobby", "freely").await;
        }

        eve.join("quiet corner").await;
        eve.say("quiet corner", "hush").await;
        let more = json!({"type": "send", "room": "quiet corner", "body": "hush"});
        eve.refused("slow_mode", more).await;
    });
}

#[test]
fn the_same_goes_over_http() {
    with_house(async |example| {
        let mut eve = example.guest("eve", "tea room").await;
        let mut bob = example.guest("bob", "tea room").await;
        let kick = json!({"kick": {"user": "eve"}});
        for path in ["/moderation/tea%20room", "/moderation/nowhere"] {
            for key in ["Bearer guessed", "Basic none", ""] {
                let request = example.request("POST", path).header("Authorization", key);
                assert_eq!(request.json(&kick).send().await.status, 401, "{path}: {key}");
            }
        }
        assert_eq!(moderate(&example, "nowhere", &kick).await.status, 404);
        assert_eq!(moderate(&example, "\u{7}", &kick).await.status, 400);
        assert_eq!(moderate(&example, "tea room", &json!({"dance": {}})).await.status, 422);
        let answer = moderate(&example, "tea room", &kick).await;
        assert_eq!((answer.status, &*answer.body), (200, "kicks eve"));
        assert_removed(&mut eve, "kicked").await;
        let told = bob.expect("message").await;
        assert_eq!((&told["user"], &told["body"]), (&Value::Null, &json!("a moderator kicks eve")));
    });
}

#[test]
fn moderators_take_back_what_others_said() {
    with_house(async |example| {
        let mut eve = example.guest("eve", "lobby").await;
        let mut mo = moderator(&example, "lobby").await;
        eve.say("lobby", "something nasty").await;
        mo.say("lobby", "please").await;
        eve.refused("forbidden", json!({"type": "redact", "room": "lobby", "seq": 2})).await;
        mo.granted("ok", json!({"type": "redact", "room": "lobby", "seq": 1})).await;
        let redacted = eve.expect("redacted").await;
        assert_eq!((&redacted["seq"], &redacted["by"]), (&json!(1), &json!("mo")));
    });
}

fn with_house(script: impl AsyncFnOnce(Example)) {
    with_example("moderation", &[("MODERATOR_KEY", KEY)], script);
}

async fn moderator(example: &Example, room: &str) -> Client {
    example.guest_with("mo", room, &format!("&key={}", encoded(KEY))).await
}

async fn moderate(example: &Example, room: &str, order: &Value) -> Response {
    let path = format!("/moderation/{}", encoded(room));
    let authorization = format!("Bearer {KEY}");
    let request = example.request("POST", &path).header("Authorization", &authorization);
    request.json(order).send().await
}

fn order(line: &str) -> Value {
    json!({"type": "send", "room": "lobby", "body": line})
}

/// What is said next, by whomever.
async fn heard(client: &mut Client) -> String {
    let message = client.expect("message").await;
    message["body"].as_str().expect("a text").to_owned()
}

async fn assert_removed(client: &mut Client, code: &str) {
    let removed = client.expect("removed").await;
    assert_eq!((&removed["code"], &removed["reason"]), (&json!(code), &json!("by a moderator")));
}
