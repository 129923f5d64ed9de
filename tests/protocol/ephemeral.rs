//! Rooms are ephemeral: when the last connection goes, the messages are gone.

use serde_json::json;

use crate::kit::{Client, Server, encoded, eventually, on_every_store, unique};

on_every_store!(
    after_the_last_leave_the_room_starts_anew,
    after_the_last_socket_is_closed_the_room_starts_anew,
    while_anybody_is_left_the_messages_stay,
    rooms_end_independently,
    an_empty_room_is_not_found,
    a_room_that_ends_and_begins_at_once_never_mixes_its_lives,
    every_life_has_an_epoch_of_its_own,
);

async fn after_the_last_leave_the_room_starts_anew(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("last").await.connect().await;
    let epoch = client.join(&room).await["epoch"].clone();
    client.say(&room, "soon gone").await;
    client.leave(&room).await;
    let joined = client.join(&room).await;
    assert_ne!(joined["epoch"], epoch);
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    assert_eq!(joined["more"], false);
    assert_eq!(client.history(&room, json!({})).await["messages"], json!([]));
    assert_eq!(client.say(&room, "first again").await, 1);
}

async fn after_the_last_socket_is_closed_the_room_starts_anew(server: &Server) {
    let user = server.user("last").await;
    for reset in [false, true] {
        let room = unique("hall");
        let mut client = user.connect().await;
        let epoch = client.join(&room).await["epoch"].clone();
        client.say(&room, "soon gone").await;
        if reset {
            client.reset();
        } else {
            client.close().await;
        }
        eventually("the room ends", async || {
            user.get(&format!("/rooms/{room}")).await.status == 404
        })
        .await;
        let joined = user.connect().await.join(&room).await;
        assert_ne!(joined["epoch"], epoch);
        assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    }
}

async fn while_anybody_is_left_the_messages_stay(server: &Server) {
    let (user, room) = (server.user("author").await, unique("hall"));
    let mut author = user.connect().await;
    let epoch = author.join(&room).await["epoch"].clone();
    author.say(&room, "kept").await;
    let mut other_tab = user.connect_to(&[&room]).await;
    author.leave(&room).await;
    let mut other = server.user("other").await.connect_to(&[&room]).await;
    other_tab.leave(&room).await;
    let mut late = server.user("late").await.connect().await;
    let joined = late.join(&room).await;
    assert_eq!((&joined["epoch"], &joined["seq"]), (&epoch, &json!(1)));
    assert_eq!(joined["messages"][0]["body"], "kept");
    other.leave(&room).await;
}

async fn rooms_end_independently(server: &Server) {
    let (kept, ended) = (unique("kept"), unique("ended"));
    let mut client = server.user("guest").await.connect_to(&[&kept, &ended]).await;
    client.say(&kept, "stays").await;
    client.say(&ended, "goes").await;
    client.leave(&ended).await;
    assert_eq!(client.join(&ended).await["seq"], 0);
    assert_eq!(client.history(&kept, json!({})).await["messages"][0]["body"], "stays");
}

async fn an_empty_room_is_not_found(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let path = format!("/rooms/{}", encoded(&room));
    let messages = format!("{path}/messages");
    let mut client = user.connect_to(&[&room]).await;
    client.say(&room, "soon gone").await;
    user.get(&path).await.assert_json(200);
    client.leave(&room).await;
    user.get(&path).await.assert_error(404, "not_found");
    user.get(&messages).await.assert_error(404, "not_found");
    user.post(&room, &json!({"body": "to nobody"})).await.assert_error(404, "not_found");
    assert_eq!(client.join(&room).await["seq"], 0, "posting to nobody left nothing behind");
}

async fn a_room_that_ends_and_begins_at_once_never_mixes_its_lives(server: &Server) {
    let room = unique("revolving");
    let mut clients = Vec::new();
    for label in ["ann", "ben", "cem", "dee"] {
        clients.push(server.user(label).await.connect().await);
    }
    for _ in 0..10 {
        for client in &mut clients {
            client.ask(json!({"type": "join", "room": room})).await;
            client.ask(json!({"type": "send", "room": room, "body": "in passing"})).await;
            client.ask(json!({"type": "leave", "room": room})).await;
        }
    }
    for client in &mut clients {
        for _ in 0..30 {
            client.expect_where("an answer", |frame| frame["id"].is_u64()).await;
        }
    }
    for client in clients {
        client.close().await;
    }
}

async fn every_life_has_an_epoch_of_its_own(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("guest").await.connect().await;
    let mut epochs = std::collections::HashSet::new();
    for _ in 0..10 {
        epochs.insert(epoch_of_a_visit(&mut client, &room).await);
    }
    assert_eq!(epochs.len(), 10);
}

async fn epoch_of_a_visit(client: &mut Client, room: &str) -> String {
    let epoch = client.join(room).await["epoch"].as_str().expect("an epoch").to_owned();
    client.leave(room).await;
    epoch
}
