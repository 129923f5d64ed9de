//! The options, and mistakes in them: one clear line, exit 1.

use std::process::Output;

use crate::kit::{FullApp, with_full_app, with_shared_full_app};

#[test]
fn help_names_every_option() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    for option in ["--addr", "--public-url", "--store", "--linger", "--metrics", "--secret"] {
        assert!(text.contains(option), "{option} in {text}");
    }
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    with_shared_full_app(async |app| {
        let output = run(&["--addr", &app.addr.to_string(), "--store", "memory"]);
        assert_fails_clearly(&output, &app.addr.port().to_string());
    });
}

#[test]
fn a_store_nobody_knows_is_one_clear_line() {
    assert_fails_clearly(&run(&["--addr", "127.0.0.1:0", "--store", "stone"]), "stone");
}

#[test]
fn a_bad_option_is_one_clear_line() {
    for (options, named) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["--linger", "soon"], "--linger"),
        (&["--linger", "-1"], "-1"),
        (&["--linger", "99999999999999999999"], "--linger"),
        (&["--addr", "nowhere"], "nowhere"),
        (&["--addr", "127.0.0.1:0", "--metrics", "nowhere"], "nowhere"),
        (&["--public-url", "chat.example.org"], "write the scheme, too, such as https://"),
        (&["--public-url", "ftp://chat.example.org"], "the scheme has to be https or http"),
        (&["--public-url", "https://chat.example.org/chat"], "leave out the path"),
        (&["--public-url", "https://ada:pw@chat.example.org"], "leave out user and password"),
        (&["--public-url", "https://chat.example.org?room=x"], "leave out what begins with ?"),
        (&["--addr"], "--addr"),
        (&["lobby"], "lobby"),
        (&["--store", "sqlite:"], "--store"),
        (&["two\nlines"], "two"),
    ] {
        assert_fails_clearly(&run(options), named);
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    for url in ["https://ada:hunter2@chat.example.org", "https:ada:hunter2@chat.example.org"] {
        let output = run(&["--public-url", url]);
        assert_fails_clearly(&output, "--public-url");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("ada") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_one_clear_line() {
    let store = "sqlite:/dev/null/chat.db";
    assert_fails_clearly(&run(&["--addr", "127.0.0.1:0", "--store", store]), "/dev/null");
}

#[test]
fn a_file_in_use_is_one_clear_line() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let store = format!("sqlite:{}", folder.path().join("chat.db").display());
    with_full_app(&["--store", &store], async |_owner| {
        assert_fails_clearly(&run(&["--addr", "127.0.0.1:0", "--store", &store]), "chat.db");
    });
}

fn run(options: &[&str]) -> Output {
    FullApp::command().args(options).output().expect("full_app runs")
}

fn assert_fails_clearly(output: &Output, named: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(named), "it names {named}: {text}");
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{text}");
    assert_eq!(text.lines().count(), 1, "one clear line: {text}");
}
