//! `load`: it counts what reaches whom, and says so when something does not.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Output},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{
    Message, WebSocket, accept_hdr,
    handshake::server::{Request, Response},
    http::{HeaderValue, header},
};

use crate::kit::{Process, with_full_app};

const SHORT: [&str; 6] = ["--duration", "0.5", "--warm-up", "0.1", "--drain", "1"];

#[test]
fn what_bench_server_does_is_counted() {
    let mut command = Process::command("bench_server");
    command.args(["--addr", "127.0.0.1:0"]);
    let (_server, addr) = Process::start(command);
    let talk = ["--connections", "12", "--rooms", "3", "--senders", "2", "--churn", "2"];
    let report = clean(&load(addr, &talk));
    assert_eq!(report["connections"]["joined"], 12);
    assert!(report["visits"]["joined"].as_u64() > Some(0), "{report}");
    assert_counts(&report, 4);

    let report = clean(&load(addr, &["--connections", "5", "--rate", "40"]));
    assert_counts(&report, 5);
    let sent = report["messages"]["sent"].as_u64().unwrap_or_default();
    assert!((20..=26).contains(&sent), "40 a second for 0.6 s, not {sent}");
    let rate = report["messages"]["accepted_per_second"].as_f64().unwrap_or_default();
    assert!((30.0..=44.0).contains(&rate), "40 a second, whatever of that is warm-up, not {rate}");
    let latency = &report["latency_ms"]["message"];
    let bars = latency["histogram"].as_array().into_iter().flatten();
    let counted: u64 = bars.filter_map(|bar| bar["count"].as_u64()).sum();
    assert!(counted > 0 && latency["count"] == counted, "{latency}");

    let from = ["--from", "127.0.0.1", "--from", "127.0.0.1", "--connections", "3", "--rate", "20"];
    assert_counts(&clean(&load(addr, &from)), 3);

    let report = clean(&load(addr, &["--connections", "3", "--idle"]));
    assert_eq!(
        (&report["messages"]["sent"], &report["copies"]["expected"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn a_deployment_with_cookies_is_measured_with_one() {
    with_full_app(&[], async |app| {
        let (_, cookie) = app.host.admit(&app, "ada").await;
        let options = ["--cookie", &cookie, "--query", "", "--connections", "3", "--rate", "5"];
        let report = clean(&load(app.addr, &options));
        assert_eq!(report["connections"]["joined"], 3, "{report}");
        assert_counts(&report, 3);
    });
}

#[test]
fn each_has_the_cookie_of_their_own_line() {
    with_full_app(&[], async |app| {
        let (ada, bob) = (app.user("ada").await, app.user("bob").await);
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("cookies");
        let cookies = format!("{}\n{}\n", ada.credential.1, bob.credential.1);
        std::fs::write(&file, cookies).expect("a file");
        let file = file.display().to_string();
        let options = ["--cookies", &file, "--query", "", "--connections", "4", "--rate", "8"];
        let all = clean(&load(app.addr, &options));
        assert_eq!(all["connections"]["joined"], 4, "the third and the fourth begin again");
        bob.log_out().await;
        let output = load(app.addr, &options);
        assert_eq!(output.status.code(), Some(1), "no limit has kept him out");
        let report = report(&output);
        assert_eq!(report["connections"]["joined"], 2, "every second one is bob");
        assert_eq!(report["connections"]["not_let_in"], json!({"401": 2}));
        assert_eq!(report["faults"], json!(["connections not let in: 2"]));
    });
}

#[test]
fn what_a_faulty_server_does_is_reported() {
    for (fault, named) in
        [(Fault::Drops, "lost"), (Fault::Doubles, "duplicated"), (Fault::Swaps, "reordered")]
    {
        let output = load(faulty(fault), &["--connections", "1", "--window", "4"]);
        assert_eq!(output.status.code(), Some(1), "{named}");
        let copies = &report(&output)["copies"];
        for count in ["lost", "duplicated", "reordered"] {
            assert_eq!(copies[count], u64::from(count == named), "{named}: {copies}");
        }
    }
    clean(&load(faulty(Fault::None), &["--connections", "1", "--window", "4"]));
}

#[test]
fn what_a_limit_refuses_is_told_and_no_error() {
    with_full_app(&[], async |app| {
        let (_, cookie) = app.host.admit(&app, "ada").await;
        // A user has 64 sessions.
        let options = ["--cookie", &cookie, "--query", "", "--connections", "70", "--churn", "1"];
        let report = clean(&load(app.addr, &options));
        assert_eq!(report["connections"]["joined"], 64, "{report}");
        assert_eq!(report["connections"]["refused"], json!({"429": 6}));
        assert!(report["visits"]["refused"]["429"].as_u64() > Some(0), "{report}");
        assert_eq!(report["faults"], json!([]));

        let url = format!("ws://{}/chat/ws", app.addr);
        let output = run(&[&[url.as_str()], &SHORT[..], &options].concat());
        let table = String::from_utf8_lossy(&output.stdout);
        let last = table.lines().next_back().unwrap_or_default();
        assert!(last.starts_with("no error: connections refused by a limit: 6, visits"), "{table}");
    });
}

#[test]
fn a_visit_that_fails_otherwise_is_an_error() {
    let options = ["--connections", "1", "--churn", "1"];
    let output = load(faulty(Fault::KeepsVisitorsIn), &options);
    assert_eq!(output.status.code(), Some(1));
    let report = report(&output);
    let lost = "the connection was lost: Connection reset without closing handshake";
    let failed = report["visits"]["failed"][lost].as_u64().unwrap_or_default();
    assert!(failed > 0, "{report}");
    assert_eq!(report["faults"], json!([format!("visits failed: {failed}")]));
}

#[test]
fn of_somebody_who_was_to_stay_and_was_disconnected_counts_what_has_come() {
    let output = load(faulty(Fault::Goes), &["--connections", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let report = report(&output);
    let lost = "the connection was lost: Connection reset without closing handshake";
    assert_eq!(report["connections"]["disconnected"], json!({ lost: 1 }));
    assert_eq!(report["faults"], json!(["connections lost: 1"]));
    let copies = &report["copies"];
    assert_eq!((&copies["arrived"], &copies["expected"]), (&json!(9), &json!(9)), "{report}");
}

#[test]
fn a_message_without_an_answer_is_counted_as_such() {
    let report = clean(&load(faulty(Fault::Mute), &["--connections", "1"]));
    let messages = &report["messages"];
    assert_eq!((&messages["sent"], &messages["accepted"]), (&json!(10), &json!(9)), "{report}");
    assert_eq!(messages["unknown"], 1, "{report}");
}

#[test]
fn a_rate_that_cannot_be_kept_is_told() {
    let report = clean(&load(faulty(Fault::None), &["--connections", "1", "--rate", "1e7"]));
    let messages = &report["messages"];
    let [sent, overdue] = ["sent", "overdue"].map(|name| messages[name].as_u64().unwrap_or(0));
    // So many are due within 0.6 s; the run's end is noticed a little later.
    assert!(overdue > 0 && sent + overdue >= 5_900_000, "{report}");
    let report = clean(&load(faulty(Fault::None), &["--connections", "1", "--rate", "10"]));
    assert_eq!(report["messages"]["overdue"], 0, "{report}");
}

#[test]
fn where_nothing_was_accepted_nothing_was_measured() {
    let mut command = Process::command("bench_server");
    command.args(["--addr", "127.0.0.1:0"]);
    let (_server, addr) = Process::start(command);
    let output = load(addr, &["--payload", "5000"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("nothing was measured"), "{text}");
}

#[test]
fn the_help_names_what_is_put_in() {
    let help = run(&["--help"]).stdout;
    let help = String::from_utf8_lossy(&help);
    assert!(
        help.contains("{number} is a number") && help.contains("{user} and {number}"),
        "{help}"
    );
    assert!(help.contains("It ends with 1 if a copy was lost, doubled or reordered"), "{help}");
}

#[test]
fn what_a_user_can_get_wrong_is_one_clear_line() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let nobody = free.expect("a free port");
    let url = format!("ws://{nobody}/chat/ws");
    let full = faulty(Fault::LetsNobodyIn);
    for (output, named) in [
        (load(nobody, &[]), "nobody listens at 127.0.0.1"),
        (load(full, &[]), "room_full"),
        (load(faulty(Fault::IsForeign), &[]), "not a chatrooms server"),
        (load(nobody, &["--payload", "5"]), "--payload"),
        (load(nobody, &["--from", "192.0.2.1"]), "Cannot assign requested address"),
        (load(nobody, &["--from", "::1"]), "no address that can be reached from ::1"),
        (load(nobody, &["--cookies", "/nowhere"]), "--cookies /nowhere"),
        // All before anybody is asked.
        (run(&[&url, "--json", "/nowhere/result.json"]), "--json /nowhere/result.json"),
        (run(&[&url, "--connections", "0"]), "a number from 1"),
        (run(&[&url, "--senders", "0"]), "say --idle"),
        (run(&[&url, "--connections", "5", "--senders", "6"]), "there are 5 in a room"),
        (run(&[&url, "--connections", "5", "--rooms", "6"]), "--rooms 6"),
        (run(&[&url, "--rate", "9", "--window", "2"]), "cannot be used with"),
        (run(&[&url, "--duration", "0"]), "a number over 0"),
        (run(&["wss://127.0.0.1/chat/ws"]), "no TLS"),
        (run(&["127.0.0.1:5000"]), "ws://HOST:PORT"),
    ] {
        assert_eq!(output.status.code(), Some(2), "{named}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(named) && !text.contains("panicked"), "{named}: {text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn too_few_open_files_are_said_before_anything_is_begun() {
    let program = Process::command("load");
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"ulimit -n 64; exec "$0" "$@""#]).arg(program.get_program());
    let output = limited.args(["ws://127.0.0.1:1/ws", "--connections", "100"]).output();
    let text = output.expect("sh runs").stderr;
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("ulimit -n 132") && text.contains("64 are allowed"), "{text}");
}

fn load(addr: SocketAddr, options: &[&str]) -> Output {
    let url = format!("ws://{addr}/chat/ws");
    run(&[&[url.as_str(), "--json", "-"], &SHORT[..], options].concat())
}

fn run(arguments: &[&str]) -> Output {
    Process::command("load").args(arguments).output().expect("it runs")
}

fn report(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}

/// The report of a run in which nothing went wrong.
fn clean(output: &Output) -> Value {
    let report = report(output);
    assert!(output.status.success(), "{report}");
    assert_eq!(report["copies"]["expected"], report["copies"]["arrived"], "{report}");
    report
}

/// Each message that was accepted makes a copy for each of so many.
fn assert_counts(report: &Value, listeners: u64) {
    let accepted = report["messages"]["accepted"].as_u64().unwrap_or_default();
    assert!(accepted > 0, "{report}");
    assert_eq!(report["messages"]["sent"], accepted, "{report}");
    assert_eq!(report["copies"]["arrived"], accepted * listeners, "{report}");
    let measured = report["latency_ms"]["message"]["count"].as_u64();
    assert!(measured > Some(0) && measured <= Some(accepted * listeners), "{report}");
}

/// What a server does wrong, with the tenth message if with any.
#[derive(Clone, Copy)]
enum Fault {
    None,
    Drops,
    Doubles,
    Swaps,
    Goes,
    /// It answers that one never.
    Mute,
    /// It answers no leave, and goes.
    KeepsVisitorsIn,
    LetsNobodyIn,
    IsForeign,
}

/// A server of one session after the other, which hears nobody but themselves.
fn faulty(fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || serve(connection, fault));
        }
    });
    addr
}

#[allow(clippy::result_large_err, reason = "the handshake's callback is as tungstenite wants it")]
fn serve(connection: TcpStream, fault: Fault) -> Option<()> {
    let protocol = HeaderValue::from_static("chatrooms.v1.json");
    let answer = |_: &Request, mut response: Response| {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        Ok(response)
    };
    let mut socket = accept_hdr(connection, answer).ok()?;
    match fault {
        Fault::IsForeign => return say(&mut socket, &json!({"type": "welcome"})),
        Fault::LetsNobodyIn => {
            say(&mut socket, &json!({"type": "hello"}))?;
            let error = json!({"type": "error", "code": "room_full", "message": "full"});
            return say(&mut socket, &error);
        }
        _ => say(&mut socket, &json!({"type": "hello"}))?,
    }
    say(&mut socket, &json!({"type": "joined", "room": "load-0", "seq": 0}))?;
    let mut held = None;
    for count in 1_u64.. {
        let Message::Text(text) = socket.read().ok()? else { return None };
        let sent: Value = serde_json::from_str(&text).ok()?;
        match fault {
            Fault::KeepsVisitorsIn if sent["type"] == "leave" => return None,
            Fault::Mute if count == 10 => continue,
            _ => {}
        }
        say(&mut socket, &json!({"type": "sent", "id": sent["id"], "seq": count}))?;
        let message = json!({"type": "message", "seq": count, "body": sent["body"]});
        match fault {
            Fault::Drops if count == 10 => {}
            Fault::Goes if count == 10 => return None,
            Fault::Swaps if count == 10 => held = Some(message),
            Fault::Doubles if count == 10 => {
                say(&mut socket, &message)?;
                say(&mut socket, &message)?;
            }
            _ => {
                say(&mut socket, &message)?;
                if let Some(held) = held.take() {
                    say(&mut socket, &held)?;
                }
            }
        }
    }
    None
}

fn say(socket: &mut WebSocket<TcpStream>, frame: &Value) -> Option<()> {
    socket.send(Message::text(frame.to_string())).ok()
}
