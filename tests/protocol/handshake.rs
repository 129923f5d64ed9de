//! The upgrade: what is let in, what is refused, and in which order the reasons are judged.

use serde_json::json;

use crate::kit::{Request, Server, on_every_server, unique};

on_every_server!(
    a_request_that_is_no_upgrade_is_a_bad_request,
    another_websocket_version_is_a_bad_request,
    a_missing_or_malformed_key_is_a_bad_request,
    a_subprotocol_nobody_speaks_is_a_bad_request,
    without_a_credential_the_upgrade_is_unauthorized,
    a_forged_credential_is_unauthorized,
    no_websocket_is_judged_before_the_origin,
    the_origin_is_judged_before_the_subprotocol,
    the_subprotocol_is_judged_before_the_credential,
    the_own_subprotocol_is_echoed,
    only_the_own_subprotocol_is_echoed_of_several,
    subprotocols_in_several_headers_are_one_list,
    without_an_offer_nothing_is_echoed,
    no_extension_is_negotiated,
    header_names_and_tokens_are_read_in_any_case,
    the_socket_takes_nothing_but_get,
    an_upgrade_by_post_is_a_post,
    an_upgrade_elsewhere_is_no_upgrade,
);

const OURS: &str = "chatrooms.v1.json";
const FOREIGN: &str = "https://elsewhere.example";

async fn a_request_that_is_no_upgrade_is_a_bad_request(server: &Server) {
    let user = server.user("plain").await;
    user.get("/ws").await.assert_error(400, "bad_request");
    user.upgrade("").without("Upgrade").refused().await.assert_error(400, "bad_request");
    let other = user.upgrade("").replacing("Upgrade", "h2c");
    other.refused().await.assert_error(400, "bad_request");
    let unconnected = user.upgrade("").replacing("Connection", "keep-alive");
    unconnected.refused().await.assert_error(400, "bad_request");
}

async fn another_websocket_version_is_a_bad_request(server: &Server) {
    let user = server.user("old").await;
    for version in ["8", "0", "14", "13x", ""] {
        let upgrade = user.upgrade("").replacing("Sec-WebSocket-Version", version);
        upgrade.refused().await.assert_error(400, "bad_request");
    }
    let silent = user.upgrade("").without("Sec-WebSocket-Version");
    silent.refused().await.assert_error(400, "bad_request");
}

async fn a_missing_or_malformed_key_is_a_bad_request(server: &Server) {
    let user = server.user("keyless").await;
    let upgrade = user.upgrade("").without("Sec-WebSocket-Key");
    upgrade.refused().await.assert_error(400, "bad_request");
}

async fn a_subprotocol_nobody_speaks_is_a_bad_request(server: &Server) {
    let user = server.user("polyglot").await;
    for offer in ["chatrooms.v2.json", "soap, mqtt", "chatrooms.v1.json2", "CHATROOMS.V1.JSON"] {
        offering(user.upgrade(""), offer).refused().await.assert_error(400, "bad_request");
    }
}

async fn without_a_credential_the_upgrade_is_unauthorized(server: &Server) {
    server.upgrade("").refused().await.assert_error(401, "unauthorized");
}

async fn a_forged_credential_is_unauthorized(server: &Server) {
    let user = server.user("victim").await;
    let (name, value) = &user.credential;
    let (kept, last) = value.split_at(value.len() - 1);
    let changed = if last == "A" { "B" } else { "A" };
    let forgeries = [format!("{kept}{changed}"), kept.to_owned(), format!("{value}{value}")];
    for forgery in forgeries {
        let upgrade = server.upgrade("").header(name, &forgery);
        upgrade.refused().await.assert_error(401, "unauthorized");
    }
}

async fn no_websocket_is_judged_before_the_origin(server: &Server) {
    let upgrade = from_elsewhere(server.upgrade("")).replacing("Sec-WebSocket-Version", "8");
    upgrade.refused().await.assert_error(400, "bad_request");
}

