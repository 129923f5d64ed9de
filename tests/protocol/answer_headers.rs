//! The headers of every answer over HTTP, to the letter: neither adapter adds, loses or changes one.

use serde_json::json;

use crate::kit::{Response, Server, encoded, on_every_server, unique};

on_every_server!(
    what_is_read_has_exactly_these_headers,
    what_is_posted_is_answered_with_exactly_these_headers,
    a_refusal_has_exactly_these_headers,
    a_method_that_is_not_allowed_is_told_which_are,
    the_client_module_has_exactly_these_headers,
    an_opened_socket_has_exactly_these_headers,
    head_is_answered_with_the_headers_of_get,
);

/// Those of every answer in JSON.
const JSON: [(&str, &str); 3] = [
    ("cache-control", "no-store"),
    ("content-type", "application/json"),
    ("x-content-type-options", "nosniff"),
];

async fn what_is_read_has_exactly_these_headers(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("the hall"));
    let _client = user.connect_to(&[&room]).await;
    let in_room = format!("/rooms/{}", encoded(&room));
    for path in ["/session", "/rooms", &in_room, &format!("{in_room}/messages")] {
        assert_headers(&user.get(path).await, 200, &JSON);
    }
}

async fn what_is_posted_is_answered_with_exactly_these_headers(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let _client = user.connect_to(&[&room]).await;
    let message = json!({"body": "hello", "nonce": "n"});
    assert_headers(&user.post(&room, &message).await, 201, &JSON);
    assert_headers(&user.post(&room, &message).await, 200, &JSON);
}

async fn a_refusal_has_exactly_these_headers(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let client = user.connect_to(&[&room]).await;
    let messages = format!("/rooms/{room}/messages");
    assert_headers(&server.request("GET", "/session").send().await, 401, &JSON);
    assert_headers(&user.get("/nothing").await, 404, &JSON);
    assert_headers(&user.get("/rooms/..").await, 400, &JSON);
    assert_headers(&user.get("/rooms?limit=0").await, 400, &JSON);
    let post = || user.request("POST", &messages);
    let foreign = post().header("Origin", "https://elsewhere.example");
    assert_headers(&foreign.send().await, 403, &JSON);
    assert_headers(&post().body("text/plain", "hello").send().await, 415, &JSON);
    let large = json!({"body": "x".repeat(client.limit("body_bytes") as usize + 1)});
    assert_headers(&post().json(&large).send().await, 413, &JSON);
    assert_headers(&server.upgrade("").refused().await, 401, &JSON);
    let plain = user.get("/ws").await;
    assert_headers(&plain, 400, &and(&[("sec-websocket-version", "13")]));
}

async fn a_method_that_is_not_allowed_is_told_which_are(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    for (path, allowed) in [
        ("/ws", "GET"),
        ("/session", "GET"),
        ("/rooms", "GET"),
        (&format!("/rooms/{room}"), "GET"),
        (&format!("/rooms/{room}/messages"), "GET, POST"),
        ("/chatrooms.js", "GET"),
        ("/chatrooms.d.ts", "GET"),
    ] {
        for method in ["DELETE", "OPTIONS", "PUT", "BREW"] {
            let answer = user.request(method, path).send().await;
            assert_headers(&answer, 405, &and(&[("allow", allowed)]));
        }
    }
}

async fn the_client_module_has_exactly_these_headers(server: &Server) {
    for (path, content_type) in [
        ("/chatrooms.js", "text/javascript; charset=utf-8"),
        ("/chatrooms.d.ts", "application/typescript; charset=utf-8"),
    ] {
        let answer = server.request("GET", path).send().await;
        let tag = answer.header("ETag").expect("a tag").to_owned();
        let expected = [
            ("cache-control", "no-cache"),
            ("content-type", content_type),
            ("etag", &tag),
            ("x-content-type-options", "nosniff"),
        ];
        assert_headers(&answer, 200, &expected);
        let again = server.request("GET", path).header("If-None-Match", &tag).send().await;
        assert_headers(&again, 304, &expected);
        assert_eq!(again.body, "");
    }
}

async fn an_opened_socket_has_exactly_these_headers(server: &Server) {
    let user = server.user("guest").await;
    let expected = [
        ("connection", "upgrade"),
        // That of the one key which these tests send.
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("upgrade", "websocket"),
    ];
    assert_headers(&user.upgrade("").accepted().await, 101, &expected);
    let offering = user.upgrade("").header("Sec-WebSocket-Protocol", "soap, chatrooms.v1.json");
    let mut echoed = expected.to_vec();
    echoed.push(("sec-websocket-protocol", "chatrooms.v1.json"));
    assert_headers(&offering.accepted().await, 101, &echoed);
}

async fn head_is_answered_with_the_headers_of_get(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let _client = user.connect_to(&[&room]).await;
    for path in ["/session", &format!("/rooms/{room}/messages"), "/chatrooms.js", "/nothing"] {
        let get = user.get(path).await;
        let head = user.request("HEAD", path).send().await;
        assert_eq!((head.status, &*head.body), (get.status, ""), "{path}");
        assert_eq!(relevant(&head), relevant(&get), "{path}");
        assert_eq!(head.header("Content-Length"), get.header("Content-Length"), "{path}");
    }
}

/// Those of an answer in JSON and some more.
fn and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&JSON[..], more].concat()
}

/// Asserts that an answer has these headers and no others, and the length of its body.
#[track_caller]
fn assert_headers(answer: &Response, status: u16, expected: &[(&str, &str)]) {
    assert_eq!(answer.status, status, "{answer:?}");
    let mut expected: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // `full_app` says this of all that it answers, sockets too.
    if status == 101 && answer.header("Content-Security-Policy").is_some() {
        expected.push(("x-content-type-options".to_owned(), "nosniff".to_owned()));
    }
    expected.sort();
    assert_eq!(relevant(answer), expected);
    if !matches!(status, 101 | 304) {
        let length = answer.body.len().to_string();
        assert_eq!(answer.header("Content-Length"), Some(length.as_str()), "{answer:?}");
    }
}

/// The headers that are the library's to set, in order.
fn relevant(answer: &Response) -> Vec<(String, String)> {
    let is_close = |name: &str, value: &str| name == "connection" && value == "close";
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .filter(|(name, value)| !OF_OTHERS.contains(&name.as_str()) && !is_close(name, value))
        .collect();
    headers.sort();
    headers
}

/// What the HTTP server says of each message, and what `full_app` sets for all of its pages.
const OF_OTHERS: [&str; 4] =
    ["content-length", "content-security-policy", "date", "referrer-policy"];
