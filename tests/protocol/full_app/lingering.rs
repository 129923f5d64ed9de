//! `--linger`: a room waits for lost sockets, but not for those who leave.

use serde_json::json;

use crate::kit::{FullApp, eventually, unique, with_full_app};

const LINGER: &[&str] = &["--linger", "60"];

#[test]
fn a_lost_socket_may_resume_within_the_linger() {
    with_full_app(LINGER, async |app| {
        let (user, room) = (app.user("unlucky").await, unique("hall"));
        let mut client = user.connect().await;
        let epoch = client.join(&room).await["epoch"].clone();
        client.say(&room, "kept for a while").await;
        client.reset();
        nobody_in(&app, &room).await;
        let joined = user.connect().await.resume(&room, &epoch, 0).await;
        assert_eq!((&joined["epoch"], &joined["resumed"]), (&epoch, &json!(true)));
        assert_eq!(joined["messages"][0]["body"], "kept for a while");
    });
}

#[test]
fn a_lingering_room_is_neither_listed_nor_found() {
    with_full_app(LINGER, async |app| {
        let (user, room) = (app.user("unlucky").await, unique("hall"));
        user.connect_to(&[&room]).await.close().await;
        nobody_in(&app, &room).await;
        let reader = app.user("reader").await;
        let listed = reader.get("/rooms").await.assert_json(200);
        assert_eq!(listed["rooms"], json!([]));
        reader.get(&format!("/rooms/{room}/messages")).await.assert_error(404, "not_found");
        reader.post(&room, &json!({"body": "?"})).await.assert_error(404, "not_found");
    });
}

#[test]
fn the_last_one_leaving_ends_the_room_at_once() {
    with_full_app(LINGER, async |app| {
        let (mut client, room) = (app.user("leaver").await.connect().await, unique("hall"));
        let epoch = client.join(&room).await["epoch"].clone();
        client.say(&room, "soon gone").await;
        client.leave(&room).await;
        let joined = client.resume(&room, &epoch, 0).await;
        assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(0)));
        assert_ne!(joined["epoch"], epoch);
    });
}

#[test]
fn a_logout_ends_the_room_at_once() {
    with_full_app(LINGER, async |app| {
        let (user, room) = (app.user("leaver").await, unique("hall"));
        let mut client = user.connect().await;
        let epoch = client.join(&room).await["epoch"].clone();
        client.say(&room, "soon gone").await;
        user.log_out().await;
        let joined = app.user("next").await.connect().await.join(&room).await;
        assert_ne!(joined["epoch"], epoch);
        assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    });
}

#[test]
fn a_linger_that_is_over_ends_the_room() {
    with_full_app(&["--linger", "1"], async |app| {
        let (user, room) = (app.user("late").await, unique("hall"));
        let mut client = user.connect().await;
        let epoch = client.join(&room).await["epoch"].clone();
        client.say(&room, "soon gone").await;
        client.close().await;
        eventually("the room is purged", async || {
            // Looking by joining cancels the linger, so each look waits as long as it takes.
            tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
            user.connect().await.join(&room).await["epoch"] != epoch
        })
        .await;
    });
}

async fn nobody_in(app: &FullApp, room: &str) {
    let reader = app.user("watcher").await;
    eventually("the socket's end is noticed", async || {
        reader.get(&format!("/rooms/{room}")).await.status == 404
    })
    .await;
}
