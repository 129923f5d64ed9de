//! What is never in a log, however much is logged.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use serde_json::json;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use crate::kit::{Client, FullApp, Request, encoded, eventually, with_shared_full_app};

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

/// What would be a line of its own, in red, where somebody's words came into the log as they are.
const FORGED: &str = "x\r\n\u{1b}[31mFORGED\u{85}FORGED\u{9b}31m";

#[test]
fn nobody_forges_a_line_of_the_log() {
    let folder = TempDir::new().expect("a temporary folder");
    let (mut app, addr) = start(&folder);
    with_shared_full_app(async |_| {
        // A good name, and a line's worth of fields for whoever forgets its quotes.
        let name = "eve\" room=\"hall\\";
        for (username, room) in [(FORGED, "hall"), ("eve", FORGED)] {
            let form = [("username", username), ("room", room)];
            Request::new(addr, "POST", "/rooms").form(&form).send().await;
        }
        let form = [("username", name), ("room", "hall")];
        let entered = Request::new(addr, "POST", "/rooms").form(&form).send().await;
        let cookie = entered.header("Set-Cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.expect("a cookie");
        let forged = encoded(FORGED);
        for path in [
            format!("/rooms/{forged}"),
            format!("/{forged}"),
            format!("/static/{forged}"),
            format!("/chat/{forged}"),
            format!("/chat/rooms?after={forged}&limit={forged}"),
            format!("/chat/rooms/{forged}"),
            format!("/chat/rooms/{forged}/messages?before={forged}"),
        ] {
            let request = Request::new(addr, "GET", &path).header("Cookie", cookie);
            let request =
                request.header("User-Agent", "x\u{85}FORGED").header("Origin", FORGED_ORIGIN);
            let answer = request.send().await;
            assert!((300..500).contains(&answer.status), "{path}: {answer:?}");
        }
        let address = format!("/chat/ws?room=hall&room={forged}&{forged}={forged}");
        let upgrade = || Request::upgrade(addr, &address).header("Cookie", cookie);
        upgrade().header("Origin", FORGED_ORIGIN).refused().await.assert_error(403, "forbidden");
        upgrade()
            .header("Sec-WebSocket-Protocol", FORGED_ORIGIN)
            .refused()
            .await
            .assert_refused(400);
        let mut client = Client::open(upgrade()).await.expect("a socket");
        client.expect_in("joined", "hall").await;
        assert_eq!(client.user, name);
        for frame in [
            json!({"type": "join", "room": FORGED}),
            json!({"type": FORGED, "room": FORGED}),
            json!({"type": "send", "room": "hall", "body": FORGED, "data": FORGED, "nonce": FORGED}),
            json!({"type": "signal", "room": "hall", "name": FORGED, "data": FORGED}),
            json!({"type": "join", "room": "other", "meta": {FORGED: FORGED}}),
            json!({"type": "join", "room": "third", "resume": {"epoch": FORGED, "seq": 1}}),
            json!({"type": "members", "room": "hall", "after": FORGED}),
        ] {
            client.request(frame).await;
        }
        for text in [FORGED.to_owned(), format!("{{\"type\":\"{FORGED}\"}}")] {
            client.send_text(&text).await;
            client.expect("error").await;
        }
        let reason = CloseFrame { code: 3000.into(), reason: FORGED.into() };
        client.send_message(Message::Close(Some(reason))).await;
        client.closed().await;

        let log = || fs::read_to_string(folder.path().join("log")).expect("a log of UTF-8");
        // Escaped as the text of a field is.
        let named = format!("user={name:?}");
        eventually("the name is logged", async || log().contains(&named)).await;
        app.kill().expect("it can be killed");
        app.wait().expect("it has ended");
        let log = log();
        let plain = |character: char| character == '\n' || !character.is_control();
        let odd = log.lines().find(|line| !line.chars().all(plain));
        assert_eq!(odd, None, "a control character is in the log");
        assert!(!log.lines().any(|line| line.contains("FORGED") && !is_dated(line)), "{log}");
        assert!(!log.contains(name), "{name} is in the log as it is");
    });
}

/// As far as a header can hold it.
const FORGED_ORIGIN: &str = "http://x\u{85}FORGED\u{9b}31m";

/// Whether it begins as every line of the log does.
fn is_dated(line: &str) -> bool {
    let date = line.get(..10).unwrap_or_default();
    date.chars().all(|character| character.is_ascii_digit() || character == '-')
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
