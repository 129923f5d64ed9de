//! Four ways to carry a token, and what becomes of those who carry none that is good.

use crate::kit::{Adapter, Client, InProcess, Request, Server, encoded, on_each_adapter, token};

on_each_adapter!(
    a_token_lets_in_whatever_carries_it,
    a_token_that_is_not_good_lets_nobody_in,
    a_revoked_token_lets_nobody_in,
    tokens_that_differ_let_nobody_in,
    a_token_as_a_subprotocol_is_never_echoed,
    a_token_as_a_subprotocol_alone_is_a_bad_request,
    all_but_subprotocols_are_good_beside_the_socket,
);

/// A way to carry a token to the socket.
type Way = fn(&Server, &str) -> Request;

const WAYS: [(&str, Way); 4] = [
    ("bearer", |server, token| {
        server.upgrade("").header("Authorization", &format!("Bearer {token}"))
    }),
    ("cookie", |server, token| {
        server.upgrade("").header("Cookie", &format!("theme=dark; session={token}"))
    }),
    ("query", |server, token| server.upgrade(&format!("?token={}", encoded(token)))),
    ("subprotocol", |server, token| {
        offering(server.upgrade(""), &format!("chatrooms.v1.json, token.{token}"))
    }),
];

async fn a_token_lets_in_whatever_carries_it(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    for (name, way) in WAYS {
        let user = server.user(name).await;
        let upgrade = way(server, token(&user.credential));
        let client = Client::open(upgrade).await;
        assert_eq!(client.expect(name).user, user.name);
    }
}

async fn a_token_that_is_not_good_lets_nobody_in(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let user = server.user("victim").await;
    let token = token(&user.credential);
    for (_, way) in WAYS {
        for wrong in [&token[1..], &format!("{token}0"), "", "unknown"] {
            way(server, wrong).refused().await.assert_error(401, "unauthorized");
        }
    }
}

async fn a_revoked_token_lets_nobody_in(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    for (name, way) in WAYS {
        let user = server.user(name).await;
        way(server, token(&user.credential)).accepted().await;
        server.revoke(&user);
        let again = way(server, token(&user.credential));
        again.refused().await.assert_error(401, "unauthorized");
    }
}

async fn tokens_that_differ_let_nobody_in(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let (ann, ben) = (server.user("ann").await, server.user("ben").await);
    let (one, other) = (token(&ann.credential), token(&ben.credential));
    let twice = [
        bearer(bearer(server.upgrade(""), one), other),
        server.upgrade("").header("Cookie", &format!("session={one}; session={other}")),
        server.upgrade(&format!("?token={one}&token={other}")),
        offering(server.upgrade(""), &format!("chatrooms.v1.json, token.{one}, token.{other}")),
    ];
    for upgrade in twice {
        upgrade.refused().await.assert_error(401, "unauthorized");
    }
}

async fn a_token_as_a_subprotocol_is_never_echoed(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let user = server.user("page").await;
    let token = token(&user.credential);
    for offer in
        [format!("chatrooms.v1.json, token.{token}"), format!("token.{token},chatrooms.v1.json")]
    {
        let answer = offering(server.upgrade(""), &offer).accepted().await;
        assert_eq!(answer.header("Sec-WebSocket-Protocol"), Some("chatrooms.v1.json"));
    }
}

async fn a_token_as_a_subprotocol_alone_is_a_bad_request(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let user = server.user("page").await;
    let alone = offering(server.upgrade(""), &format!("token.{}", token(&user.credential)));
    alone.refused().await.assert_error(400, "bad_request");
}

async fn all_but_subprotocols_are_good_beside_the_socket(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let user = server.user("reader").await;
    let token = token(&user.credential);
    let asking = [
        bearer(server.request("GET", "/session"), token),
        server.request("GET", "/session").header("Cookie", &format!("session={token}")),
        server.request("GET", &format!("/session?token={token}")),
    ];
    for request in asking {
        assert_eq!(request.send().await.assert_json(200)["user"], user.name);
    }
    server.request("GET", "/session").send().await.assert_error(401, "unauthorized");
}

fn bearer(request: Request, token: &str) -> Request {
    request.header("Authorization", &format!("Bearer {token}"))
}

fn offering(upgrade: Request, subprotocols: &str) -> Request {
    upgrade.header("Sec-WebSocket-Protocol", subprotocols)
}
