//! The SQLite file: private, one process' own, and refused in one clear line where it cannot be used.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::kit::{FullApp, eventually, with_full_app, with_shared_full_app};

use super::file::File;

#[cfg(unix)]
#[test]
fn it_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt as _;

    for was_there_and_open in [false, true] {
        let file = File::new();
        if was_there_and_open {
            fs::write(file.path(), "").expect("an empty file is a database");
            fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).expect("chmod");
        }
        with_full_app(&["--store", &file.store()], async |app| {
            app.user("guest").await.connect_to(&["hall"]).await.say("hall", "hello").await;
            let folder = file.path().parent().expect("its folder").to_owned();
            let found: Vec<_> = fs::read_dir(folder).expect("its files").flatten().collect();
            assert!(found.len() >= 2, "{found:?}");
            for entry in found {
                let mode = entry.metadata().expect("its mode").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
            }
        });
    }
}

#[test]
fn what_was_said_is_gone_from_it_when_the_room_has_ended() {
    const CANARY: &str = "canary-4f7d";
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let user = app.user("singer").await;
        let mut stays = app.user("witness").await.connect_to(&["other"]).await;
        let mut singer = user.connect_to(&["hall"]).await;
        for _ in 0..20 {
            let data = json!({"sung": CANARY});
            singer.say_with(json!({"room": "hall", "body": CANARY.repeat(50), "data": data})).await;
        }
        assert!(file.contains(CANARY), "this test can see it");
        singer.leave("hall").await;
        let ended = Instant::now();
        eventually("it is gone", async || !file.contains(CANARY)).await;
        assert!(ended.elapsed() < Duration::from_secs(5), "{:?}", ended.elapsed());
        stays.catch_up("other").await;

        singer.join("hall").await;
        singer.say("hall", CANARY).await;
        app.terminate();
        assert!(app.exited().await.success());
        assert!(!file.contains(CANARY), "nor is it there after the end of the process");
    });
}

#[test]
fn a_file_that_cannot_be_used_is_one_line_and_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = folder.path().join("notes.txt");
    let notes =
        "these are notes, and long enough to be looked at as the head of a database".repeat(20);
    fs::write(&text, &notes).expect("a text file");
    let missing = folder.path().join("missing").join("chat.db");
    for path in [folder.path(), &text, &missing] {
        assert_refused(&format!("sqlite:{}", path.display()), &path.display().to_string());
    }
    assert_eq!(fs::read_to_string(&text).expect("it is still there"), notes);
    assert!(!missing.exists());
}

#[test]
fn a_damaged_file_is_one_line_and_left_as_it_is() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let mut client = app.user("guest").await.connect_to(&["hall"]).await;
        client.say("hall", "hello").await;
        app.terminate();
        assert!(app.exited().await.success());
    });
    let whole = fs::read(file.path()).expect("the database");
    let mut damaged = whole.clone();
    damaged[4096..].fill(0xff);
    fs::write(file.path(), &damaged).expect("a failing disk");
    assert_refused(&file.store(), "is damaged");
    assert_eq!(fs::read(file.path()).expect("it is there"), damaged, "nobody mends it unasked");
    fs::write(file.path(), whole).expect("it is restored");
    with_full_app(&["--store", &file.store()], async |app| {
        assert_eq!(app.user("guest").await.connect().await.join("hall").await["seq"], 0);
    });
}

#[test]
fn a_file_that_is_deleted_under_it_is_gone_on_with_and_not_made_again() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let mut early = app.user("early").await.connect_to(&["hall"]).await;
        early.say("hall", "before").await;
        let folder = file.path().parent().expect("its folder").to_owned();
        for entry in fs::read_dir(&folder).expect("its files").flatten() {
            fs::remove_file(entry.path()).expect("it can be deleted");
        }
        let mut late = app.user("late").await.connect().await;
        assert_eq!(late.join("hall").await["messages"][0]["body"], "before");
        assert_eq!(late.say("hall", "after").await, 2);
        early.catch_up("hall").await;
        app.terminate();
        assert!(app.exited().await.success());
        assert_eq!(fs::read_dir(folder).expect("its folder").count(), 0, "no second file");
    });
}

/// The test is the other process.
#[test]
fn another_process_that_writes_to_it_for_long_has_messages_refused_and_nothing_else() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let mut client = app.user("guest").await.connect_to(&["hall"]).await;
        let late = app.user("late").await;
        assert_eq!(client.say("hall", "before").await, 1);
        let holder = file.hold().await;
        let since = Instant::now();
        let refused = client.ask(json!({"type": "send", "room": "hall", "body": "during"})).await;
        let mut late = late.connect_to(&["hall"]).await;
        late.granted("pong", json!({"type": "ping"})).await;
        assert!(since.elapsed() < Duration::from_secs(3), "to come in needs no lock");
        let refusal = client.answer(refused).await;
        assert_eq!(refusal["code"], "store_unavailable", "{refusal}");
        let waited = since.elapsed();
        assert!((4..10).contains(&waited.as_secs()), "the busy time-out is 5 s: {waited:?}");
        File::let_go(holder).await;
        assert_eq!(client.say("hall", "after").await, 2);
        late.catch_up("hall").await;
    });
}

#[test]
fn a_second_process_is_kept_away() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        assert_refused(&file.store(), "in use");
        app.user("guest").await.connect_to(&["hall"]).await.say("hall", "unharmed").await;
        app.kill().await;
        // A process that was killed keeps nobody away.
        FullApp::start(&["--store", &file.store()]).user("next").await;
    });
}

#[test]
fn the_default_is_a_file_in_the_working_directory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    with_shared_full_app(async |_| {
        let mut app = FullApp::command()
            .args(["--addr", "127.0.0.1:0"])
            .current_dir(folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("full_app starts");
        eventually("the file is there", async || folder.path().join("chatrooms.db").exists()).await;
        app.kill().expect("it can be killed");
        app.wait().expect("it has ended");
    });
}

fn assert_refused(store: &str, named: &str) {
    let output = FullApp::command()
        .args(["--addr", "127.0.0.1:0", "--store", store])
        .output()
        .expect("full_app runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{store}: {said}");
    assert_eq!(said.lines().count(), 1, "{store}: {said}");
    assert!(said.starts_with("error: ") && said.contains(named), "{store}: {said}");
    assert!(output.stdout.is_empty(), "{store}");
}
