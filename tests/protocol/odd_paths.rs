//! Paths that nobody should ask for, sent as they stand: each has one answer, whatever framework takes it apart.

use ::axum::Router;
use chatrooms::ws::{Endpoint, Refusal};
use chatrooms::{Identity, RoomRegistry};
use hyper::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio_tungstenite::tungstenite::http::request::Parts;

use crate::kit::{Client, Server, encoded, on_every_server, unique};

on_every_server!(
    a_path_that_is_almost_a_route_is_not_found,
    an_empty_or_dotted_name_is_no_room,
    slashes_before_a_route_are_one,
    a_slash_in_a_name_is_part_of_it_when_it_is_encoded,
    an_escape_that_is_none_stands_for_itself,
    the_mount_itself_is_not_found,
    a_path_that_is_almost_the_mount_is_not_found,
    a_target_with_the_host_in_it_is_a_path_too,
);

async fn a_path_that_is_almost_a_route_is_not_found(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let _client = user.connect_to(&[&room]).await;
    for path in [
        "/session/",
        "/session//",
        "/session/.",
        "/session/..",
        "/./session",
        "/../session",
        "/../chat/session",
        "/rooms/../session",
        "/%2e/session",
        "/%2Fsession",
        "/%73ession",
        "/session%20",
        "/session%2F",
        "/session;a=1",
        "/Session",
        "/ws/",
        "/ws/.",
        "/./ws",
        "/%77s",
        "/chatrooms.js/",
        "/./chatrooms.js",
        "/chatrooms%2Ejs",
        "/.",
        "/..",
        "/%2F",
        &format!("/rooms%2F{room}"),
        &format!("/rooms/{room}/"),
        &format!("/rooms/{room}//"),
        &format!("/rooms/{room}//messages"),
        &format!("/rooms/{room}/./messages"),
        &format!("/rooms/{room}/messages/"),
        &format!("/rooms/{room}/messages/1"),
        &format!("/rooms/{room}%2Fmessages"),
        &format!("/rooms//{room}"),
        &format!("/rooms/../rooms/{room}"),
    ] {
        let answer = user.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        answer.assert_error(404, "not_found");
    }
}

async fn an_empty_or_dotted_name_is_no_room(server: &Server) {
    let user = server.user("guest").await;
    for name in ["", ".", "..", "%2E", "%2e%2E", "%20"] {
        user.get(&format!("/rooms/{name}")).await.assert_error(400, "invalid_room");
        user.get(&format!("/rooms/{name}/messages")).await.assert_error(400, "invalid_room");
    }
}

async fn slashes_before_a_route_are_one(server: &Server) {
    let user = server.user("guest").await;
    for path in ["//session", "///session", "//rooms", "//chatrooms.js"] {
        let answer = user.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    let (name, value) = &user.credential;
    let upgrade = server.upgrade_at(&format!("{}//ws", server.mount)).header(name, value);
    let client = Client::open(upgrade).await.expect("let in");
    assert_eq!(client.user, user.name);
}

async fn a_slash_in_a_name_is_part_of_it_when_it_is_encoded(server: &Server) {
    let (user, room) = (server.user("guest").await, format!("{}/messages", unique("a//b")));
    let _client = user.connect_to(&[&room]).await;
    for path in [encoded(&room), encoded(&room).to_lowercase()] {
        let answer = user.get(&format!("/rooms/{path}")).await.assert_json(200);
        assert_eq!(answer["room"], room);
        user.get(&format!("/rooms/{path}/messages")).await.assert_json(200);
    }
}

async fn an_escape_that_is_none_stands_for_itself(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("100%zz%"));
    let _client = user.connect_to(&[&room]).await;
    let answer = user.get(&format!("/rooms/{room}")).await.assert_json(200);
    assert_eq!(answer["room"], room);
    user.get("/rooms/%FF").await.assert_error(400, "bad_request");
    for query in ["?", "?%zz", "??", "?/../x"] {
        user.get(&format!("/session{query}")).await.assert_json(200);
    }
}

async fn the_mount_itself_is_not_found(server: &Server) {
    let user = server.user("guest").await;
    for path in ["", "?a=b", "//"] {
        user.get(path).await.assert_error(404, "not_found");
    }
    // Whose answer this is depends on the framework: to axum, it is not below what is nested.
    let answer = user.get("/").await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

async fn a_path_that_is_almost_the_mount_is_not_found(server: &Server) {
    let user = server.user("guest").await;
    let (name, value) = &user.credential;
    for path in
        ["//chat/session", "/./chat/session", "/chatty/session", "/CHAT/session", "/%63hat/session"]
    {
        let answer = server.request_outside("GET", path).header(name, value).send().await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
}

async fn a_target_with_the_host_in_it_is_a_path_too(server: &Server) {
    let user = server.user("guest").await;
    let (name, value) = &user.credential;
    let target = format!("http://{}{}/session", server.addr, server.mount);
    let answer = server.request_outside("GET", &target).header(name, value).send().await;
    assert_eq!(answer.assert_json(200)["user"], user.name);
}

#[tokio::test]
async fn axum_counts_the_mount_with_a_slash_as_below_a_service_only() {
    let nobody = |_: &Parts| -> Result<Identity, Refusal> { Err(Refusal::Unauthorized) };
    let chat = || chatrooms::axum::router::<()>(Endpoint::new(RoomRegistry::new(), nobody));
    for (app, is_ours) in [
        (Router::new().nest("/chat", chat()), false),
        (Router::new().nest_service("/chat", chat()), true),
    ] {
        let request = Request::get("/chat/").body(String::new()).expect("a request");
        let answer = TowerToHyperService::new(app).call(request).await.expect("an answer");
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers().contains_key("content-type"), is_ours);
    }
}
