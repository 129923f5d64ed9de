//! `hello`: the first frame, and what it says.

use std::collections::HashSet;

use serde_json::Value;

use crate::kit::{Server, on_every_server};

on_every_server!(
    hello_names_the_user_and_the_limits,
    hello_makes_room_for_escapes,
    every_socket_is_a_session_of_its_own,
    the_server_waits_for_nothing_to_say_hello,
);

async fn hello_names_the_user_and_the_limits(server: &Server) {
    let user = server.user("guest").await;
    let client = user.connect().await;
    assert_eq!(client.hello["user"], user.name);
    assert_eq!(client.hello["heartbeat_ms"], 25_000);
    assert_eq!(client.limit("reply_bytes"), 256 * 1024);
    assert_eq!(client.limit("meta_bytes"), 1024);
    assert_eq!(client.limit("presence_exact"), 200);
    for name in ["body_bytes", "data_bytes", "rooms_per_session", "sends_per_second", "history"] {
        assert!(client.limit(name) > 0, "{name} in {}", client.hello);
    }
}

async fn hello_makes_room_for_escapes(server: &Server) {
    let client = server.user("guest").await.connect().await;
    let needed = 6 * client.limit("body_bytes") + 6 * client.limit("data_bytes") + 4096;
    assert!(client.limit("frame_bytes") >= needed, "{}", client.hello);
}

async fn every_socket_is_a_session_of_its_own(server: &Server) {
    let user = server.user("twin").await;
    let mut sessions = HashSet::new();
    for _ in 0..5 {
        let client = user.connect().await;
        assert_eq!(client.hello["user"], user.name);
        sessions.insert(client.hello["session"].as_str().expect("a session").to_owned());
    }
    assert_eq!(sessions.len(), 5);
}

async fn the_server_waits_for_nothing_to_say_hello(server: &Server) {
    let user = server.user("silent").await;
    let mut socket = user.upgrade("").open_raw().await;
    let hello: Value = serde_json::from_str(&socket.text().await).expect("hello is JSON");
    assert_eq!(hello["type"], "hello");
}
