//! How sockets end, and what becomes of the connections on them.

use serde_json::json;

use crate::kit::{Close, Frame, Server, on_every_server, opcode, unique};

on_every_server!(
    a_client_that_closes_is_answered_with_1000,
    a_close_without_a_code_is_answered_too,
    after_a_close_nothing_is_stored,
    requests_before_the_close_count,
    a_closed_connection_has_left_within_a_second,
);

async fn a_client_that_closes_is_answered_with_1000(server: &Server) {
    let client = server.user("polite").await.connect().await;
    assert_eq!(client.close().await.code, Some(1000));
}

async fn a_close_without_a_code_is_answered_too(server: &Server) {
    let mut socket = server.user("terse").await.connect_raw("").await;
    socket.write(&Frame::new(opcode::CLOSE, "")).await;
    let answer = socket.read().await.expect("an answer to the close");
    assert_eq!(answer.opcode, opcode::CLOSE);
    assert!(matches!(answer.close_code(), None | Some(1000)), "{answer:?}");
    assert!(socket.read().await.is_none(), "the server ends the connection");
}

async fn after_a_close_nothing_is_stored(server: &Server) {
    let room = unique("hall");
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut socket = server.user("late").await.connect_raw(&format!("?room={room}")).await;
    socket.text().await;
    let send = json!({"type": "send", "room": room, "body": "too late"}).to_string();
    let mut bytes = Frame::new(opcode::CLOSE, 1000_u16.to_be_bytes()).bytes();
    bytes.extend(Frame::text(&send).bytes());
    socket.write_bytes(&bytes).await;
    let left =
        |frame: &serde_json::Value| frame["left"].as_array().is_some_and(|left| left.len() == 1);
    witness.expect_where("the other one leaving", left).await;
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("message").count(), 1, "only its own");
}

async fn requests_before_the_close_count(server: &Server) {
    let room = unique("hall");
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut client = server.user("brief").await.connect_to(&[&room]).await;
    for number in 0..3 {
        client.ask(json!({"type": "send", "room": room, "body": number.to_string()})).await;
    }
    assert_eq!(client.close().await, Close { code: Some(1000), reason: String::new() });
    for number in 0..3 {
        assert_eq!(witness.expect("message").await["body"], number.to_string());
    }
}

async fn a_closed_connection_has_left_within_a_second(server: &Server) {
    let (user, room) = (server.user("brief").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    for reset in [false, true] {
        let client = user.connect_to(&[&room]).await;
        let closed = std::time::Instant::now();
        if reset {
            client.reset();
        } else {
            client.close().await;
        }
        let left = json!([user.name]);
        witness.expect_where("left", |frame| frame["left"] == left).await;
        assert!(closed.elapsed().as_millis() < 1_500, "left after {:?}", closed.elapsed());
    }
}
