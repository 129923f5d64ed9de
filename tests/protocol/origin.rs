//! The origin rule: same host and port as `Host`, exactly, for upgrades and for posts; no `Origin` is no browser.

use chatrooms::RoomRegistry;
use chatrooms::ws::{Options, Origins};
use serde_json::json;

use crate::kit::{Adapter, InProcess, Server, on_each_adapter, on_every_server};

on_every_server!(
    the_own_origin_is_let_in,
    an_origin_behind_a_proxy_is_compared_with_the_host_header,
    every_other_origin_is_forbidden,
    posting_follows_the_same_rule,
);

mod set_by_the_host {
    use super::{any_origin_is_let_in, on_each_adapter, only_the_named_origins_are_let_in};

    on_each_adapter!(only_the_named_origins_are_let_in, any_origin_is_let_in);
}

async fn the_own_origin_is_let_in(server: &Server) {
    let user = server.user("local").await;
    let own = format!("http://{}", server.addr);
    user.upgrade("").header("Origin", &own).accepted().await;
    user.upgrade("").accepted().await;
}

async fn an_origin_behind_a_proxy_is_compared_with_the_host_header(server: &Server) {
    let user = server.user("proxied").await;
    let let_in = [
        ("chat.example", "https://chat.example"),
        ("chat.example:8443", "https://chat.example:8443"),
        ("[::1]:5000", "http://[::1]:5000"),
    ];
    for (host, origin) in let_in {
        user.upgrade("").replacing("Host", host).header("Origin", origin).accepted().await;
    }
    let refused = [
        ("chat.example", "https://chat.example:8443"),
        ("chat.example:8443", "https://chat.example"),
        ("chat.example", "https://chat.example.evil.example"),
        ("chat.example", "https://evil-chat.example"),
        ("chat.example", "https://sub.chat.example"),
    ];
    for (host, origin) in refused {
        let upgrade = user.upgrade("").replacing("Host", host).header("Origin", origin);
        upgrade.refused().await.assert_error(403, "forbidden");
    }
}

async fn every_other_origin_is_forbidden(server: &Server) {
    let user = server.user("lured").await;
    for origin in foreign_origins(server) {
        let upgrade = user.upgrade("").header("Origin", &origin);
        upgrade.refused().await.assert_error(403, "forbidden");
        let session = user.request("GET", "/session").header("Origin", &origin);
        session.send().await.assert_error(403, "forbidden");
    }
    let own = format!("http://{}", server.addr);
    let two = user.upgrade("").header("Origin", &own).header("Origin", "https://elsewhere.example");
    two.refused().await.assert_error(403, "forbidden");
}

async fn posting_follows_the_same_rule(server: &Server) {
    let user = server.user("poster").await;
    let _present = user.connect_to(&[&user.name]).await;
    let path = format!("/rooms/{}/messages", user.name);
    let post = || user.request("POST", &path).json(&json!({"body": "hello"}));
    for origin in foreign_origins(server) {
        post().header("Origin", &origin).send().await.assert_error(403, "forbidden");
    }
    let own = format!("http://{}", server.addr);
    post().header("Origin", &own).send().await.assert_json(201);
}

async fn only_the_named_origins_are_let_in(adapter: Adapter) {
    let named = "https://chat.example";
    let server = start(adapter, Origins::These(vec![named.to_owned()])).await;
    let user = server.user("guest").await;
    let _present = user.connect_to(&["hall"]).await;
    let post = || user.request("POST", "/rooms/hall/messages").json(&json!({"body": "hello"}));
    user.upgrade("").header("Origin", named).accepted().await;
    user.upgrade("").accepted().await;
    post().header("Origin", named).send().await.assert_json(201);
    post().send().await.assert_json(201);
    let own = format!("http://{}", server.addr);
    for origin in [
        &own,
        "https://chat.example:444",
        "http://chat.example",
        "https://chat.example.elsewhere.example",
        "https://elsewhere-chat.example",
        "null",
    ] {
        let upgrade = user.upgrade("").header("Origin", origin);
        upgrade.refused().await.assert_error(403, "forbidden");
        post().header("Origin", origin).send().await.assert_error(403, "forbidden");
    }
}

async fn any_origin_is_let_in(adapter: Adapter) {
    let server = start(adapter, Origins::Any).await;
    let user = server.user("guest").await;
    for origin in foreign_origins(&server) {
        user.upgrade("").header("Origin", &origin).accepted().await;
    }
}

async fn start(adapter: Adapter, origins: Origins) -> InProcess {
    let mut options = Options::default();
    options.origins = origins;
    InProcess::start_with(adapter, RoomRegistry::builder(), options).await
}

pub(crate) fn foreign_origins(server: &Server) -> Vec<String> {
    let (ip, port) = (server.addr.ip(), server.addr.port());
    vec![
        "null".to_owned(),
        "https://elsewhere.example".to_owned(),
        format!("http://{ip}"),
        format!("http://{ip}:{}", port ^ 1),
        format!("http://{ip}:{port}.elsewhere.example"),
        format!("http://{ip}:{port}@elsewhere.example"),
        format!("http://elsewhere.example:{port}"),
        format!("http://localhost:{port}"),
        format!("http://1{ip}:{port}"),
        "http://".to_owned(),
        "file://".to_owned(),
    ]
}
