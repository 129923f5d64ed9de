//! `typed_events`: polls that the server understands.

use serde_json::{Value, json};

use crate::kit::{Client, Example, with_example};

#[test]
fn a_poll_is_asked_voted_on_and_counted() {
    with_polls(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        let mut bob = example.guest("bob", "lobby").await;
        let mut eve = example.guest("eve", "lobby").await;
        let poll = ask(&mut ada).await;
        let asked = eve.expect("message").await;
        assert_eq!(asked["body"], "Which one? tea / coffee / neither", "the host's own words");
        let data = json!({"ask": {"question": "Which one?", "options": OPTIONS}});
        assert_eq!(asked["data"]["poll"], data);
        ada.say_with(event(&json!({"vote": {"poll": poll, "option": 2}}))).await;
        bob.say_with(event(&json!({"vote": {"poll": poll, "option": 1}}))).await;
        let vote = bob.expect_where("bob's vote", |frame| frame["user"] == "bob").await;
        assert_eq!(vote["body"], "votes for coffee");
        eve.say_with(event(&json!({"vote": {"poll": poll, "option": 1}}))).await;
        ada.say_with(event(&json!({"vote": {"poll": poll, "option": 0}}))).await;
        bob.refused("forbidden", request(&json!({"close": {"poll": poll}}))).await;
        ada.say_with(event(&json!({"close": {"poll": poll}}))).await;

        let result = json!({"result": {"poll": poll, "votes": [1, 2, 0]}});
        for client in [&mut ada, &mut bob, &mut eve] {
            assert_eq!(counted(client).await["data"], json!({"poll": result}), "last votes count");
        }
        let notice = ada.expect("notice").await;
        assert_eq!((&notice["name"], &notice["data"]), (&json!("poll"), &result));
        assert_eq!(bob.trace().of("notice").count(), 0, "only who asked is told");
        let late = request(&json!({"vote": {"poll": poll, "option": 0}}));
        eve.refused("x-poll-closed", late).await;
    });
}

#[test]
fn who_asked_is_told_wherever_they_are() {
    with_polls(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        let mut other_tab = example.guest("ada", "elsewhere").await;
        let poll = ask(&mut ada).await;
        ada.say_with(event(&json!({"close": {"poll": poll}}))).await;
        let notice = other_tab.expect("notice").await;
        assert_eq!(notice["data"], json!({"result": {"poll": poll, "votes": [0, 0, 0]}}));
    });
}

#[test]
fn what_is_no_sound_event_is_seen_by_nobody() {
    with_polls(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        ada.say("lobby", "no poll").await;
        let poll = ask(&mut ada).await;
        for malformed in [
            json!("nonsense"),
            json!({"dance": {}}),
            json!({"vote": {"poll": poll}}),
            json!({"vote": {"poll": -1, "option": 0}}),
            json!({"vote": {"poll": poll, "option": 0, "weight": 100}}),
        ] {
            ada.refused("bad_request", request(&malformed)).await;
        }
        for (code, refused) in [
            ("x-no-poll", json!({"ask": {"question": "Which?", "options": ["the only one"]}})),
            ("x-no-poll", json!({"ask": {"question": " ", "options": OPTIONS}})),
            ("x-no-poll", json!({"ask": {"question": "Which?", "options": ["", "or"]}})),
            ("x-no-such-option", json!({"vote": {"poll": poll, "option": 3}})),
            ("x-no-such-poll", json!({"vote": {"poll": 1, "option": 0}})),
            ("x-no-such-poll", json!({"vote": {"poll": 0, "option": 0}})),
            ("x-no-such-poll", json!({"vote": {"poll": u64::MAX, "option": 0}})),
            ("x-no-such-poll", json!({"close": {"poll": poll + 1}})),
            ("forbidden", json!({"result": {"poll": poll, "votes": [9, 0, 0]}})),
        ] {
            ada.refused(code, request(&refused)).await;
        }
        // What is no poll's is let be.
        let other = json!({"room": "lobby", "body": "look", "data": {"picture": 7}});
        assert_eq!(ada.say_with(other).await["seq"], poll + 1);
    });
}

#[test]
fn what_is_taken_back_does_not_count() {
    with_polls(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        let mut bob = example.guest("bob", "lobby").await;
        let poll = ask(&mut ada).await;
        for client in [&mut ada, &mut bob] {
            client.say_with(event(&json!({"vote": {"poll": poll, "option": 0}}))).await;
        }
        bob.granted("ok", json!({"type": "redact", "room": "lobby", "seq": poll + 2})).await;
        ada.say_with(event(&json!({"close": {"poll": poll}}))).await;
        assert_eq!(counted(&mut ada).await["data"]["poll"]["result"]["votes"], json!([1, 0, 0]));

        let taken_back = ask(&mut ada).await;
        ada.granted("ok", json!({"type": "redact", "room": "lobby", "seq": taken_back})).await;
        let vote = request(&json!({"vote": {"poll": taken_back, "option": 0}}));
        bob.refused("x-no-such-poll", vote).await;
    });
}

#[test]
fn a_poll_ends_with_its_room() {
    with_polls(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        let poll = ask(&mut ada).await;
        let mut late = example.guest("bob", "hall").await;
        let joined = late.join("lobby").await;
        assert_eq!(joined["messages"][0]["data"]["poll"]["ask"]["question"], "Which one?");
        late.leave("lobby").await;
        ada.leave("lobby").await;
        ada.join("lobby").await;
        let vote = request(&json!({"vote": {"poll": poll, "option": 0}}));
        ada.refused("x-no-such-poll", vote).await;
    });
}

const OPTIONS: [&str; 3] = ["tea", "coffee", "neither"];

fn with_polls(script: impl AsyncFnOnce(Example)) {
    with_example("typed_events", &[], script);
}

/// Asks, and hands out the number of the poll.
async fn ask(client: &mut Client) -> u64 {
    let asked = event(&json!({"ask": {"question": "Which one?", "options": OPTIONS}}));
    client.say_with(asked).await["seq"].as_u64().expect("sent.seq")
}

/// The message in which the host says how a poll has ended.
async fn counted(client: &mut Client) -> Value {
    let told = |frame: &Value| frame["type"] == "message" && frame["user"].is_null();
    client.expect_where("the result", told).await
}

fn event(poll: &Value) -> Value {
    json!({"room": "lobby", "body": "?", "data": {"poll": poll}})
}

fn request(poll: &Value) -> Value {
    let mut request = event(poll);
    request["type"] = json!("send");
    request
}
