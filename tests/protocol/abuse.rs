//! Abuse that the protocol names: `bye` `abuse`, then 4504, and nobody else notices.

use serde_json::{Value, json};

use crate::kit::{Frame, RawSocket, Server, on_every_server, opcode, unique};

on_every_server!(
    over_32_malformed_frames_at_once_are_abuse,
    too_many_control_frames_are_abuse,
    endless_fragments_are_abuse,
    a_few_mistakes_are_none,
    abuse_ends_one_connection_only,
);

async fn over_32_malformed_frames_at_once_are_abuse(server: &Server) {
    let mut client = server.user("vandal").await.connect().await;
    for _ in 0..33 {
        client.send_text("{{{").await;
    }
    assert_eq!(client.closed().await.code, Some(4504));
    let errors = client.trace().of("error");
    assert!(errors.filter(|error| error["code"] == "bad_request").count() >= 32);
    let bye = client.expect("bye").await;
    assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("abuse"), &json!(false)));
}

async fn too_many_control_frames_are_abuse(server: &Server) {
    let user = server.user("pinger").await;
    for opcode in [opcode::PING, opcode::PONG] {
        let mut socket = user.connect_raw("").await;
        let flood = Frame::new(opcode, "x").bytes().repeat(2_000);
        socket.try_write_bytes(&flood).await;
        ends_as_abuse(socket).await;
    }
}

async fn endless_fragments_are_abuse(server: &Server) {
    let user = server.user("stutterer").await;
    let mut socket = user.connect_raw("").await;
    let mut flood = Frame::text("").unfinished().bytes();
    flood.extend(Frame::new(opcode::CONTINUATION, "").unfinished().bytes().repeat(20_000));
    socket.try_write_bytes(&flood).await;
    ends_as_abuse(socket).await;
}

async fn a_few_mistakes_are_none(server: &Server) {
    let mut client = server.user("clumsy").await.connect().await;
    for _ in 0..32 {
        client.refused_text("{{{").await;
    }
    client.granted("pong", json!({"type": "ping"})).await;
}

async fn abuse_ends_one_connection_only(server: &Server) {
    let (user, room) = (server.user("vandal").await, unique("hall"));
    let mut calm = user.connect_to(&[&room]).await;
    let mut wild = user.connect_to(&[&room]).await;
    for _ in 0..33 {
        wild.send_text("nonsense").await;
    }
    assert_eq!(wild.closed().await.code, Some(4504));
    calm.catch_up(&room).await;
    assert_eq!(calm.members(&room).await["members"][0]["connections"], 1);
}

/// The close frame can be lost in a reset, when the server closes on bytes it has not read; `bye` cannot lie.
pub(crate) async fn ends_as_abuse(socket: RawSocket) {
    let (texts, code) = socket.rest().await;
    assert!(matches!(code, None | Some(4504)), "{code:?}");
    for text in texts {
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&frame["type"], &frame["code"]), (&json!("bye"), &json!("abuse")), "{text}");
    }
}
