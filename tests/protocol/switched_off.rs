//! Routes that the host has switched off are not there; the socket always is.

use chatrooms::RoomRegistry;
use chatrooms::ws::Options;
use serde_json::json;

use crate::kit::{Adapter, InProcess, on_each_adapter, unique};

on_each_adapter!(routes_that_are_switched_off_are_not_found, reading_without_posting);

async fn routes_that_are_switched_off_are_not_found(adapter: Adapter) {
    let mut options = Options::default();
    options.serve_session = false;
    options.serve_rooms = false;
    options.serve_room = false;
    options.serve_post = false;
    options.serve_client = false;
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let (user, room) = (server.user("guest").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    let in_room = format!("/rooms/{room}");
    for path in [
        "/session",
        "/rooms",
        &in_room,
        &format!("{in_room}/messages"),
        "/chatrooms.js",
        "/nothing",
    ] {
        user.get(path).await.assert_error(404, "not_found");
    }
    client.catch_up(&room).await;
}

async fn reading_without_posting(adapter: Adapter) {
    let mut options = Options::default();
    options.serve_post = false;
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let (user, room) = (server.user("guest").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    user.post(&room, &json!({"body": "hello"})).await.assert_refused(405);
    user.get(&format!("/rooms/{room}/messages")).await.assert_json(200);
    assert_eq!(client.say(&room, "by socket").await, 1);
}
