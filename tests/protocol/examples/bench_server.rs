//! `bench_server`: it says what keeps it from running, and ends when it is told to.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
};

use crate::kit::{HANG, Process, eventually};

#[test]
fn what_keeps_it_from_running_is_one_line_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("its address").to_string();
    for (options, named) in [
        (["--addr", &taken], "port 0 a free one"),
        (["--addr", "nowhere"], "--addr HOST:PORT"),
        (["--store", "stone"], "memory, sqlite::memory: or sqlite:PATH"),
        (["--store", "sqlite:"], "sqlite: has no path"),
        (["--store", "sqlite:/nowhere/at/all.db"], "/nowhere/at/all.db cannot be opened: No such"),
    ] {
        let output = Process::command("bench_server").args(options).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error: ") && text.contains(named), "{named}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[tokio::test]
async fn a_service_manager_ends_it_gracefully() {
    let mut command = Process::command("bench_server");
    command.args(["--addr", "127.0.0.1:0"]);
    let (server, _) = Process::start(command);
    server.shut_down().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_outlasts_more_connections_than_it_may_have() {
    let program = Process::command("bench_server");
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"ulimit -n 32; exec "$0" "$@""#]).arg(program.get_program());
    limited.args(["--addr", "127.0.0.1:0"]);
    let (server, addr) = Process::start(limited);
    let crowd: Vec<_> = (0..40).filter_map(|_| TcpStream::connect(addr).ok()).collect();
    eventually("it says what is too small", async || server.log().contains("ulimit -n")).await;
    drop(crowd);
    let mut asks = TcpStream::connect(addr).expect("the backlog has space");
    asks.set_read_timeout(Some(HANG)).expect("a time");
    asks.write_all(b"GET /nowhere HTTP/1.1\r\nhost: here\r\n\r\n").expect("it is connected");
    let mut answer = [0; 12];
    asks.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 404");
    server.shut_down().await;
}
