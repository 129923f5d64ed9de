//! How much of anything one session, one frame, one user may have.

use futures_util::future::join_all;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::{Server, eventually, on_every_server, on_own_process, unique};

on_every_server!(
    a_session_is_in_at_most_so_many_rooms,
    a_body_is_measured_in_bytes,
    data_is_measured_in_its_compact_form,
    escapes_meet_too_large_before_the_frame_limit,
    a_frame_over_its_limit_ends_the_connection,
    signal_data_is_bounded_too,
);

// Each node of a cluster counts those that it has.
on_own_process!(sessions_of_one_user_are_bounded);

async fn a_session_is_in_at_most_so_many_rooms(server: &Server) {
    let mut client = server.user("greedy").await.connect().await;
    let allowed = client.limit("rooms_per_session");
    let rooms: Vec<_> = (0..allowed).map(|_| unique("r")).collect();
    for room in &rooms {
        client.join(room).await;
    }
    let room = unique("one-more");
    let join = json!({"type": "join", "room": room});
    let error = client.refused("too_many_rooms", join).await;
    assert_eq!(error["room"], room);
    client.leave(&rooms[0]).await;
    client.join(&room).await;
}

async fn a_body_is_measured_in_bytes(server: &Server) {
    let (mut client, room) = (server.user("wordy").await.connect().await, unique("hall"));
    client.join(&room).await;
    let limit = client.limit("body_bytes") as usize;
    for character in ["x", "é", "\u{1F600}"] {
        let body = character.repeat(limit / character.len());
        client.say(&room, &body).await;
        assert_eq!(client.expect("message").await["body"], body);
        let longer = format!("{body}{character}");
        let request = json!({"type": "send", "room": room, "body": longer});
        assert_eq!(client.refused("too_large", request).await["room"], room);
    }
}

async fn data_is_measured_in_its_compact_form(server: &Server) {
    let (mut client, room) = (server.user("heavy").await.connect().await, unique("hall"));
    client.join(&room).await;
    let limit = client.limit("data_bytes") as usize;
    let around = r#"{"d":["",1]}"#.len();
    let fitting = json!({"d": ["x".repeat(limit - around), 1]});
    let larger = json!({"d": ["x".repeat(limit - around + 1), 1]});
    client
        .refused("too_large", json!({"type": "send", "room": room, "body": "b", "data": larger}))
        .await;

    let spaced = fitting.to_string().replace(':', " :    \n\t  ").replace(",1", " , 1  ");
    let request = format!(r#"{{"type":"send","room":"{room}","body":"b","data":{spaced}}}"#);
    client.send_text(&request).await;
    assert_eq!(client.expect("sent").await["seq"], 1, "only the data that fits was stored");
    assert_eq!(client.expect("message").await["data"], fitting);
}

async fn escapes_meet_too_large_before_the_frame_limit(server: &Server) {
    let (mut client, room) = (server.user("escaping").await.connect().await, unique("hall"));
    client.join(&room).await;
    let (body, data) = (client.limit("body_bytes") as usize, client.limit("data_bytes") as usize);
    let escaped = |bytes: usize| r"\u0001".repeat(bytes);
    let send = |body: usize, data: usize| {
        let (body, data) = (escaped(body), escaped(data));
        format!(r#"{{"type":"send","room":"{room}","body":"{body}","data":"{data}"}}"#)
    };
    client.send_text(&send(body + 1, 1)).await;
    assert_eq!(client.expect("error").await["code"], "too_large");
    // Escaped once more on the way out, data counts as it travels: six bytes for each of these.
    client.send_text(&send(body, data)).await;
    assert_eq!(client.expect("error").await["code"], "too_large");
    client.send_text(&send(body, data / 6 - 1)).await;
    assert_eq!(client.expect("sent").await["seq"], 1);
    assert_eq!(client.expect("message").await["body"], "\u{1}".repeat(body));
}

async fn a_frame_over_its_limit_ends_the_connection(server: &Server) {
    let mut client = server.user("enormous").await.connect().await;
    let length = client.limit("frame_bytes") as usize;
    client.send_message(Message::text(" ".repeat(length))).await;
    assert_eq!(client.expect("error").await["code"], "bad_request");
    client.send_message(Message::text(" ".repeat(length + 1))).await;
    assert_eq!(client.closed().await.code, Some(1009));
}

async fn signal_data_is_bounded_too(server: &Server) {
    let (mut client, room) = (server.user("noisy").await.connect().await, unique("hall"));
    client.join(&room).await;
    let data = "x".repeat(client.limit("data_bytes") as usize);
    let signal = json!({"type": "signal", "room": room, "name": "typing", "data": data});
    client.refused("too_large", signal).await;
}

async fn sessions_of_one_user_are_bounded(server: &Server) {
    let user = server.user("hydra").await;
    let mut clients = Vec::new();
    let refusal = loop {
        match user.try_connect("").await {
            Ok(client) => clients.push(client),
            Err(refusal) => break refusal,
        }
        assert!(clients.len() < 2_000, "one user may have {} sessions and more", clients.len());
    };
    assert!(clients.len() >= 30, "a user may have many tabs, not {}", clients.len());
    refusal.assert_error(429, "too_many_sessions");
    let wait = refusal.header("Retry-After").and_then(|value| value.parse::<u64>().ok());
    assert!(wait.is_some_and(|seconds| seconds >= 1), "{refusal:?}");
    user.get("/session").await.assert_error(429, "too_many_sessions");
    let other = server.user("other").await;
    other.connect().await;

    join_all(clients.into_iter().map(|client| client.close())).await;
    eventually("room for sessions again", async || user.try_connect("").await.is_ok()).await;
}
