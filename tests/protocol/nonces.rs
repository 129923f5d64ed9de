//! Nonces: a repeat gets the first answer and stores nothing.

use serde_json::json;

use crate::kit::{Server, on_every_store, unique};

on_every_store!(
    a_repeated_nonce_gets_the_first_answer,
    a_repeat_counts_from_every_way_in,
    nonces_belong_to_their_user,
    nonces_belong_to_their_room_and_epoch,
    a_redacted_message_keeps_its_nonce,
    repeats_in_flight_store_once,
);

async fn a_repeated_nonce_gets_the_first_answer(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("careful").await.connect_to(&[&room]).await;
    let first = client.say_with(json!({"room": room, "body": "once", "nonce": "n"})).await;
    client.say(&room, "between").await;
    for body in ["once", "something else"] {
        let again = client.say_with(json!({"room": room, "body": body, "nonce": "n"})).await;
        assert_eq!(again["duplicate"], true);
        assert_eq!((&again["seq"], &again["at"]), (&first["seq"], &first["at"]));
        assert_eq!(again["nonce"], "n");
    }
    assert_eq!(client.say(&room, "after").await, 3, "repeats took no place");
    client.catch_up(&room).await;
    assert_eq!(client.trace().of("message").count(), 4);
}

async fn a_repeat_counts_from_every_way_in(server: &Server) {
    let (user, room) = (server.user("careful").await, unique("hall"));
    let mut one = user.connect_to(&[&room]).await;
    let mut two = user.connect_to(&[&room]).await;
    let message = json!({"room": room, "body": "once", "nonce": "n"});
    let first = one.say_with(message.clone()).await;
    assert_eq!(two.say_with(message.clone()).await["duplicate"], true);
    let posted = user.post(&room, &json!({"body": "once", "nonce": "n"})).await.assert_json(200);
    assert_eq!(posted["duplicate"], true);
    assert_eq!((&posted["seq"], &posted["at"]), (&first["seq"], &first["at"]));
    one.leave(&room).await;
    one.join(&room).await;
    assert_eq!(one.say_with(message).await["duplicate"], true);
}

async fn nonces_belong_to_their_user(server: &Server) {
    let room = unique("hall");
    let mut ann = server.user("ann").await.connect_to(&[&room]).await;
    let mut ben = server.user("ben").await.connect_to(&[&room]).await;
    let message = json!({"room": room, "body": "mine", "nonce": "n"});
    assert_eq!(ann.say_with(message.clone()).await["seq"], 1);
    let sent = ben.say_with(message).await;
    assert_eq!(sent["seq"], 2);
    assert!(sent.get("duplicate").is_none(), "{sent}");
}

async fn nonces_belong_to_their_room_and_epoch(server: &Server) {
    let (room, other) = (unique("hall"), unique("other"));
    let mut client = server.user("careful").await.connect_to(&[&room, &other]).await;
    for place in [&room, &other] {
        let sent = client.say_with(json!({"room": place, "body": "b", "nonce": "n"})).await;
        assert!(sent.get("duplicate").is_none(), "{sent}");
    }
    client.leave(&room).await;
    client.join(&room).await;
    let sent = client.say_with(json!({"room": room, "body": "b", "nonce": "n"})).await;
    assert_eq!(sent["seq"], 1);
    assert!(sent.get("duplicate").is_none(), "{sent}");
}

async fn a_redacted_message_keeps_its_nonce(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("sorry").await.connect_to(&[&room]).await;
    let message = json!({"room": room, "body": "oops", "nonce": "n"});
    client.say_with(message.clone()).await;
    client.granted("ok", json!({"type": "redact", "room": room, "seq": 1})).await;
    let again = client.say_with(message).await;
    assert_eq!((&again["duplicate"], &again["seq"]), (&json!(true), &json!(1)));
}

async fn repeats_in_flight_store_once(server: &Server) {
    let (user, room) = (server.user("hasty").await, unique("hall"));
    let mut tabs = Vec::new();
    for _ in 0..4 {
        tabs.push(user.connect_to(&[&room]).await);
    }
    let message = json!({"type": "send", "room": room, "body": "once", "nonce": "n"});
    for tab in &mut tabs {
        tab.ask(message.clone()).await;
    }
    let mut first_answers = 0;
    for tab in &mut tabs {
        let sent = tab.expect("sent").await;
        assert_eq!(sent["seq"], 1);
        first_answers += usize::from(sent.get("duplicate").is_none());
    }
    assert_eq!(first_answers, 1);
    assert_eq!(tabs[0].say(&room, "next").await, 2);
}
