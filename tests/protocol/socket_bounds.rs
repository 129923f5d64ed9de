//! Bounds of sockets and posts that a host has set itself: what is within them passes, and what is beyond them is answered as by default.

use std::time::{Duration, Instant};

use chatrooms::RoomRegistry;
use chatrooms::ws::Options;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::abuse::ends_as_abuse;
use crate::kit::{Adapter, Frame, InProcess, RawSocket, in_time, on_each_adapter, opcode};

on_each_adapter!(
    a_frame_has_so_many_bytes,
    so_many_malformed_frames_are_let_pass,
    so_many_control_frames_a_second_are_let_pass,
    a_message_has_so_many_fragments,
    a_message_in_fragments_takes_so_long,
    a_post_has_so_many_bytes,
    a_post_takes_so_long,
    a_close_that_is_not_answered_is_waited_for_so_long,
);

async fn a_frame_has_so_many_bytes(adapter: Adapter) {
    let server = start(adapter, |options| options.frame_bytes = 100_000).await;
    let mut client = server.user("large").await.connect().await;
    assert_eq!(client.limit("frame_bytes"), 100_000);
    client.send_message(Message::text(" ".repeat(100_000))).await;
    assert_eq!(client.expect("error").await["code"], "bad_request");
    client.send_message(Message::text(" ".repeat(100_001))).await;
    assert_eq!(client.closed().await.code, Some(1009));
}

async fn so_many_malformed_frames_are_let_pass(adapter: Adapter) {
    let server = start(adapter, |options| options.malformed = 2).await;
    let mut client = server.user("clumsy").await.connect().await;
    for _ in 0..2 {
        client.refused_text("{{{").await;
    }
    client.send_text("{{{").await;
    assert_eq!(client.closed().await.code, Some(4504));
    assert_eq!(client.expect("bye").await["code"], "abuse");
}

async fn so_many_control_frames_a_second_are_let_pass(adapter: Adapter) {
    let server = start(adapter, |options| options.control_frames = 2).await;
    let user = server.user("pinger").await;
    for opcode in [opcode::PING, opcode::PONG] {
        let frame = Frame::new(opcode, "x").bytes();
        let mut socket = user.connect_raw("").await;
        socket.write_bytes(&frame.repeat(2)).await;
        is_answered(&mut socket).await;
        let mut socket = user.connect_raw("").await;
        socket.write_bytes(&frame.repeat(3)).await;
        ends_as_abuse(socket).await;
    }
}

async fn a_message_has_so_many_fragments(adapter: Adapter) {
    let server = start(adapter, |options| options.fragments = 2).await;
    let mut socket = server.user("stutterer").await.connect_raw("").await;
    let first = Frame::text(r#"{"type":"#).unfinished();
    let more = Frame::new(opcode::CONTINUATION, r#""ping""#).unfinished();
    let last = Frame::new(opcode::CONTINUATION, "}");
    for frame in [&first, &more, &last] {
        socket.write(frame).await;
    }
    assert!(socket.text().await.contains("pong"));
    for frame in [&first, &more, &Frame::new(opcode::CONTINUATION, "").unfinished()] {
        socket.write(frame).await;
    }
    ends_as_abuse(socket).await;
}

async fn a_message_in_fragments_takes_so_long(adapter: Adapter) {
    let server = start(adapter, |options| options.message_time = Duration::ZERO).await;
    let mut socket = server.user("slow").await.connect_raw("").await;
    is_answered(&mut socket).await;
    // And nothing more.
    socket.write(&Frame::text(r#"{"type":"#).unfinished()).await;
    ends_as_abuse(socket).await;
}

async fn a_post_has_so_many_bytes(adapter: Adapter) {
    let server = start(adapter, |options| options.post_bytes = 100_000).await;
    let user = server.user("poster").await;
    let _present = user.connect_to(&["hall"]).await;
    let around = json!({"body": "x", "pad": ""}).to_string().len();
    for (bytes, is_too_large) in [(100_000, false), (100_001, true)] {
        let post = json!({"body": "x", "pad": "x".repeat(bytes - around)});
        let answer = user.post("hall", &post).await;
        match is_too_large {
            false => drop(answer.assert_json(201)),
            true => answer.assert_error(413, "too_large"),
        }
    }
}

/// The connection goes with it, because what is still to come of the body is no request.
async fn a_post_takes_so_long(adapter: Adapter) {
    let server = start(adapter, |options| options.post_time = Duration::from_millis(100)).await;
    let user = server.user("poster").await;
    let mut present = user.connect_to(&["hall"]).await;
    let (name, value) = &user.credential;
    let mut stream = TcpStream::connect(server.addr).await.expect("it listens");
    let begun = format!(
        "POST /chat/rooms/hall/messages HTTP/1.1\r\nHost: {}\r\n{name}: {value}\r\n\
        Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"body\":",
        server.addr
    );
    stream.write_all(begun.as_bytes()).await.expect("it takes bytes");
    let mut answer = String::new();
    in_time("an answer, and the end", stream.read_to_string(&mut answer)).await.expect("UTF-8");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"bad_request""#), "{answer}");
    present.catch_up("hall").await;
    assert_eq!(present.trace().of("message").count(), 1, "half a post is none");
}

async fn a_close_that_is_not_answered_is_waited_for_so_long(adapter: Adapter) {
    let time = Duration::from_millis(300);
    let server = start(adapter, |options| options.close_timeout = time).await;
    let user = server.user("mute").await;
    let mut socket = user.connect_raw("").await;
    user.log_out().await;
    let mut frame = socket.read().await.expect("a close");
    while frame.opcode != opcode::CLOSE {
        frame = socket.read().await.expect("a close");
    }
    assert_eq!(frame.close_code(), Some(4501));
    let closed = Instant::now();
    assert!(socket.read().await.is_none(), "then the connection is ended");
    let waited = closed.elapsed();
    assert!((time / 2..time + Duration::from_secs(3)).contains(&waited), "{waited:?}");
}

async fn start(adapter: Adapter, set: impl FnOnce(&mut Options)) -> InProcess {
    let mut options = Options::default();
    set(&mut options);
    InProcess::start_with(adapter, RoomRegistry::builder(), options).await
}

async fn is_answered(socket: &mut RawSocket) {
    socket.write(&Frame::text(r#"{"type":"ping"}"#)).await;
    assert!(socket.text().await.contains("pong"));
}
