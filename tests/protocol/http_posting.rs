//! Posting a message without a socket.

use serde_json::{Value, json};

use crate::kit::{Request, Server, User, encoded, on_every_store, unique};

on_every_store!(
    a_posted_message_reaches_the_room,
    a_poster_needs_no_connection_and_gets_none,
    a_poster_says_neither_who_nor_where_nor_when_it_is,
    a_repeated_nonce_is_answered_with_200,
    posting_where_nobody_is_is_not_found,
    posting_takes_json_only,
    a_malformed_message_is_a_bad_request,
    too_much_is_too_large,
);

async fn a_posted_message_reaches_the_room(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("the hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    reader.say(&room, "one").await;
    reader.expect("message").await;
    let message = json!({"body": "two", "data": {"by": "post"}, "nonce": "n"});
    let posted = user.post(&room, &message).await.assert_json(201);
    assert_eq!(posted["seq"], 2);
    assert!(posted.get("duplicate").is_none(), "{posted}");
    let received = reader.expect("message").await;
    assert_eq!((&received["user"], &received["body"]), (&json!(user.name), &json!("two")));
    assert_eq!((&received["seq"], &received["at"]), (&posted["seq"], &posted["at"]));
    assert_eq!(received["data"], json!({"by": "post"}));
}

async fn a_poster_needs_no_connection_and_gets_none(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    user.post(&room, &json!({"body": "passing by"})).await.assert_json(201);
    reader.catch_up(&room).await;
    assert_eq!(reader.trace().of("presence").count(), 0);
    let answer = user.get(&format!("/rooms/{room}")).await.assert_json(200);
    assert_eq!((&answer["users"], &answer["connections"]), (&json!(1), &json!(1)));
}

async fn a_poster_says_neither_who_nor_where_nor_when_it_is(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    let message = json!({
        "body": "believe me", "user": reader.user, "name": "Reader", "room": unique("other"), "seq": 77, "at": 1, "redacted": true,
        "epoch": "0", "session": "0", "by": null, "id": 5, "type": "redact",
    });
    assert_eq!(user.post(&room, &message).await.assert_json(201)["seq"], 1);
    let told = reader.expect("message").await;
    assert_eq!(
        (&told["room"], &told["user"], &told["seq"]),
        (&json!(room), &json!(user.name), &json!(1))
    );
    assert!(told["at"].as_u64().is_some_and(|at| at > 1), "{told}");
    for forged in ["name", "redacted", "by", "session", "epoch", "id"] {
        assert!(told.get(forged).is_none(), "{told}");
    }
}

async fn a_repeated_nonce_is_answered_with_200(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    let message = json!({"body": "once", "nonce": "n"});
    let first = user.post(&room, &message).await.assert_json(201);
    let again = user.post(&room, &message).await.assert_json(200);
    assert_eq!(again["duplicate"], true);
    assert_eq!((&again["seq"], &again["at"]), (&first["seq"], &first["at"]));
    reader.catch_up(&room).await;
    assert_eq!(reader.trace().of("message").count(), 2);
}

async fn posting_where_nobody_is_is_not_found(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    user.post(&room, &json!({"body": "hello?"})).await.assert_error(404, "not_found");
    let joined = user.connect().await.join(&room).await;
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
}

async fn posting_takes_json_only(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    let body = r#"{"body":"hello"}"#;
    for wrong in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "text/json",
    ] {
        let answer = to(&user, &room).body(wrong, body).send().await;
        assert_eq!(answer.status, 415, "{wrong}: {answer:?}");
        answer.assert_refused(415);
    }
    let mut untyped = to(&user, &room).body("", body);
    untyped = untyped.without("Content-Type");
    untyped.send().await.assert_refused(415);
    for right in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        to(&user, &room).body(right, body).send().await.assert_json(201);
    }
    reader.catch_up(&room).await;
    assert_eq!(reader.trace().of("message").count(), 4);
}

async fn a_malformed_message_is_a_bad_request(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    let bodies = [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        r#"{"body":7}"#,
        r#"{"body":""}"#,
        r#"{"body":"x","nonce":7}"#,
        r#"{"body":"x","nonce":""}"#,
        r#"{"body":"x""#,
        r#"{"body":"x","body":"y"}"#,
        r#"{"body":"x","nonce":"n","nonce":"m"}"#,
    ];
    for body in bodies {
        to(&user, &room)
            .body("application/json", body)
            .send()
            .await
            .assert_error(400, "bad_request");
    }
    let long = json!({"body": "x", "nonce": "n".repeat(65)});
    user.post(&room, &long).await.assert_error(400, "bad_request");
    let broken = to(&user, &room).body("application/json", b"{\"body\":\"\xff\"}".to_vec());
    broken.send().await.assert_error(400, "bad_request");
    user.post(&room, &json!({"body": "x", "unknown": [1]})).await.assert_json(201);
    reader.catch_up(&room).await;
    assert_eq!(reader.trace().of("message").count(), 2);
}

async fn too_much_is_too_large(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let client = user.connect_to(&[&room]).await;
    let (body, data) = (client.limit("body_bytes") as usize, client.limit("data_bytes") as usize);
    let frame = client.limit("frame_bytes") as usize;
    let text = |bytes: usize| Value::from("x".repeat(bytes));
    for message in [
        json!({"body": text(body + 1)}),
        json!({"body": "x", "data": text(data)}),
        json!({"body": text(frame)}),
    ] {
        user.post(&room, &message).await.assert_error(413, "too_large");
    }
    let fitting = json!({"body": text(body), "data": text(data - 2)});
    user.post(&room, &fitting).await.assert_json(201);
}

fn to(user: &User<'_>, room: &str) -> Request {
    user.request("POST", &format!("/rooms/{}/messages", encoded(room)))
}
