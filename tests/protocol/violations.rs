//! Violations of WebSocket itself: each ends its own connection with the code that RFC 6455 names, and no other.

use crate::kit::{Frame, Server, on_every_server, opcode, unique};

on_every_server!(
    text_that_is_no_utf8_is_1007,
    each_protocol_error_is_1002,
    a_frame_that_declares_too_much_is_1009_before_it_comes,
    fragments_that_add_up_to_too_much_are_1009,
    a_violation_ends_its_connection_everywhere,
);

async fn text_that_is_no_utf8_is_1007(server: &Server) {
    let user = server.user("garbled").await;
    let texts: [&[u8]; 4] =
        [b"\xff\xfe", b"{\"type\":\"\xc3\x28\"}", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"];
    for text in texts {
        let mut socket = user.connect_raw("").await;
        socket.write(&Frame::new(opcode::TEXT, text)).await;
        let (_, code) = socket.rest().await;
        assert_eq!(code, Some(1007), "{text:?}");
    }
}

async fn each_protocol_error_is_1002(server: &Server) {
    let user = server.user("unruly").await;
    let text = Frame::text(r#"{"type":"ping"}"#);
    let errors = [
        ("an unmasked frame", vec![Frame { masked: false, ..text.clone() }]),
        ("a reserved bit", vec![Frame { reserved: 0b100, ..text.clone() }]),
        ("another reserved bit", vec![Frame { reserved: 0b001, ..text.clone() }]),
        ("a reserved data opcode", vec![Frame { opcode: 0x3, ..text.clone() }]),
        ("a reserved control opcode", vec![Frame { opcode: 0xB, ..text.clone() }]),
        ("a continuation of nothing", vec![Frame { opcode: opcode::CONTINUATION, ..text.clone() }]),
        ("a message within a message", vec![text.clone().unfinished(), text.clone()]),
        ("a fragmented ping", vec![Frame::new(opcode::PING, "p").unfinished()]),
        ("a ping over 125 bytes", vec![Frame::new(opcode::PING, "p".repeat(126))]),
        ("a close of one byte", vec![Frame::new(opcode::CLOSE, "x")]),
    ];
    for (what, frames) in errors {
        let mut socket = user.connect_raw("").await;
        for frame in &frames {
            socket.try_write_bytes(&frame.bytes()).await;
        }
        let (_, code) = socket.rest().await;
        assert_eq!(code, Some(1002), "{what}");
    }
}

async fn a_frame_that_declares_too_much_is_1009_before_it_comes(server: &Server) {
    let user = server.user("enormous").await;
    let limit = user.connect().await.limit("frame_bytes");
    for length in [limit + 1, 1 << 30, i64::MAX as u64] {
        let mut socket = user.connect_raw("").await;
        let mut header = vec![0x81, 0xff];
        header.extend(length.to_be_bytes());
        header.extend([0; 4]);
        socket.write_bytes(&header).await;
        let (_, code) = socket.rest().await;
        assert_eq!(code, Some(1009), "{length} bytes declared");
    }
}

async fn fragments_that_add_up_to_too_much_are_1009(server: &Server) {
    let user = server.user("endless").await;
    let limit = user.connect().await.limit("frame_bytes") as usize;
    let mut socket = user.connect_raw("").await;
    socket.write(&Frame::text(&" ".repeat(limit / 2)).unfinished()).await;
    socket.write(&Frame::new(opcode::CONTINUATION, " ".repeat(limit / 2)).unfinished()).await;
    socket.try_write_bytes(&Frame::new(opcode::CONTINUATION, "    ").bytes()).await;
    let (_, code) = socket.rest().await;
    assert_eq!(code, Some(1009));
}

async fn a_violation_ends_its_connection_everywhere(server: &Server) {
    let (user, room) = (server.user("unruly").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut socket = user.connect_raw(&format!("?room={room}")).await;
    socket.write(&Frame { reserved: 0b111, ..Frame::text("{}") }).await;
    let left = serde_json::json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    witness.catch_up(&room).await;
    let next = user.connect_to(&[&room]).await;
    assert_eq!(next.user, user.name, "the next connection is unaffected");
}
