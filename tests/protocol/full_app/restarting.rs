//! A SQLite file outlives its process; what was said in it does so only when it was meant to.

use serde_json::json;
use tempfile::TempDir;

use crate::kit::{Client, FullApp, unique, with_full_app};

#[test]
fn after_a_crash_there_is_no_ghost_and_no_old_message() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let room = unique("hall");
        let mut talkers = Vec::new();
        for _ in 0..4 {
            talkers.push(app.user("talker").await.connect_to(&[&room]).await);
        }
        let epoch =
            Client::join(&mut app.user("late").await.connect().await, &room).await["epoch"].clone();
        for talker in &mut talkers {
            talker.ask(json!({"type": "send", "room": room, "body": "in the middle"})).await;
        }
        talkers[0].expect("sent").await;
        app.kill().await;

        let next = FullApp::start(&["--store", &file.store()]);
        let reader = next.user("reader").await;
        assert_eq!(reader.get("/rooms").await.assert_json(200)["rooms"], json!([]));
        let mut client = reader.connect().await;
        let joined = client.resume(&room, &epoch, 0).await;
        assert_ne!(joined["epoch"], epoch);
        assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(0)));
        assert_eq!(
            (&joined["messages"], joined["members"].as_array().map(Vec::len)),
            (&json!([]), Some(1))
        );
        assert_eq!(client.say(&room, "first of a new life").await, 1);
    });
}

#[test]
fn a_shutdown_without_linger_forgets() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let room = unique("hall");
        let (epoch, _client) = said_in(&app, &room).await;
        app.terminate();
        assert!(app.exited().await.success());
        let next = FullApp::start(&["--store", &file.store()]);
        let joined = next.user("back").await.connect().await.resume(&room, &epoch, 0).await;
        assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(0)));
    });
}

#[test]
fn with_a_linger_a_restart_is_resumed() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str(), "--linger", "60"];
    with_full_app(&options, async |app| {
        let room = unique("hall");
        let (epoch, _client) = said_in(&app, &room).await;
        app.terminate();
        assert!(app.exited().await.success());
        let next = FullApp::start(&options);
        let mut back = next.user("back").await.connect().await;
        let joined = back.resume(&room, &epoch, 1).await;
        assert_eq!((&joined["epoch"], &joined["resumed"]), (&epoch, &json!(true)));
        assert_eq!(joined["messages"][0]["body"], "two");
        assert_eq!(back.say(&room, "three").await, 3);
    });
}

#[test]
fn a_cookie_outlives_a_restart_on_the_same_file() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let user = app.user("faithful").await;
        app.terminate();
        assert!(app.exited().await.success());
        let next = FullApp::start(&["--store", &file.store()]);
        let (name, value) = &user.credential;
        let session = next.request("GET", "/session").header(name, value).send().await;
        assert_eq!(session.assert_json(200)["user"], user.name);
    });
}

async fn said_in(app: &FullApp, room: &str) -> (serde_json::Value, Client) {
    let mut client = app.user("teller").await.connect().await;
    let epoch = client.join(room).await["epoch"].clone();
    client.say(room, "one").await;
    client.say(room, "two").await;
    (epoch, client)
}

/// A database file in a folder of its own.
struct File(TempDir);

impl File {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.0.path().join("chat.db").display())
    }
}
