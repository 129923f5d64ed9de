//! A graceful shutdown: everybody is told, what was accepted is delivered, and the server ends.

use std::collections::BTreeSet;

use serde_json::json;

use crate::kit::{Server, eventually, on_own_process, on_own_server, unique};

on_own_server!(
    a_shutdown_says_bye_to_everybody,
    what_was_sent_before_a_shutdown_is_delivered,
    a_client_that_does_not_read_cannot_hold_a_shutdown_up,
);

/// Nodes of a cluster stop one by one, and whoever is not let in by one comes to another.
mod of_one_process {
    use super::while_it_stops_nobody_is_let_in;

    super::on_own_process!(while_it_stops_nobody_is_let_in);
}

async fn a_shutdown_says_bye_to_everybody(server: &Server) {
    let room = unique("hall");
    let mut clients = vec![server.user("roomless").await.connect().await];
    for _ in 0..10 {
        clients.push(server.user("guest").await.connect_to(&[&room]).await);
    }
    let ending = server.host.shut_down();
    let told = async {
        let mut moments = BTreeSet::new();
        for client in &mut clients {
            assert_eq!(client.closed().await.code, Some(1001));
            let bye = client.expect("bye").await;
            assert_eq!(bye["code"], "shutting_down");
            assert_eq!(bye["reconnect"], true);
            let after = bye["after_ms"].as_u64().expect("bye.after_ms");
            assert!(after <= 5_000, "{bye}");
            moments.insert(after);
        }
        assert!(moments.len() > 1, "not all at the same moment: {moments:?}");
    };
    tokio::join!(ending, told);
}

async fn while_it_stops_nobody_is_let_in(server: &Server) {
    let user = server.user("late").await;
    // It never answers the goodbye, which holds the end up.
    let deaf = user.connect_raw("?room=hall").await;
    let late = async {
        let is_stopping = async || user.get("/session").await.status == 503;
        eventually("it stops", is_stopping).await;
        // Judged before everything else, whoever it is and whatever is wrong with it.
        let stranger = server.upgrade("").header("Origin", "https://elsewhere.example");
        let halting = user.upgrade("").without("Sec-WebSocket-Key");
        for refusal in [
            user.upgrade("").refused().await,
            user.upgrade("?room=hall").refused().await,
            stranger.refused().await,
            halting.refused().await,
            user.get("/session").await,
        ] {
            refusal.assert_error(503, "shutting_down");
            let wait = refusal.header("Retry-After").and_then(|value| value.parse::<u64>().ok());
            assert!(wait.is_some_and(|seconds| seconds >= 1), "{refusal:?}");
        }
    };
    tokio::join!(server.host.shut_down(), late);
    drop(deaf);
}

async fn what_was_sent_before_a_shutdown_is_delivered(server: &Server) {
    let room = unique("hall");
    let mut sender = server.user("sender").await.connect_to(&[&room]).await;
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    for number in 0..5 {
        sender.say(&room, &number.to_string()).await;
    }
    tokio::join!(server.host.shut_down(), reader.closed());
    for number in 0..5 {
        assert_eq!(reader.expect("message").await["body"], number.to_string());
    }
}

async fn a_client_that_does_not_read_cannot_hold_a_shutdown_up(server: &Server) {
    let room = unique("hall");
    let mut deaf = server.user("deaf").await.connect_raw(&format!("?room={room}")).await;
    deaf.text().await;
    let mut half = server.user("half").await.connect_raw("").await;
    half.write_bytes(&[0x81]).await;
    let mut talker = server.user("talker").await.connect_to(&[&room]).await;
    for _ in 0..5 {
        talker.granted("ok", json!({"type": "signal", "room": room, "name": "typing"})).await;
    }
    server.host.shut_down().await;
}
