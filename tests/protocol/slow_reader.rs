//! A client that stops reading is let go; nobody waits for it, and it may come back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::history::filled;
use crate::kit::{Client, Server, on_every_server, unique};

on_every_server!(
    a_reader_that_stops_is_let_go_and_may_resume,
    a_client_that_never_reads_its_answers_is_let_go_and_nobody_waits
);

const SPEAKERS: usize = 16;

async fn a_reader_that_stops_is_let_go_and_may_resume(server: &Server) {
    let room = unique("hall");
    let slow_user = server.user("slow").await;
    let mut slow =
        Client::open(slow_user.upgrade("").with_receive_buffer(4096)).await.expect("let in");
    let epoch = slow.join(&room).await["epoch"].clone();
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut speakers = Vec::new();
    for _ in 0..SPEAKERS {
        speakers.push(server.user("speaker").await.connect_to(&[&room]).await);
    }
    // In rounds, at whose end everybody but the slow one has read what there is: nobody else may become slow.
    let left = json!([slow.user]);
    while !witness.trace().of("presence").any(|frame| frame["left"] == left) {
        join_all(speakers.iter_mut().map(|speaker| talk(speaker, &room))).await;
        witness.catch_up(&room).await;
    }

    let close = slow.closed().await;
    assert!(matches!(close.code, None | Some(4000)), "{close:?}");
    if let Some(bye) = slow.trace().of("bye").next() {
        assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("slow_consumer"), &json!(true)));
    }
    let seen = slow.trace().of("message").last().and_then(|message| message["seq"].as_u64());
    let mut back = slow_user.connect().await;
    let joined = back.resume(&room, &epoch, seen.unwrap_or(0)).await;
    assert_eq!(joined["epoch"], epoch, "the room lives, so it may come back");
    back.catch_up(&room).await;
}

async fn a_client_that_never_reads_its_answers_is_let_go_and_nobody_waits(server: &Server) {
    let (user, room) = (server.user("deaf").await, unique("hall"));
    let mut witness = filled(server, &room, 40, &"x".repeat(4_000)).await;
    let deaf = Client::open(user.upgrade("").with_receive_buffer(4096)).await;
    let mut deaf = deaf.expect("let in");
    deaf.join_with(json!({"room": room, "history": 0})).await;
    let asking = async {
        for _ in 0..100_000 {
            deaf.send(json!({"type": "history", "room": room, "limit": 40})).await;
        }
    };
    let left = json!([user.name]);
    let others = async {
        while !witness.trace().of("presence").any(|frame| frame["left"] == left) {
            let asked = Instant::now();
            witness.catch_up(&room).await;
            witness.members(&room).await;
            witness.granted("pong", json!({"type": "ping"})).await;
            assert!(asked.elapsed() < Duration::from_secs(2), "waited {:?}", asked.elapsed());
        }
    };
    // The deaf one's writes stall as soon as the server has had enough of it, so this ends with the others.
    let watched = tokio::time::timeout(Duration::from_secs(30), async {
        tokio::select! {
            () = others => {}
            () = async { asking.await; std::future::pending().await } => {}
        }
    });
    watched.await.expect("the deaf one is let go");
}

/// Says the most that one message can hold.
async fn talk(speaker: &mut Client, room: &str) {
    let body = "x".repeat(speaker.limit("body_bytes") as usize);
    let data = "x".repeat(speaker.limit("data_bytes") as usize - 2);
    speaker.say_with(json!({"room": room, "body": body, "data": data})).await;
    speaker.forget_arrived();
}
