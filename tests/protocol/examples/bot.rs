//! `bot`: it is where people are, and only there.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Client, Example, eventually, unique, users, with_example};

#[test]
fn it_greets_and_answers() {
    with_bot(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        assert_eq!(heard(&mut ada).await, "Welcome, ada!");
        let mut bob = example.guest("bob", "hall").await;
        bob.join("lobby").await;
        assert_eq!(heard(&mut ada).await, "Welcome, bob!");
        for (command, answer) in [
            ("/who", "Here: ada, bob"),
            ("/roll 1", "ada rolls 1 of 1"),
            ("/roll 0", "I know /roll [sides], /who and /time"),
            ("/dance", "I know /roll [sides], /who and /time"),
        ] {
            ada.say("lobby", command).await;
            assert_eq!(heard(&mut ada).await, answer, "{command}");
        }
        ada.say("lobby", "/roll").await;
        let rolled = heard(&mut ada).await;
        let number = rolled.strip_prefix("ada rolls ").and_then(|it| it.strip_suffix(" of 6"));
        assert!(number.is_some_and(|it| matches!(it.parse(), Ok(1..=6))), "{rolled}");
        ada.say("lobby", "/time").await;
        let time = heard(&mut ada).await;
        assert!(time.starts_with("It is ") && time.ends_with(" UTC"), "{time}");
    });
}

#[test]
fn it_goes_with_the_last_one() {
    with_bot(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        assert_eq!(heard(&mut ada).await, "Welcome, ada!");
        assert_eq!(users(&ada.members("lobby").await), ["ada", "bot"]);
        ada.leave("lobby").await;
        nobody_is_anywhere(&example).await;
        let joined = ada.join("lobby").await;
        assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
        assert_eq!(heard(&mut ada).await, "Welcome, ada!");
        ada.reset();
        nobody_is_anywhere(&example).await;
    });
}

#[test]
fn it_stays_as_long_as_somebody_is_there() {
    with_bot(async |example| {
        let mut ada = example.guest("ada", "lobby").await;
        let mut bob = example.guest("bob", "lobby").await;
        bob.leave("lobby").await;
        ada.expect_where("bob's leave", |frame| frame["left"] == json!(["bob"])).await;
        ada.say("lobby", "/who").await;
        let who = |frame: &Value| frame["user"] == "bot" && frame["body"] == "Here: ada";
        ada.expect_where("the bot's answer", who).await;
    });
}

#[test]
fn it_finds_its_way_through_a_storm() {
    with_bot(async |example| {
        let guests = (0..4).map(|_| unique("guest"));
        join_all(guests.map(async |name| {
            let mut guest = example.guest(&name, "start").await;
            for _ in 0..40 {
                guest.join("lobby").await;
                guest.leave("lobby").await;
            }
        }))
        .await;
        nobody_is_anywhere(&example).await;
        let mut ada = example.guest("ada", "lobby").await;
        assert_eq!(heard(&mut ada).await, "Welcome, ada!");
    });
}

#[test]
fn nobody_else_is_the_bot() {
    with_bot(async |example| {
        example.upgrade("?user=bot").refused().await.assert_error(403, "forbidden");
        example.upgrade("").refused().await.assert_error(401, "unauthorized");
    });
}

fn with_bot(script: impl AsyncFnOnce(Example)) {
    with_example("bot", &[], script);
}

/// What the bot says next.
async fn heard(client: &mut Client) -> String {
    let said = |frame: &Value| frame["type"] == "message" && frame["user"] == "bot";
    let message = client.expect_where("the bot's word", said).await;
    message["body"].as_str().expect("a text").to_owned()
}

async fn nobody_is_anywhere(example: &Example) {
    eventually("all rooms end", async || {
        let rooms = example.request("GET", "/chat/rooms?user=ada").send().await;
        rooms.assert_json(200)["rooms"] == json!([])
    })
    .await;
}
