//! `bench_server`: it says what keeps it from running, and ends when it is told to.

use std::net::TcpListener;

use crate::kit::Process;

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
