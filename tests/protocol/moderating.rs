//! What the host itself does to rooms and to people, as their clients see it.

use std::time::Duration;

use chatrooms::{CloseReason, Post, RoomName, UserName};
use serde_json::{Value, json};

use crate::kit::{Adapter, Client, InProcess, encoded, eventually, on_each_adapter, unique};

on_each_adapter!(
    who_is_kicked_is_removed_and_may_return,
    who_is_banned_is_removed_and_may_not_return,
    a_ban_ends_in_time,
    a_closed_room_removes_everybody,
    the_host_speaks_without_a_user,
    the_host_takes_back_without_a_user,
    a_host_wide_kick_or_ban_ends_the_socket,
);

async fn who_is_kicked_is_removed_and_may_return(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let user = server.user("rowdy").await;
    let (mut tab, mut other_tab) = (user.connect_to(&[&room]).await, user.connect().await);
    other_tab.join(&room).await;
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let kicked = server
        .registry()
        .moderation(&name(&room))
        .kick(&named(&user.name), Some("too loud"))
        .await
        .unwrap();
    assert_eq!(kicked, 2);
    for client in [&mut tab, &mut other_tab] {
        assert_removed(client, &room, "kicked", json!("too loud")).await;
    }
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    tab.join(&room).await;
    tab.catch_up(&room).await;
}

async fn who_is_banned_is_removed_and_may_not_return(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let user = server.user("rowdy").await;
    let mut client = user.connect_to(&[&room]).await;
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    server
        .registry()
        .moderation(&name(&room))
        .ban(&named(&user.name), None, None)
        .await
        .expect("it is there");
    assert_removed(&mut client, &room, "banned", Value::Null).await;
    client.refused("banned", json!({"type": "join", "room": room})).await;
    let mut again = user.connect_with(&format!("?room={room}")).await;
    let error = again.expect("error").await;
    assert_eq!((&error["code"], &error["room"]), (&json!("banned"), &json!(room)));
    let path = format!("/rooms/{}", encoded(&room));
    user.get(&path).await.assert_error(403, "banned");
    user.get(&format!("{path}/messages")).await.assert_error(403, "banned");
    user.post(&room, &json!({"body": "let me in"})).await.assert_error(403, "banned");
    client.join(&unique("elsewhere")).await;
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("message").count(), 1);
}

async fn a_ban_ends_in_time(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let mut client = server.user("rowdy").await.connect_to(&[&room]).await;
    let _witness = server.user("witness").await.connect_to(&[&room]).await;
    let time = Some(Duration::from_millis(300));
    let room_name = name(&room);
    let banned = server
        .registry()
        .moderation(&room_name)
        .ban(&named(&client.user), time, Some("cool down"))
        .await;
    assert_eq!(banned, Ok(1));
    assert_removed(&mut client, &room, "banned", json!("cool down")).await;
    eventually("the ban is over", async || {
        let answer = client.request(json!({"type": "join", "room": room})).await;
        assert!(answer["type"] == "joined" || answer["code"] == "banned", "{answer}");
        answer["type"] == "joined"
    })
    .await;
}

async fn a_closed_room_removes_everybody(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let user = server.user("guest").await;
    let mut one = user.connect().await;
    let epoch = one.join(&room).await["epoch"].clone();
    one.say(&room, "soon gone").await;
    let mut two = server.user("other").await.connect_to(&[&room]).await;
    assert_eq!(
        server.registry().moderation(&name(&room)).close(Some("closing time")).await.unwrap(),
        2
    );
    for client in [&mut one, &mut two] {
        assert_removed(client, &room, "room_closed", json!("closing time")).await;
    }
    user.get(&format!("/rooms/{}", encoded(&room))).await.assert_error(404, "not_found");
    let joined = one.join(&room).await;
    assert_ne!(joined["epoch"], epoch);
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
}

async fn the_host_speaks_without_a_user(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let user = server.user("guest").await;
    let mut client = user.connect_to(&[&room]).await;
    client.say(&room, "one").await;
    let post = Post::new("closing in ten minutes");
    let sent = server.registry().announce(&name(&room), post).await.expect("somebody listens");
    assert_eq!(sent.seq, 2);
    client.expect("message").await;
    let message = client.expect("message").await;
    assert_eq!((&message["user"], &message["seq"]), (&Value::Null, &json!(2)));
    assert_eq!(message["body"], "closing in ten minutes");
    let history = client.history(&room, json!({})).await;
    let read = user.get(&format!("/rooms/{}/messages", encoded(&room))).await.assert_json(200);
    for answer in [history, read] {
        assert_eq!(answer["messages"][1]["user"], Value::Null, "{answer}");
    }
}

async fn the_host_takes_back_without_a_user(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let mut client = server.user("guest").await.connect_to(&[&room]).await;
    client.say(&room, "spam").await;
    server.registry().redact(&name(&room), 1).await.expect("it was said");
    let redacted = client.expect("redacted").await;
    assert_eq!((&redacted["seq"], redacted.get("by")), (&json!(1), None));
}

async fn a_host_wide_kick_or_ban_ends_the_socket(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    for (reason, code, close) in
        [(CloseReason::Kicked, "kicked", 4502), (CloseReason::Banned, "banned", 4503)]
    {
        let user = server.user("rowdy").await;
        let mut tabs = [user.connect_to(&[&room]).await, user.connect().await];
        assert_eq!(server.registry().end_sessions(&named(&user.name), &reason), 2);
        for tab in &mut tabs {
            assert_eq!(tab.closed().await.code, Some(close));
            let bye = tab.expect("bye").await;
            assert_eq!((&bye["code"], &bye["reconnect"]), (&json!(code), &json!(false)));
            assert_eq!(tab.trace().of("removed").count(), 0);
        }
        user.get(&format!("/rooms/{}", encoded(&room))).await.assert_error(404, "not_found");
    }
}

async fn assert_removed(client: &mut Client, room: &str, code: &str, reason: Value) {
    let removed = client.expect_in("removed", room).await;
    assert_eq!((&removed["code"], &removed["reason"]), (&json!(code), &reason));
    // The socket stays, only the room is gone.
    client.refused("not_in_room", json!({"type": "leave", "room": room})).await;
}

fn name(room: &str) -> RoomName {
    RoomName::new(room).expect("a valid name")
}

fn named(user: &str) -> UserName {
    UserName::new(user).expect("a valid name")
}
