//! What is never in a log, however much is logged.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::kit::{Client, FullApp, Request, eventually, with_shared_full_app};

#[test]
fn neither_what_is_said_nor_a_cookie_is_logged() {
    let folder = TempDir::new().expect("a temporary folder");
    let (mut app, addr) = start(&folder);
    // For its runtime and its limit of time.
    with_shared_full_app(async |_| {
        let form = [("username", "ada"), ("room", "hall")];
        let entered = Request::new(addr, "POST", "/rooms").form(&form).send().await;
        let cookie = entered.header("Set-Cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.expect("a cookie");
        let upgrade = Request::new(addr, "GET", "/chat/ws?room=hall")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Cookie", cookie);
        let mut client = Client::open(upgrade).await.expect("a socket");
        client.expect_in("joined", "hall").await;
        let words = json!({"room": "hall", "body": "for-your-eyes-only", "data": ["classified"]});
        client.say_with(words).await;
        client.close().await;
        let out = Request::new(addr, "POST", "/logout").header("Cookie", cookie).send().await;
        assert_eq!(out.status, 303, "{out:?}");
        let log = || fs::read_to_string(folder.path().join("log")).expect("the log");
        eventually("something is logged", async || !log().is_empty()).await;
        app.kill().expect("it can be killed");
        app.wait().expect("it has ended");

        let log = log();
        let (_, signed) = cookie.split_once('=').expect("a cookie");
        for secret in ["for-your-eyes-only", "classified", signed, &signed[..40], &signed[46..80]] {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        }
    });
}

fn start(folder: &TempDir) -> (Child, std::net::SocketAddr) {
    let log = File::create(folder.path().join("log")).expect("a log");
    let store = format!("sqlite:{}", folder.path().join("chat.db").display());
    let mut app = FullApp::command()
        .args(["--addr", "127.0.0.1:0", "--store", &store])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("full_app starts");
    let mut line = String::new();
    let stdout = app.stdout.take().expect("its stdout");
    BufReader::new(stdout).read_line(&mut line).expect("its address");
    let addr = line.trim().trim_start_matches("listening on http://").parse().expect("its address");
    (app, addr)
}
