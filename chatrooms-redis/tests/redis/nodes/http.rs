//! HTTP behind a load balancer that sends every request to whichever node it likes.

use bytes::Bytes;
use chatrooms_core::{
    Identity, RoomRegistry,
    testing::{TestClient, room, user},
};
use chatrooms_ws::Endpoint;
use http::{Request, StatusCode, header, request::Parts};
use http_body_util::Full;

use super::{
    astray::node_by,
    kit::{hears, mortal, node, nothing_is_left},
    proxy::{Mischief, Proxy},
};
use crate::support::{Server, eventually};

/// Asks as bob: with a body by `POST`.
async fn ask(node: &RoomRegistry, path: &str, body: Option<&'static str>) -> (StatusCode, String) {
    let bob = |_: &Parts| Ok(Identity::new(user("bob")));
    let endpoint = Endpoint::new(node.clone(), bob);
    let method = if body.is_some() { "POST" } else { "GET" };
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let body = Full::new(Bytes::from_static(body.unwrap_or_default().as_bytes()));
    let answer = endpoint.handle(path, request.body(body).unwrap()).await;
    let status = answer.status();
    (status, String::from_utf8(answer.into_body().to_vec()).unwrap())
}

#[tokio::test]
async fn any_node_answers_for_a_room_whose_people_are_on_another_one() {
    let server = Server::start().await;
    let (a, c) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let epoch = a.room(&room("tea")).await.unwrap().epoch;
    let (status, sent) = ask(&c, "/rooms/tea/messages", Some(r#"{"body":"hello"}"#)).await;
    assert!(status == StatusCode::CREATED && sent.starts_with(r#"{"seq":1,"#), "{status} {sent}");
    hears(&ada, &["tea: 1 bob: hello"]).await;
    for node in [&a, &c] {
        let (status, list) = ask(node, "/rooms", None).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(list, r#"{"rooms":[{"room":"tea","users":1,"connections":1}],"more":false}"#);
        let (status, details) = ask(node, "/rooms/tea", None).await;
        assert!(status == StatusCode::OK && details.contains(r#""user":"ada""#), "{details}");
        assert!(details.contains(&epoch.to_string()), "{details}");
        let (status, page) = ask(node, "/rooms/tea/messages", None).await;
        assert!(status == StatusCode::OK && page.contains(r#""body":"hello""#), "{page}");
        assert_eq!(ask(node, "/rooms/none", None).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask(node, "/rooms/none/messages", None).await.0, StatusCode::NOT_FOUND);
    }
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
}

#[tokio::test]
async fn a_node_that_hears_no_bell_answers_by_what_all_nodes_know() {
    let server = Server::start().await;
    let deaf = Proxy::start(&server, Mischief::Lost);
    let (a, b) = (node(&server).await, node_by(&deaf).await);
    let eve = TestClient::joined(&b, "eve", "tea").await;
    // More often than it looks by itself.
    for round in 1..=10 {
        let ada = TestClient::joined(&a, "ada", "tea").await;
        let (_, details) = ask(&b, "/rooms/tea", None).await;
        assert!(details.contains(r#""users":2,"connections":2"#), "{round}: {details}");
        ada.say("tea", "hello").await.unwrap();
        let (_, page) = ask(&b, "/rooms/tea/messages", None).await;
        assert!(page.contains(&format!(r#""seq":{round},"#)), "{round}: {page}");
        ada.session.leave_everywhere(&room("tea")).await.unwrap();
    }
    drop(eve);
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn while_redis_is_away_the_answer_is_to_try_again() {
    let mut server = Server::start().await;
    let node = mortal(&server).await;
    server.kill();
    eventually("it is noticed", async || {
        ask(&node, "/rooms", None).await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let post = Some(r#"{"body":"hello"}"#);
    for (path, body) in
        [("/rooms/tea", None), ("/rooms/tea/messages", None), ("/rooms/tea/messages", post)]
    {
        assert_eq!(ask(&node, path, body).await.0, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}
