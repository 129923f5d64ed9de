//! `leave`, and what a session that is in no room may not do.

use serde_json::{Value, json};

use crate::kit::{Server, on_every_server, unique};

on_every_server!(
    leave_is_answered_by_left,
    after_left_nothing_of_the_room_arrives,
    who_is_not_in_a_room_can_do_nothing_there,
    leaving_one_room_keeps_the_others,
    leaving_normalises_the_name,
);

async fn leave_is_answered_by_left(server: &Server) {
    let (mut client, room) = (server.user("guest").await.connect().await, unique("hall"));
    client.join(&room).await;
    let left = client.leave(&room).await;
    assert_eq!(left["room"], room);
    client.refused("not_in_room", json!({"type": "leave", "room": room})).await;
}

async fn after_left_nothing_of_the_room_arrives(server: &Server) {
    let room = unique("hall");
    let mut host = server.user("host").await.connect_to(&[&room]).await;
    let mut guest = server.user("guest").await.connect_to(&[&room]).await;
    guest.leave(&room).await;
    host.say(&room, "the guest has gone").await;
    host.send(json!({"type": "signal", "room": room, "name": "typing"})).await;
    host.granted("ok", json!({"type": "redact", "room": room, "seq": 1})).await;
    guest.join(&room).await;
    assert_eq!(guest.trace().of("message").count(), 0);
    assert_eq!(guest.trace().of("signal").count(), 0);
    assert_eq!(guest.trace().of("redacted").count(), 0);
}

async fn who_is_not_in_a_room_can_do_nothing_there(server: &Server) {
    let room = unique("hall");
    let mut host = server.user("host").await.connect_to(&[&room]).await;
    host.say(&room, "for members").await;
    let mut stranger = server.user("stranger").await.connect().await;
    for request in acts_in(&room).into_iter().chain(acts_in(&unique("nowhere"))) {
        let error = stranger.refused("not_in_room", request.clone()).await;
        assert_eq!(error["room"], request["room"]);
    }
    host.catch_up(&room).await;
    assert_eq!(host.trace().of("signal").count(), 0);
    assert_eq!(host.trace().of("redacted").count(), 0);
}

async fn leaving_one_room_keeps_the_others(server: &Server) {
    let (kept, left) = (unique("kept"), unique("left"));
    let mut client = server.user("guest").await.connect_to(&[&kept, &left]).await;
    client.leave(&left).await;
    assert_eq!(client.say(&kept, "still in").await, 1);
}

async fn leaving_normalises_the_name(server: &Server) {
    let (mut client, room) = (server.user("guest").await.connect().await, unique("the hall"));
    client.join(&room).await;
    let left = client.leave(&format!(" {} ", room.replace(' ', "   "))).await;
    assert_eq!(left["room"], room);
}

fn acts_in(room: &str) -> [Value; 6] {
    [
        json!({"type": "leave", "room": room}),
        json!({"type": "send", "room": room, "body": "hello"}),
        json!({"type": "redact", "room": room, "seq": 1}),
        json!({"type": "signal", "room": room, "name": "typing"}),
        json!({"type": "history", "room": room}),
        json!({"type": "members", "room": room}),
    ]
}
