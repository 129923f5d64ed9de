//! A SQLite file outlives its process; what was said in it does so only when it was meant to.

use serde_json::json;

use crate::kit::{Client, FullApp, eventually, unique, with_full_app};

use super::file::File;

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
        assert_eq!(file.rows().await, (0, 0), "purged before the end");
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
fn where_nobody_returns_within_the_linger_nothing_is_left() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str(), "--linger", "1"];
    with_full_app(&options, async |app| {
        let room = unique("hall");
        let (epoch, _client) = said_in(&app, &room).await;
        app.terminate();
        assert!(app.exited().await.success());
        assert_eq!(file.rows().await, (1, 2), "kept for those who return");
        let next = FullApp::start(&options);
        eventually("the linger is over", async || file.rows().await == (0, 0)).await;
        let late = next.user("late").await;
        assert_eq!(late.get("/rooms").await.assert_json(200)["rooms"], json!([]));
        let joined = late.connect().await.resume(&room, &epoch, 1).await;
        assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(0)));
        assert_ne!(joined["epoch"], epoch);
    });
}

/// Another program holds the file while the process ends, so that nothing can be written.
#[test]
fn what_could_not_be_purged_is_purged_by_the_next_start() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str()];
    with_full_app(&options, async |app| {
        let room = unique("hall");
        let (epoch, _client) = said_in(&app, &room).await;
        let other = file.hold().await;
        app.terminate();
        assert!(app.exited().await.success());
        assert_eq!(file.rows().await, (1, 2), "there was no way to remove it");
        File::let_go(other).await;
        let next = FullApp::start(&options);
        let joined = next.user("back").await.connect().await.resume(&room, &epoch, 0).await;
        assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(0)));
        assert_ne!(joined["epoch"], epoch);
        eventually("it is purged", async || file.rows().await == (0, 0)).await;
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
