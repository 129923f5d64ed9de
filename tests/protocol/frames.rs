//! Frames in general: what is well-formed, how requests and answers find each other.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::{Frame, Server, on_every_server, opcode, unique};

on_every_server!(
    text_that_is_no_object_with_a_type_is_a_bad_request,
    a_field_that_is_missing_or_of_the_wrong_kind_is_a_bad_request,
    an_invalid_id_is_answered_without_one,
    the_smallest_and_the_largest_id_come_back,
    an_unknown_type_is_said_to_be_unknown,
    frames_of_the_server_are_unknown_from_a_client,
    unknown_fields_are_ignored,
    a_frame_never_says_who_sends_it,
    a_binary_frame_is_a_bad_request,
    ping_is_answered_by_pong,
    a_websocket_ping_is_answered_with_its_payload,
    a_fragmented_message_is_one_message,
    json_may_be_formatted_in_any_way,
    requests_without_an_id_are_answered_too,
    errors_never_close_the_connection,
);

async fn text_that_is_no_object_with_a_type_is_a_bad_request(server: &Server) {
    let mut client = server.user("garbled").await.connect().await;
    let texts = [
        "",
        " ",
        "hello",
        "null",
        "7",
        r#""ping""#,
        r#"["ping"]"#,
        "{",
        "{}",
        r#"{"type":"ping""#,
        r#"{"type":"ping"}}"#,
        r#"{"type":"ping"}{"type":"ping"}"#,
        r#"{"type":null}"#,
        r#"{"type":7}"#,
        r#"{"type":["ping"]}"#,
        r#"{'type':'ping'}"#,
        r#"{"room":"hall"}"#,
        "{\"type\":\"pi\nng\"}",
        r#"{"type":"send","room":"hall","body":"\ud800"}"#,
        r#"{"type":"ping","type":"leave"}"#,
        r#"{"type":"ping","id":1,"id":1}"#,
        &format!(r#"{{"type":"ping","id":{}}}"#, "9".repeat(50_000)),
    ];
    for text in texts {
        client.refused_text(text).await;
    }
    client.granted("pong", json!({"type": "ping"})).await;
}

async fn a_field_that_is_missing_or_of_the_wrong_kind_is_a_bad_request(server: &Server) {
    let (user, room) = (server.user("sloppy").await, unique("hall"));
    let other = unique("other");
    let requests = [
        json!({"type": "join"}),
        json!({"type": "join", "room": 7}),
        json!({"type": "join", "room": ["hall"]}),
        json!({"type": "join", "room": other, "history": "5"}),
        json!({"type": "join", "room": other, "history": -1}),
        json!({"type": "join", "room": other, "history": 1.5}),
        json!({"type": "join", "room": other, "meta": "busy"}),
        json!({"type": "join", "room": other, "meta": [1]}),
        json!({"type": "join", "room": other, "resume": true}),
        json!({"type": "join", "room": other, "resume": {"epoch": "e"}}),
        json!({"type": "join", "room": other, "resume": {"seq": 1}}),
        json!({"type": "join", "room": other, "resume": {"epoch": 5, "seq": 1}}),
        json!({"type": "join", "room": other, "resume": {"epoch": "e", "seq": -1}}),
        json!({"type": "leave"}),
        json!({"type": "send", "body": "hello"}),
        json!({"type": "send", "room": room}),
        json!({"type": "send", "room": room, "body": ""}),
        json!({"type": "send", "room": room, "body": 7}),
        json!({"type": "send", "room": room, "body": ["hello"]}),
        json!({"type": "send", "room": room, "body": "hello", "nonce": 7}),
        json!({"type": "send", "room": room, "body": "hello", "nonce": ""}),
        json!({"type": "send", "room": room, "body": "hello", "nonce": "n".repeat(65)}),
        json!({"type": "send", "room": room, "body": "hello", "nonce": "é".repeat(33)}),
        json!({"type": "redact", "room": room}),
        json!({"type": "redact", "room": room, "seq": "1"}),
        json!({"type": "redact", "room": room, "seq": -1}),
        json!({"type": "redact", "room": room, "seq": 1.5}),
        json!({"type": "signal", "room": room}),
        json!({"type": "signal", "room": room, "name": 7}),
        json!({"type": "history", "room": room, "limit": 0}),
        json!({"type": "history", "room": room, "limit": -5}),
        json!({"type": "history", "room": room, "limit": "5"}),
        json!({"type": "history", "room": room, "before": 0}),
        json!({"type": "history", "room": room, "before": -1}),
        json!({"type": "history", "room": room, "before": 2.5}),
        json!({"type": "history"}),
        json!({"type": "members"}),
        json!({"type": "members", "room": room, "after": 7}),
    ];
    // Few per socket: many malformed frames in a short time are abuse.
    for some in requests.chunks(10) {
        let mut client = user.connect_to(&[&room]).await;
        for request in some {
            client.refused("bad_request", request.clone()).await;
        }
        assert_eq!(client.say(&room, "still here").await, 1);
        client.leave(&room).await;
    }
}

async fn an_invalid_id_is_answered_without_one(server: &Server) {
    let mut client = server.user("nameless").await.connect().await;
    let ids =
        ["0", "-1", "1.5", r#""1""#, "true", "[1]", "{}", "9007199254740993", "1e300", "null"];
    for id in ids {
        client.refused_text(&format!(r#"{{"type":"ping","id":{id}}}"#)).await;
    }
    client.granted("pong", json!({"type": "ping"})).await;
    assert_eq!(client.trace().of("pong").count(), 1, "an invalid id makes the whole frame invalid");
}

async fn the_smallest_and_the_largest_id_come_back(server: &Server) {
    let mut client = server.user("numerous").await.connect().await;
    for id in [1_u64, (1 << 53) - 1] {
        client.send(json!({"type": "ping", "id": id})).await;
        assert_eq!(client.expect("pong").await["id"], id);
    }
    client.refused_text(r#"{"type":"ping","id":9007199254740992}"#).await;
}

async fn an_unknown_type_is_said_to_be_unknown(server: &Server) {
    let mut client = server.user("futurist").await.connect().await;
    for kind in ["teleport", "", "Ping", "PING", "__proto__"] {
        client.refused("unknown_type", json!({"type": kind})).await;
    }
    client.send(json!({"type": "teleport"})).await;
    let error = client.expect("error").await;
    assert_eq!(error["code"], "unknown_type");
    assert!(error.get("id").is_none(), "{error}");
}

async fn frames_of_the_server_are_unknown_from_a_client(server: &Server) {
    let mut client = server.user("impostor").await.connect().await;
    for kind in ["hello", "joined", "message", "presence", "removed", "bye", "pong", "error"] {
        client.refused("unknown_type", json!({"type": kind, "room": "hall"})).await;
    }
}

async fn unknown_fields_are_ignored(server: &Server) {
    let (mut client, room) = (server.user("verbose").await.connect().await, unique("hall"));
    let extra = json!({"deep": [1, {"er": null}]});
    client.join_with(json!({"room": room, "colour": extra})).await;
    client.say_with(json!({"room": room, "body": "hi", "colour": extra})).await;
    let message = client.expect("message").await;
    assert!(message.get("colour").is_none(), "{message}");
    client.granted("pong", json!({"type": "ping", "colour": extra})).await;
}

async fn a_frame_never_says_who_sends_it(server: &Server) {
    let (user, room) = (server.user("honest").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    let claims =
        json!({"room": room, "body": "hi", "user": "root", "name": "Root", "seq": 99, "at": 1});
    let sent = client.say_with(claims).await;
    let message = client.expect("message").await;
    assert_eq!(message["user"], user.name);
    assert_eq!(message["seq"], 1);
    assert_eq!(message["at"], sent["at"]);
    assert_ne!(message["at"], 1);
    assert!(message.get("name").is_none_or(|name| name != "Root"), "{message}");

    let mut other = server.user("other").await.connect_to(&[&room]).await;
    let claims = json!({"body": "hi", "user": other.user, "name": "Root", "seq": 99, "at": 1});
    assert_eq!(user.post(&room, &claims).await.assert_json(201)["seq"], 2);
    let posted = other.expect("message").await;
    assert_eq!((&posted["user"], &posted["seq"]), (&json!(user.name), &json!(2)));
    assert_ne!(posted["at"], 1);

    let signal = json!({"type": "signal", "room": room, "name": "typing", "user": other.user});
    client.granted("ok", signal).await;
    assert_eq!(other.expect("signal").await["user"], user.name);

    let claims = json!({"type": "redact", "room": room, "seq": 1, "user": user.name});
    other.refused("forbidden", claims).await;

    client.leave(&room).await;
    let claims = json!({"room": room, "user": "root", "connections": 9, "name": "Root"});
    let joined = client.join_with(claims).await;
    let come = other.expect_where("its return", |frame| frame["joined"][0].is_object()).await;
    assert_eq!(come["joined"], json!([{"user": user.name, "connections": 1}]), "{joined}");
}

async fn a_binary_frame_is_a_bad_request(server: &Server) {
    let mut client = server.user("binary").await.connect().await;
    client.send_message(Message::binary(br#"{"type":"ping","id":1}"#.to_vec())).await;
    let error = client.expect("error").await;
    assert_eq!(error["code"], "bad_request");
    assert!(error.get("id").is_none(), "{error}");
    client.granted("pong", json!({"type": "ping"})).await;
}

async fn ping_is_answered_by_pong(server: &Server) {
    let mut client = server.user("lively").await.connect().await;
    let pong = client.granted("pong", json!({"type": "ping"})).await;
    assert!(pong["id"].is_u64());
    client.send(json!({"type": "ping"})).await;
    assert!(client.expect("pong").await.get("id").is_none());
}

async fn a_websocket_ping_is_answered_with_its_payload(server: &Server) {
    let mut socket = server.user("lively").await.connect_raw("").await;
    let payload = b"are you there?".to_vec();
    socket.write(&Frame::new(opcode::PING, payload.clone())).await;
    let pong = socket.read().await.expect("a pong");
    assert_eq!((pong.opcode, pong.payload), (opcode::PONG, payload));
}

async fn a_fragmented_message_is_one_message(server: &Server) {
    let mut socket = server.user("breathless").await.connect_raw("").await;
    socket.write(&Frame::text(r#"{"type":"#).unfinished()).await;
    socket.write(&Frame::new(opcode::CONTINUATION, r#""ping","#).unfinished()).await;
    socket.write(&Frame::new(opcode::PING, "between")).await;
    socket.write(&Frame::new(opcode::CONTINUATION, r#""id":5}"#)).await;
    let pong = socket.text().await;
    assert!(pong.contains(r#""type":"pong""#) && pong.contains(r#""id":5"#), "{pong}");
}

async fn json_may_be_formatted_in_any_way(server: &Server) {
    let mut client = server.user("stylist").await.connect().await;
    client.send_text("\n{\t\"x\" : 1 ,\r\n \"type\" : \"ping\" }  ").await;
    assert_eq!(client.expect("pong").await["type"], "pong");
    client.send_text(r#"{"\u0074ype":"\u0070ing"}"#).await;
    client.expect("pong").await;
}

async fn requests_without_an_id_are_answered_too(server: &Server) {
    let (mut client, room) = (server.user("anonymous").await.connect().await, unique("hall"));
    let exchanges = [
        (json!({"type": "join", "room": room}), "joined"),
        (json!({"type": "send", "room": room, "body": "hello"}), "sent"),
        (json!({"type": "redact", "room": room, "seq": 1}), "ok"),
        (json!({"type": "history", "room": room}), "history"),
        (json!({"type": "members", "room": room}), "members"),
        (json!({"type": "leave", "room": room}), "left"),
        (json!({"type": "leave", "room": room}), "error"),
    ];
    for (request, kind) in exchanges {
        client.send(request).await;
        let answer = client.expect(kind).await;
        assert!(answer.get("id").is_none(), "{answer}");
    }
}

async fn errors_never_close_the_connection(server: &Server) {
    let (mut client, room) = (server.user("stubborn").await.connect().await, unique("hall"));
    for _ in 0..5 {
        client.refused_text("nonsense").await;
        client.refused("unknown_type", json!({"type": "nonsense"})).await;
        client.refused("not_in_room", json!({"type": "leave", "room": room})).await;
        client.refused("invalid_room", json!({"type": "join", "room": ".."})).await;
    }
    client.join(&room).await;
    assert_eq!(client.say(&room, "still here").await, 1);
}