async fn the_origin_is_judged_before_the_subprotocol(server: &Server) {
    let upgrade = offering(from_elsewhere(server.upgrade("")), "soap");
    upgrade.refused().await.assert_error(403, "forbidden");
}

async fn the_subprotocol_is_judged_before_the_credential(server: &Server) {
    offering(server.upgrade(""), "soap").refused().await.assert_error(400, "bad_request");
}

async fn the_own_subprotocol_is_echoed(server: &Server) {
    let user = server.user("fluent").await;
    let answer = offering(user.upgrade(""), OURS).accepted().await;
    assert_eq!(answer.header("Sec-WebSocket-Protocol"), Some(OURS));
}

async fn only_the_own_subprotocol_is_echoed_of_several(server: &Server) {
    let user = server.user("fluent").await;
    for offer in ["soap, chatrooms.v1.json", "chatrooms.v1.json,mqtt", "a,chatrooms.v1.json , b"] {
        let answer = offering(user.upgrade(""), offer).accepted().await;
        assert_eq!(answer.header("Sec-WebSocket-Protocol"), Some(OURS), "of {offer}");
    }
}

async fn subprotocols_in_several_headers_are_one_list(server: &Server) {
    let user = server.user("fluent").await;
    let answer = offering(offering(user.upgrade(""), "soap"), OURS).accepted().await;
    assert_eq!(answer.header("Sec-WebSocket-Protocol"), Some(OURS));
}

async fn without_an_offer_nothing_is_echoed(server: &Server) {
    let answer = server.user("terse").await.upgrade("").accepted().await;
    assert_eq!(answer.header("Sec-WebSocket-Protocol"), None);
}

async fn no_extension_is_negotiated(server: &Server) {
    let upgrade = server.user("dense").await.upgrade("");
    let offer = "permessage-deflate; client_max_window_bits";
    let answer = upgrade.header("Sec-WebSocket-Extensions", offer).accepted().await;
    assert_eq!(answer.header("Sec-WebSocket-Extensions"), None);
}

async fn header_names_and_tokens_are_read_in_any_case(server: &Server) {
    let upgrade = server.user("loud").await.upgrade("");
    upgrade
        .without("Upgrade")
        .header("UPGRADE", "WebSocket")
        .without("Connection")
        .header("connection", "keep-alive, upgrade")
        .accepted()
        .await;
}

async fn the_socket_takes_nothing_but_get(server: &Server) {
    let user = server.user("poster").await;
    let answer = user.request("POST", "/ws").send().await;
    answer.assert_refused(405);
}

async fn an_upgrade_by_post_is_a_post(server: &Server) {
    let (user, room) = (server.user("poster").await, unique("hall"));
    let mut reader = server.user("reader").await.connect_to(&[&room]).await;
    let answer = user.upgrade("").by("POST").refused().await;
    answer.assert_refused(405);
    assert_eq!(answer.header("Allow"), Some("GET"));
    let (name, value) = &user.credential;
    let to_room = server.upgrade_at(&format!("{}/rooms/{room}/messages", server.mount));
    let post = to_room.header(name, value).by("POST").json(&json!({"body": "hello"}));
    assert_eq!(post.refused().await.assert_json(201)["seq"], 1);
    assert_eq!(reader.expect("message").await["body"], "hello");
}

async fn an_upgrade_elsewhere_is_no_upgrade(server: &Server) {
    let user = server.user("lost").await;
    let (name, value) = &user.credential;
    let upgrade = server.upgrade_at(&format!("{}/session", server.mount)).header(name, value);
    assert_eq!(upgrade.refused().await.assert_json(200)["user"], user.name);
}

fn offering(upgrade: Request, subprotocols: &str) -> Request {
    upgrade.header("Sec-WebSocket-Protocol", subprotocols)
}

fn from_elsewhere(upgrade: Request) -> Request {
    upgrade.header("Origin", FOREIGN)
}
