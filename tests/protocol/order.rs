//! Order: of answers within a room, of one session's sends, and of everybody's messages.

use serde_json::{Value, json};

use crate::kit::{Client, Server, everything_is_recorded, on_every_store, unique};

on_every_store!(
    answers_come_in_request_order_within_a_room,
    sends_of_a_session_are_stored_as_they_were_sent,
    everybody_sees_the_same_order,
    a_pipeline_of_every_request_is_answered_in_turn,
);

async fn answers_come_in_request_order_within_a_room(server: &Server) {
    let (mut client, room) = (server.user("hasty").await.connect().await, unique("hall"));
    let requests = [
        (json!({"type": "join", "room": room}), "joined"),
        (json!({"type": "send", "room": room, "body": "one"}), "sent"),
        (json!({"type": "send", "room": room, "body": ""}), "error"),
        (json!({"type": "redact", "room": room, "seq": 1}), "ok"),
        (json!({"type": "join", "room": room}), "error"),
        (json!({"type": "signal", "room": room, "name": "typing"}), "ok"),
        (json!({"type": "send", "room": room, "body": "two"}), "sent"),
        (json!({"type": "leave", "room": room}), "left"),
        (json!({"type": "send", "room": room, "body": "three"}), "error"),
        (json!({"type": "join", "room": room}), "joined"),
    ];
    let mut asked = Vec::new();
    for (request, kind) in requests {
        asked.push((client.ask(request).await, kind));
    }
    for (id, kind) in asked {
        let answer = client.expect_where("an answer", |frame| frame["id"].is_u64()).await;
        assert_eq!((&answer["id"], &answer["type"]), (&json!(id), &json!(kind)), "{answer}");
    }
}

async fn sends_of_a_session_are_stored_as_they_were_sent(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("hasty").await.connect_to(&[&room]).await;
    let count = client.limit("sends_per_second").min(20);
    for number in 0..count {
        client.ask(json!({"type": "send", "room": room, "body": number.to_string()})).await;
    }
    for number in 0..count {
        let sent = client.expect("sent").await;
        let message = client.expect("message").await;
        assert_eq!((&sent["seq"], &message["seq"]), (&json!(number + 1), &json!(number + 1)));
        assert_eq!(message["body"], number.to_string());
    }
}

async fn everybody_sees_the_same_order(server: &Server) {
    everything_is_recorded();
    let room = unique("hall");
    let mut clients = Vec::new();
    for label in ["ann", "ben", "cem", "dee", "eve", "fay"] {
        clients.push(server.user(label).await.connect_to(&[&room]).await);
    }
    let each = clients[0].limit("sends_per_second").min(10);
    for number in 0..each {
        for client in &mut clients {
            client.ask(json!({"type": "send", "room": room, "body": number.to_string()})).await;
        }
    }
    let total = each * clients.len() as u64;
    for client in &mut clients {
        let messages = read_messages(client, total).await;
        for _ in 0..each {
            client.expect("sent").await;
        }
        let bodies_of = |user: &str| -> Vec<String> {
            let own = messages.iter().filter(|message| message["user"] == user);
            own.map(|message| message["body"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let expected: Vec<String> = (0..each).map(|number| number.to_string()).collect();
        let user = client.user.clone();
        assert_eq!(bodies_of(&user), expected, "{user}'s own sends in their order");
        client.settled();
    }
}

async fn a_pipeline_of_every_request_is_answered_in_turn(server: &Server) {
    let rooms = [unique("a"), unique("b"), unique("c")];
    let mut client = server.user("juggler").await.connect().await;
    let mut ids = Vec::new();
    for round in 0..3 {
        for room in &rooms {
            ids.push(client.ask(json!({"type": "join", "room": room})).await);
            ids.push(
                client.ask(json!({"type": "send", "room": room, "body": round.to_string()})).await,
            );
            ids.push(client.ask(json!({"type": "history", "room": room})).await);
            ids.push(client.ask(json!({"type": "members", "room": room})).await);
            ids.push(client.ask(json!({"type": "ping"})).await);
            ids.push(client.ask(json!({"type": "leave", "room": room})).await);
        }
    }
    // That each id is answered once and in order is judged by the oracle.
    for id in ids {
        client.answer(id).await;
    }
}

async fn read_messages(client: &mut Client, count: u64) -> Vec<Value> {
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(client.expect("message").await);
    }
    messages
}
