//! The end of the process while all sorts of connections are open.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use crate::kit::{FullApp, Server, eventually, in_time, with_full_app, with_shared_full_app};

#[test]
fn idle_connections_do_not_hold_it_up() {
    with_full_app(&[], async |app| {
        let silent = connect(&app, b"").await;
        let half = connect(&app, b"GET / HTTP/1.1\r\nHost:").await;
        let mut idle = connect(&app, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut answer = [0; 12];
        in_time("an answer", idle.read_exact(&mut answer)).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
        let started = Instant::now();
        app.terminate();
        assert_eq!(app.exited().await.code(), Some(0));
        let took = started.elapsed();
        assert!(took.as_secs() < 5, "{took:?}");
        drop((silent, half, idle));
    });
}

#[test]
fn while_it_ends_newcomers_are_sent_away() {
    with_full_app(&[], async |app| {
        let user = app.user("guest").await;
        // It never answers the goodbye, which holds the end up.
        let deaf = user.connect_raw("?room=hall").await;
        app.terminate();
        eventually("it says that it is ending", async || {
            app.request_outside("GET", "/healthz").send().await.status == 503
        })
        .await;
        let refused = user.upgrade("").refused().await;
        refused.assert_error(503, "shutting_down");
        assert!(refused.header("Retry-After").is_some(), "{refused:?}");
        assert_eq!(app.exited().await.code(), Some(0));
        drop(deaf);
    });
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_an_end_too() {
    let mut app = FullApp::command()
        .args(["--addr", "127.0.0.1:0", "--store", "memory"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("full_app starts");
    let mut line = String::new();
    let stdout = app.stdout.take().expect("its stdout");
    BufReader::new(stdout).read_line(&mut line).expect("its address");
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    let sent = Command::new("kill").args(["-INT", &app.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    assert_eq!(app.wait().expect("it ends").code(), Some(0));
}

#[test]
fn who_never_finishes_a_head_is_let_go() {
    with_shared_full_app(async |app| {
        for begun in [&b""[..], b"GET /chat/ws HTTP/1.1\r\nHost:"] {
            let mut slow = connect(app, begun).await;
            let mut rest = Vec::new();
            in_time("the server to give up", slow.read_to_end(&mut rest)).await.expect("the end");
            assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{rest:?}");
        }
    });
}

#[test]
fn what_is_too_large_is_refused() {
    with_shared_full_app(async |app| {
        let large = "x".repeat(17 * 1024);
        let form = [("username", "guest"), ("room", large.as_str())];
        assert_eq!(app.request_outside("POST", "/rooms").form(&form).send().await.status, 413);
        let head = app.request_outside("GET", "/").header("X-Large", &"x".repeat(40 * 1024));
        assert_eq!(head.send().await.status, 431);
    });
}

async fn connect(app: &Server, begun: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(app.addr).await.expect("it listens");
    stream.write_all(begun).await.expect("it takes bytes");
    stream
}
