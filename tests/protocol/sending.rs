//! `send`: stored once, delivered once to everybody, the sender included.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::kit::{Server, on_every_store, unique};

on_every_store!(
    a_message_reaches_everybody_the_sender_included,
    a_message_stays_in_its_room,
    sequence_numbers_start_at_one_and_are_dense,
    a_refused_send_leaves_no_hole,
    times_are_milliseconds_since_the_epoch,
    a_body_travels_untouched,
    every_tab_of_the_sender_gets_the_message,
    a_nonce_is_echoed_and_shown,
);

async fn a_message_reaches_everybody_the_sender_included(server: &Server) {
    let room = unique("hall");
    let mut clients = Vec::new();
    for label in ["ann", "ben", "cem"] {
        clients.push(server.user(label).await.connect_to(&[&room]).await);
    }
    let sent = clients[0].say_with(json!({"room": room, "body": "hello", "data": [1]})).await;
    assert_eq!((&sent["room"], &sent["seq"]), (&json!(room), &json!(1)));
    assert!(sent.get("duplicate").is_none(), "{sent}");
    let author = clients[0].user.clone();
    for client in &mut clients {
        let message = client.expect("message").await;
        assert_eq!(message["room"], room);
        assert_eq!(message["user"], author);
        assert_eq!(message["body"], "hello");
        assert_eq!(message["data"], json!([1]));
        assert_eq!((&message["seq"], &message["at"]), (&sent["seq"], &sent["at"]));
        assert!(message.get("redacted").is_none(), "{message}");
    }
}

async fn a_message_stays_in_its_room(server: &Server) {
    let (here, there) = (unique("here"), unique("there"));
    let mut near = server.user("near").await.connect_to(&[&here]).await;
    let mut far = server.user("far").await.connect_to(&[&there]).await;
    near.say(&here, "hello").await;
    far.catch_up(&there).await;
    assert_eq!(far.trace().of("message").count(), 1);
}

async fn sequence_numbers_start_at_one_and_are_dense(server: &Server) {
    let room = unique("hall");
    let mut one = server.user("one").await.connect_to(&[&room]).await;
    let mut two = server.user("two").await.connect_to(&[&room]).await;
    for expected in [1, 3, 5] {
        assert_eq!(one.say(&room, "odd").await, expected);
        assert_eq!(two.say(&room, "even").await, expected + 1);
    }
}

async fn a_refused_send_leaves_no_hole(server: &Server) {
    let room = unique("hall");
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut client = server.user("clumsy").await.connect_to(&[&room]).await;
    let long = "x".repeat(client.limit("body_bytes") as usize + 1);
    assert_eq!(client.say(&room, "one").await, 1);
    client.refused("too_large", json!({"type": "send", "room": room, "body": long})).await;
    client.refused("bad_request", json!({"type": "send", "room": room, "body": ""})).await;
    client.refused("bad_request", json!({"type": "send", "room": room})).await;
    assert_eq!(client.say(&room, "two").await, 2);
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("message").count(), 3);
    assert_eq!(witness.trace().of("error").count(), 0, "errors are the sender's own");
}

async fn times_are_milliseconds_since_the_epoch(server: &Server) {
    let (mut client, room) = (server.user("punctual").await.connect().await, unique("hall"));
    client.join(&room).await;
    let before = now();
    let sent = client.say_with(json!({"room": room, "body": "now"})).await;
    let at = sent["at"].as_u64().expect("sent.at");
    assert!((before..=now()).contains(&at), "{at} is not now");
}

async fn a_body_travels_untouched(server: &Server) {
    let (mut client, room) = (server.user("poet").await.connect().await, unique("hall"));
    client.join(&room).await;
    let bodies = [
        " ",
        "  spaces  stay  ",
        "line\nbreaks\r\nand\ttabs",
        "cafe\u{301} is not composed",
        "\u{0}\u{1}\u{7f}\u{200b}\u{202e}\u{feff}",
        "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
        "<script>alert('&amp;')</script> \"quoted\" \\ back",
        "\u{2028}\u{2029}\u{10FFFF}",
    ];
    for body in bodies {
        client.say(&room, body).await;
        assert_eq!(client.expect("message").await["body"], body);
    }
    let kept = client.history(&room, json!({})).await;
    assert_eq!(crate::kit::bodies(&kept), bodies);
}

async fn every_tab_of_the_sender_gets_the_message(server: &Server) {
    let (user, room) = (server.user("tabs").await, unique("hall"));
    let mut one = user.connect_to(&[&room]).await;
    let mut two = user.connect_to(&[&room]).await;
    one.say(&room, "hello").await;
    for tab in [&mut one, &mut two] {
        let message = tab.expect("message").await;
        assert_eq!((&message["user"], &message["seq"]), (&json!(user.name), &json!(1)));
    }
}

async fn a_nonce_is_echoed_and_shown(server: &Server) {
    let (mut client, room) = (server.user("careful").await.connect().await, unique("hall"));
    client.join(&room).await;
    for nonce in ["n", "\u{1F600}", &"n".repeat(64), &"é".repeat(32)] {
        let sent = client.say_with(json!({"room": room, "body": "once", "nonce": nonce})).await;
        assert_eq!(sent["nonce"], nonce);
        assert_eq!(client.expect("message").await["nonce"], nonce);
    }
    let sent = client.say_with(json!({"room": room, "body": "without"})).await;
    assert!(sent.get("nonce").is_none(), "{sent}");
    assert!(client.expect("message").await.get("nonce").is_none());
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}
