//! `redact`: a message is taken back, but keeps its place.

use serde_json::json;

use crate::kit::{Server, bodies, encoded, on_every_store, seqs, unique};

on_every_store!(
    everybody_learns_that_a_message_was_taken_back,
    a_redacted_message_keeps_its_place_without_its_content,
    nobody_else_may_take_a_message_back,
    what_was_never_said_is_not_found,
    the_author_may_from_another_tab_and_for_a_post,
    redacting_takes_no_sequence_number,
    a_redaction_follows_its_message_on_every_wire,
);

async fn everybody_learns_that_a_message_was_taken_back(server: &Server) {
    let room = unique("hall");
    let mut author = server.user("author").await.connect_to(&[&room]).await;
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    author.say(&room, "oops").await;
    author.granted("ok", json!({"type": "redact", "room": room, "seq": 1})).await;
    let by = author.user.clone();
    for client in [&mut author, &mut reader] {
        let redacted = client.expect("redacted").await;
        assert_eq!((&redacted["room"], &redacted["seq"]), (&json!(room), &json!(1)));
        assert!(redacted["by"].is_null() || redacted["by"] == by, "{redacted}");
    }
}

async fn a_redacted_message_keeps_its_place_without_its_content(server: &Server) {
    let (user, room) = (server.user("author").await, unique("hall"));
    let mut author = user.connect_to(&[&room]).await;
    author.say(&room, "one").await;
    author.say_with(json!({"room": room, "body": "secret", "data": {"card": 1234}})).await;
    author.say(&room, "three").await;
    author.granted("ok", json!({"type": "redact", "room": room, "seq": 2})).await;

    let joined = server.user("late").await.connect().await.join(&room).await;
    let history = author.history(&room, json!({})).await;
    let path = format!("/rooms/{}/messages", encoded(&room));
    let read = user.get(&path).await.assert_json(200);
    for answer in [joined, history, read] {
        assert_eq!(seqs(&answer), [1, 2, 3]);
        assert_eq!(bodies(&answer), ["one", "", "three"]);
        let message = &answer["messages"][1];
        assert_eq!(message["redacted"], true);
        assert_eq!(message["user"], user.name);
        assert!(message.get("data").is_none(), "{message}");
        assert!(answer["messages"][0].get("redacted").is_none(), "{answer}");
        assert!(!answer.to_string().contains("1234"), "{answer}");
    }
}

async fn nobody_else_may_take_a_message_back(server: &Server) {
    let room = unique("hall");
    let mut author = server.user("author").await.connect_to(&[&room]).await;
    let mut other = server.user("other").await.connect_to(&[&room]).await;
    author.say(&room, "mine").await;
    let error = other.refused("forbidden", json!({"type": "redact", "room": room, "seq": 1})).await;
    assert_eq!(error["room"], room);
    author.catch_up(&room).await;
    assert_eq!(author.trace().of("redacted").count(), 0);
    assert_eq!(bodies(&author.history(&room, json!({})).await)[0], "mine");
}

async fn what_was_never_said_is_not_found(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("hasty").await.connect_to(&[&room]).await;
    client.say(&room, "one").await;
    for seq in [2_u64, 1_000_000, (1 << 53) - 1] {
        client.refused("not_found", json!({"type": "redact", "room": room, "seq": seq})).await;
    }
    client.say(&room, "two").await;
    assert_eq!(bodies(&client.history(&room, json!({})).await), ["one", "two"]);
}

async fn the_author_may_from_another_tab_and_for_a_post(server: &Server) {
    let (user, room) = (server.user("author").await, unique("hall"));
    let mut one = user.connect_to(&[&room]).await;
    let mut two = user.connect_to(&[&room]).await;
    one.say(&room, "from one tab").await;
    user.post(&room, &json!({"body": "by post"})).await.assert_json(201);
    two.granted("ok", json!({"type": "redact", "room": room, "seq": 1})).await;
    two.granted("ok", json!({"type": "redact", "room": room, "seq": 2})).await;
    assert_eq!(one.expect("redacted").await["seq"], 1);
    assert_eq!(one.expect("redacted").await["seq"], 2);
}

async fn redacting_takes_no_sequence_number(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("author").await.connect_to(&[&room]).await;
    for seq in 1..=4 {
        assert_eq!(client.say(&room, "said").await, seq);
        client.granted("ok", json!({"type": "redact", "room": room, "seq": seq})).await;
    }
}

async fn a_redaction_follows_its_message_on_every_wire(server: &Server) {
    let room = unique("hall");
    let mut author = server.user("author").await.connect_to(&[&room]).await;
    let mut readers = Vec::new();
    for label in ["ann", "ben", "cem"] {
        readers.push(server.user(label).await.connect_to(&[&room]).await);
    }
    for seq in 1..=8 {
        author.ask(json!({"type": "send", "room": room, "body": "fleeting"})).await;
        author.ask(json!({"type": "redact", "room": room, "seq": seq})).await;
    }
    for reader in &mut readers {
        for seq in 1..=8 {
            assert_eq!(reader.expect("redacted").await["seq"], seq);
        }
        let kept = reader.history(&room, json!({})).await;
        assert!(bodies(&kept).iter().all(|body| body.is_empty()), "{kept}");
    }
}
