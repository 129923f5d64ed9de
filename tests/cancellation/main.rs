//! F13 and F14 on the wire and in the adapters: each public future may be dropped after any poll, and nothing is left behind.
//!
//! Those of the rooms and of the SQLite store have such tests in their own crates.

#![allow(clippy::future_not_send, reason = "each test runs on a thread of its own")]

mod house;
mod polling;
mod sources;
mod ways;

use std::sync::Arc;

use axum::http::{Method, Request};
use chatrooms::{
    Session,
    oracle::Recorder,
    testing::{room, user},
    ws::{Transcript, serve},
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use house::{GUEST, House};
use polling::{drop_after, for_every_poll};
use ways::Way;

/// All that is asked over HTTP.
const REQUESTS: [(Method, &str, &str); 5] = [
    (Method::GET, "/session", ""),
    (Method::GET, "/rooms", ""),
    (Method::GET, "/rooms/lobby", ""),
    (Method::GET, "/rooms/lobby/messages", ""),
    (Method::POST, "/rooms/lobby/messages", r#"{"body":"hello"}"#),
];

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_done_or_not() {
    for way in Way::ALL {
        for (method, path, body) in &REQUESTS {
            let polls = for_every_poll(async |polls| {
                let house = House::new().await;
                let witness = house.witness().await;
                let request = Request::builder().method(method).uri(*path);
                let request = request.header("content-type", "application/json");
                let request = house.addressed(request.body((*body).to_owned()).unwrap());
                let asked = way.handle(house.chat.clone(), path, request);
                let answer = drop_after(polls, asked).await;
                if let Some(answer) = &answer {
                    assert!(answer.status().is_success(), "{path}: {}", answer.status());
                }
                house.is_stored_as_shown(&witness).await;
                drop(witness);
                house.emptied().await;
                answer.is_some()
            })
            .await;
            assert!(polls > 1, "{path}: there was nothing to be cancelled in");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_dropped_opens_nothing_and_keeps_no_place() {
    for way in Way::ALL {
        let open = async |house: &House, request| {
            way.handle(house.chat.clone(), "/ws", request).await.map(drop)
        };
        let polls = for_every_poll(async |polls| handshake(polls, open).await).await;
        assert!(polls > 1, "there was nothing to be cancelled in");
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_for_whom_the_host_knows_is_opened_or_not() {
    for way in Way::ALL {
        let open = async |house: &House, request| way.accept(&house.chat, request).await.map(drop);
        let polls = for_every_poll(async |polls| handshake(polls, open).await).await;
        // Nobody has to be asked: it is done by its first poll, and by none before it.
        assert_eq!(polls, 1);
    }
}

/// Opens a socket after so many polls of what opens it; says whether that was enough. There is one place, which is free again right after.
async fn handshake(
    polls: usize,
    open: impl AsyncFn(&House, Request<String>) -> axum::http::Response<()>,
) -> bool {
    let house = House::new().await;
    let witness = house.witness().await;
    let socket =
        house.connect(async |request| drop_after(polls, open(&house, request)).await).await;
    let is_open = socket.is_some();
    assert_eq!(house.registry.stats().sessions, 1 + usize::from(is_open));
    if let Some(socket) = socket {
        visit(socket, &house.run).await;
        house.has_ended(GUEST).await;
    }
    let again = house.connect(async |request| Some(open(&house, request).await)).await;
    visit(again.expect("the place is free"), &house.run).await;
    house.has_ended(GUEST).await;
    drop(witness);
    house.emptied().await;
    is_open
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_no_longer_served_has_left_all_rooms() {
    let polls = for_every_poll(async |polls| {
        let house = House::new().await;
        let witness = house.witness().await;
        let (ours, theirs) = duplex(1 << 16);
        let run = house.run.clone();
        let client = tokio::spawn(async move {
            let socket = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
            visit(socket, &run).await;
        });
        let done = drop_after(polls, served(house.session(), ours)).await.is_some();
        assert_eq!(house.registry.stats().sessions, 1);
        assert_eq!(house.registry.connections(&room("lobby"), &user(GUEST)).await, Ok(0));
        drop(house.session());
        client.await.expect("its end is noticed");
        house.is_stored_as_shown(&witness).await;
        drop(witness);
        house.emptied().await;
        done
    })
    .await;
    assert!(polls > 20, "all that a client asks can be cancelled: {polls}");
}

async fn served(session: Session, io: DuplexStream) {
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    serve(session, socket, vec!["lobby".to_owned()], Arc::default()).await;
}

/// Asks for everything that a client can ask for, one after the other, and closes; or sees the end come before.
async fn visit(mut socket: WebSocketStream<DuplexStream>, run: &Recorder) {
    let asked = [
        json!({"type": "join", "id": 1, "room": "garden"}),
        json!({"type": "send", "id": 2, "room": "lobby", "body": "hello"}),
        json!({"type": "history", "id": 3, "room": "lobby"}),
        json!({"type": "redact", "id": 4, "room": "lobby", "seq": 1}),
        json!({"type": "members", "id": 5, "room": "lobby"}),
        json!({"type": "signal", "id": 6, "room": "lobby", "name": "typing"}),
        json!({"type": "ping", "id": 7}),
        json!({"type": "leave", "id": 8, "room": "garden"}),
    ];
    let mut transcript = Transcript::new(run);
    for request in asked {
        let text = request.to_string();
        transcript.sent(&text);
        let is_open = socket.send(Message::text(text)).await.is_ok();
        if !is_open || !hears(&mut socket, &mut transcript, Some(&request["id"])).await {
            return transcript.ended(None);
        }
    }
    // It fails where the end has come before.
    let _ = socket.close(None).await;
    hears(&mut socket, &mut transcript, None).await;
    transcript.ended(None);
}

/// Takes what comes until an answer has come, or to the end; says whether it is open.
async fn hears(
    socket: &mut WebSocketStream<DuplexStream>,
    transcript: &mut Transcript,
    id: Option<&Value>,
) -> bool {
    while let Some(Ok(frame)) = socket.next().await {
        let Message::Text(text) = frame else { continue };
        transcript.received(&text);
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(frame["type"], "error", "{frame}");
        if id.is_some_and(|id| frame["id"] == *id) {
            return true;
        }
    }
    false
}
