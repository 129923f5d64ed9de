//! What is in no log, however much is logged.

use std::time::Duration;

use chatrooms::{Draft, Error, Identity, RoomName, RoomPolicy, RoomRegistry, async_trait};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::log::{self, Record};
use crate::service::{Service, eventually};

/// What clients send that nobody else is to read.
const SECRETS: [&str; 14] = [
    "secret-body",
    "secret-data",
    "secret-meta",
    "secret-nonce",
    "secret-signal",
    "secret-cookie",
    "secret-query",
    "secret-bearer",
    "secret-subprotocol",
    "secret-other-query",
    "secret-garbage",
    "secret-refusal",
    "secret-post",
    "secret-origin",
];

/// Refuses, and says to the sender what the log is not to know.
#[derive(Debug)]
struct Strict;

#[async_trait]
impl RoomPolicy for Strict {
    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        if draft.body.starts_with("refuse") {
            let message = format!("not this: {}", draft.body).into();
            return Err(Error::Refused { code: "x-secret-refusal".into(), message });
        }
        Ok(draft)
    }
}

#[tokio::test]
async fn no_log_holds_what_is_said_nor_what_somebody_is_known_by() {
    log::keep();
    for is_warp in [false, true] {
        let registry = RoomRegistry::builder().policy(Strict).start().await.expect("it starts");
        let service = match is_warp {
            false => Service::start(&registry).await,
            true => Service::start_on_warp(&registry).await,
        };
        come_in_every_way(&service).await;
        be_refused(&service).await;
        say_everything(&service).await;
        post(&service).await;
        abuse(&service).await;
        registry.shutdown(Duration::from_secs(5)).await;
    }

    let kept = log::kept();
    let ours = |record: &&Record| record.target.starts_with("chatrooms");
    assert!(kept.iter().filter(ours).count() > 20, "something is logged: {kept:#?}");
    let leaks: Vec<_> = kept
        .iter()
        .filter(|record| SECRETS.iter().any(|secret| record.contains(secret)))
        .filter(|record| !is_a_frame_of_tungstenite(record))
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn tungstenite_logs_frames_where_log_is_bridged_as_the_page_warns() {
    log::keep();
    let registry = RoomRegistry::new();
    let service = Service::start(&registry).await;
    let mut ada = service.joined("ada", "hall").await;
    ada.send(&json!({"type": "send", "room": "hall", "body": "loud-and-clear"})).await;
    ada.expect("sent").await;
    let told: Vec<_> =
        log::kept().into_iter().filter(|record| record.contains("loud-and-clear")).collect();
    assert!(!told.is_empty(), "the page's warning can go");
    assert!(told.iter().all(is_a_frame_of_tungstenite), "{told:#?}");
}

/// The client of this test is tungstenite too.
fn is_a_frame_of_tungstenite(record: &Record) -> bool {
    let is_its_own =
        record.target.starts_with("tungstenite") || record.target.starts_with("tokio_tungstenite");
    record.by_log && is_its_own && ["trace", "debug"].contains(&record.level.as_str())
}

async fn come_in_every_way(service: &Service) {
    for (query, header) in [
        ("", ("cookie", "other=1; session=ada.secret-cookie")),
        ("", ("authorization", "Bearer ada.secret-bearer")),
        ("", ("sec-websocket-protocol", "chatrooms.v1.json, token.ada.secret-subprotocol")),
        ("?token=ada.secret-query&else=secret-other-query&room=hall", ("x-anything", "1")),
    ] {
        let connected = service.connect(query, &[header]).await;
        connected.expect("let in").close().await;
    }
}

async fn be_refused(service: &Service) {
    for (query, headers, status) in [
        ("?token=%07secret-query", &[("x-anything", "1")][..], 401),
        ("", &[("authorization", "Bearer .secret-bearer")], 401),
        ("", &[("cookie", "session=.secret-cookie")], 401),
        ("?token=panic.secret-query", &[], 500),
        (
            "",
            &[
                ("authorization", "Bearer ada.secret-bearer"),
                ("origin", "https://secret-origin.test"),
            ],
            403,
        ),
    ] {
        assert_eq!(
            service.connect(query, headers).await.err(),
            Some(status),
            "{query} {headers:?}"
        );
    }
}

async fn say_everything(service: &Service) {
    let mut ada = service.connect("?token=ada.secret-query", &[]).await.expect("let in");
    ada.send(&json!({"type": "join", "room": "hall", "meta": {"at": "secret-meta"}})).await;
    ada.expect("joined").await;
    let say = |body: &str| json!({"type": "send", "room": "hall", "body": body, "data": ["secret-data"], "nonce": "secret-nonce"});
    for (body, answer) in
        [("secret-body", "sent"), ("secret-body", "sent"), ("refuse secret-body", "error")]
    {
        ada.send(&say(body)).await;
        ada.expect(answer).await;
    }
    ada.send(&json!({"type": "signal", "room": "hall", "name": "secret-signal", "data": "secret-data", "id": 1})).await;
    ada.expect("ok").await;
    for (question, answer) in
        [("history", "history"), ("members", "members"), ("secret-garbage", "error")]
    {
        ada.send(&json!({"type": question, "room": "hall"})).await;
        ada.expect(answer).await;
    }
    ada.send(&json!({"type": "redact", "room": "hall", "seq": 1})).await;
    ada.expect("redacted").await;
    ada.close().await;
}

async fn post(service: &Service) {
    let mut listener = service.joined("ada", "hall").await;
    for body in [
        "{\"body\":\"secret-post\",\"data\":\"secret-data\",\"nonce\":\"secret-nonce\"}",
        "{\"secret-garbage\"",
    ] {
        let head = "POST /chat/rooms/hall/messages?token=ada.secret-query HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json";
        let request = format!(
            "{head}\r\nCookie: session=ada.secret-cookie\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(service.addr).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(
            answer.starts_with("HTTP/1.1 201") || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    listener.expect("message").await;
    listener.close().await;
}

/// Nonsense until the server has had enough.
async fn abuse(service: &Service) {
    let mut vandal = service.joined("vandal", "hall").await;
    for _ in 0..40 {
        vandal.send_text("{\"secret-garbage\":").await;
    }
    vandal.ended().await;
    let is_told = || {
        log::kept()
            .iter()
            .any(|record| record.name == "abuse" && record.field("user") == Some("\"vandal\""))
    };
    eventually("it is logged", is_told).await;
}
