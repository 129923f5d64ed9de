//! A handler of the host's own lets somebody in whom it knows, into rooms that it names.

use serde_json::json;

use crate::kit::{Adapter, Client, InProcess, on_each_adapter};

on_each_adapter!(
    a_handler_of_the_hosts_own_accepts_a_socket,
    a_handler_of_the_hosts_own_refuses_what_is_no_handshake,
);

async fn a_handler_of_the_hosts_own_accepts_a_socket(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let upgrade = server.upgrade_at("/lobby?room=elsewhere");
    let mut client = Client::open(upgrade).await.expect("let in");
    assert_eq!(client.user, "doorman");
    let joined = client.expect("joined").await;
    assert_eq!(joined["room"], "lobby", "not what the query says");
    let joined = client.expect("joined").await;
    assert_eq!(joined["room"], "annex", "one after the other");
    let refused = client.expect("error").await;
    assert_eq!((&refused["code"], &refused["room"]), (&json!("invalid_room"), &json!("..")));
    client.catch_up("lobby").await;
    client.catch_up("annex").await;
    assert_eq!(client.trace().of("joined").count(), 2);
}

async fn a_handler_of_the_hosts_own_refuses_what_is_no_handshake(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    server.request_outside("GET", "/lobby").send().await.assert_error(400, "bad_request");
    let foreign = server.upgrade_at("/lobby").header("Origin", "https://evil.example");
    foreign.refused().await.assert_error(403, "forbidden");
}
