//! `data`: any JSON, which travels untouched, number by number.

use crate::kit::{Frame, RawSocket, Server, encoded, on_every_store, unique};

on_every_store!(
    numbers_keep_every_digit,
    any_json_is_data,
    data_is_the_same_in_every_answer,
    deep_data_travels,
    absurdly_deep_data_gets_one_answer,
    signal_data_is_as_untouched,
);

/// Each is a number that a detour over a float or an integer would change.
const NUMBERS: &[&str] = &[
    "1.0",
    "0.10",
    "-0",
    "-0.0",
    "1E5",
    "1e-7",
    "1e400",
    "9007199254740993",
    "18446744073709551616",
    "123456789012345678901234567890.123456789012345678901234567890",
];

async fn numbers_keep_every_digit(server: &Server) {
    let room = unique("hall");
    let mut socket = server.user("exact").await.connect_raw(&format!("?room={room}")).await;
    for number in NUMBERS {
        let data = format!(r#"{{"n":{number},"list":[{number}]}}"#);
        send_data(&mut socket, &room, &data).await;
        let message = next_of(&mut socket, "message").await;
        assert!(message.contains(&format!(r#""data":{data}"#)), "{number} became {message}");
    }
}

async fn any_json_is_data(server: &Server) {
    let room = unique("hall");
    let mut socket = server.user("various").await.connect_raw(&format!("?room={room}")).await;
    for data in
        ["true", "false", "0", r#""""#, "[]", "{}", r#"{"z":1,"a":2}"#, r#"{"__proto__":{}}"#]
    {
        send_data(&mut socket, &room, data).await;
        let message = next_of(&mut socket, "message").await;
        assert!(message.contains(&format!(r#""data":{data}"#)), "{data} became {message}");
    }
}

async fn data_is_the_same_in_every_answer(server: &Server) {
    let (user, room) = (server.user("exact").await, unique("hall"));
    let mut socket = user.connect_raw(&format!("?room={room}")).await;
    let data = format!("[{}]", NUMBERS.join(","));
    let expected = format!(r#""data":{data}"#);
    send_data(&mut socket, &room, &data).await;
    next_of(&mut socket, "message").await;

    socket.write(&Frame::text(&format!(r#"{{"type":"history","room":"{room}"}}"#))).await;
    let history = next_of(&mut socket, "history").await;
    assert!(history.contains(&expected), "{history}");

    let mut late = user.connect_raw(&format!("?room={room}")).await;
    let joined = next_of(&mut late, "joined").await;
    assert!(joined.contains(&expected), "{joined}");

    let answer = user.get(&format!("/rooms/{}/messages", encoded(&room))).await;
    assert!(answer.body.contains(&expected), "{answer:?}");

    let post = format!(r#"{{"body":"again","data":{data}}}"#);
    let path = format!("/rooms/{}/messages", encoded(&room));
    let posted = user.request("POST", &path).body("application/json", post).send().await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let message = next_of(&mut socket, "message").await;
    assert!(message.contains(&expected), "{message}");
}

async fn deep_data_travels(server: &Server) {
    let room = unique("hall");
    let mut socket = server.user("deep").await.connect_raw(&format!("?room={room}")).await;
    let data = nested(100);
    send_data(&mut socket, &room, &data).await;
    let message = next_of(&mut socket, "message").await;
    assert!(message.contains(&data), "{message}");
}

async fn absurdly_deep_data_gets_one_answer(server: &Server) {
    let (user, room) = (server.user("abyss").await, unique("hall"));
    let limit = user.connect().await.limit("frame_bytes") as usize;
    let mut socket = user.connect_raw(&format!("?room={room}")).await;
    next_of(&mut socket, "joined").await;
    let half = limit / 2 - 100;
    for data in [nested(1_000), nested(half), "[".repeat(half), r#"{"a":"#.repeat(half / 5)] {
        send_data(&mut socket, &room, &data).await;
        let answers = ["sent", "bad_request", "too_large"].map(|word| format!(r#":"{word}""#));
        let is_answer = |frame: &str| answers.iter().any(|answer| frame.contains(answer));
        while !is_answer(&socket.text().await) {}
    }
    socket.write(&Frame::text(r#"{"type":"ping"}"#)).await;
    next_of(&mut socket, "pong").await;
}

async fn signal_data_is_as_untouched(server: &Server) {
    let room = unique("hall");
    let mut receiver = server.user("exact").await.connect_raw(&format!("?room={room}")).await;
    let mut client = server.user("signaller").await.connect_to(&[&room]).await;
    let data = format!("[{}]", NUMBERS.join(","));
    client
        .send_text(&format!(r#"{{"type":"signal","room":"{room}","name":"n","data":{data}}}"#))
        .await;
    let signal = next_of(&mut receiver, "signal").await;
    assert!(signal.contains(&format!(r#""data":{data}"#)), "{signal}");
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

async fn send_data(socket: &mut RawSocket, room: &str, data: &str) {
    let request = format!(r#"{{"type":"send","room":"{room}","body":"b","data":{data}}}"#);
    socket.write(&Frame::text(&request)).await;
}

async fn next_of(socket: &mut RawSocket, kind: &str) -> String {
    loop {
        let frame = socket.text().await;
        assert!(!frame.contains(r#""type":"error""#), "{frame}");
        if frame.contains(&format!(r#""type":"{kind}""#)) {
            return frame;
        }
    }
}
