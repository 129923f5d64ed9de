//! `?room=`: rooms joined during connect, before the client has sent anything.

use serde_json::{Value, json};

use crate::kit::{Server, encoded, on_every_server, unique, users};

on_every_server!(
    a_room_in_the_address_is_joined_at_once,
    a_silent_connection_is_tracked,
    rooms_are_answered_in_the_order_of_the_address,
    a_repeated_room_is_ignored,
    an_invalid_room_is_an_error_with_the_name_as_given,
    more_rooms_than_allowed_are_errors,
    unknown_parameters_are_ignored,
    a_room_of_the_address_is_as_good_as_a_joined_one,
);

async fn a_room_in_the_address_is_joined_at_once(server: &Server) {
    let (user, room) = (server.user("early").await, unique("hall"));
    let mut client = user.connect_with(&format!("?room={room}")).await;
    let joined = client.next().await;
    assert_eq!(joined["type"], "joined");
    assert_eq!(joined["room"], room);
    assert_eq!(joined["seq"], 0);
    assert_eq!(joined["resumed"], false);
    assert_eq!(users(&joined), [user.name.as_str()]);
    assert!(joined.get("id").is_none(), "{joined}");
}

async fn a_silent_connection_is_tracked(server: &Server) {
    let (silent, talker, room) =
        (server.user("silent").await, server.user("talker").await, unique("hall"));
    let mut socket = silent.connect_raw(&format!("?room={room}")).await;
    let joined = socket.text().await;
    assert!(joined.contains(r#""type":"joined""#), "{joined}");
    let mut client = talker.connect().await;
    let joined = client.join(&room).await;
    assert_eq!(users(&joined), [silent.name.as_str(), &talker.name]);
}

async fn rooms_are_answered_in_the_order_of_the_address(server: &Server) {
    let user = server.user("tourist").await;
    let rooms = [unique("zoo"), unique("bar"), unique("museum"), unique("ark")];
    let query: Vec<_> = rooms.iter().map(|room| format!("room={room}")).collect();
    let mut client = user.connect_with(&format!("?{}", query.join("&"))).await;
    for room in &rooms {
        let frame = client.expect_where("an answer", is_answer).await;
        assert_eq!((&frame["type"], &frame["room"]), (&json!("joined"), &json!(room)));
    }
}

async fn a_repeated_room_is_ignored(server: &Server) {
    let (user, room, next) = (server.user("insistent").await, unique("hall"), unique("next"));
    let mut client =
        user.connect_with(&format!("?room={room}&room={room}&room={next}&room={room}")).await;
    client.expect_in("joined", &room).await;
    client.expect_in("joined", &next).await;
    client.catch_up(&room).await;
    assert_eq!(client.trace().of("joined").count(), 2);
    assert_eq!(client.trace().of("error").count(), 0);
    let members = client.members(&room).await;
    assert_eq!(members["members"][0]["connections"], 1);
}

async fn an_invalid_room_is_an_error_with_the_name_as_given(server: &Server) {
    let (user, room) = (server.user("clumsy").await, unique("hall"));
    for bad in [" .. ", "a\u{202e}b", "", "\u{200b}"] {
        let query = format!("?room={}&room={room}", encoded(bad));
        let mut client = user.connect_with(&query).await;
        // The application may still have something to tell whoever opened the room a round ago.
        let error = client.expect_where("an answer", is_answer).await;
        assert_eq!(error["code"], "invalid_room", "{error}");
        assert_eq!(error["room"], bad);
        assert!(error.get("id").is_none(), "{error}");
        client.expect_in("joined", &room).await;
    }
}

async fn more_rooms_than_allowed_are_errors(server: &Server) {
    let user = server.user("greedy").await;
    let allowed = user.connect().await.limit("rooms_per_session") as usize;
    let rooms: Vec<_> = (0..=allowed).map(|_| unique("r")).collect();
    let query: Vec<_> = rooms.iter().map(|room| format!("room={room}")).collect();
    let mut client = user.connect_with(&format!("?{}", query.join("&"))).await;
    for room in &rooms[..allowed] {
        let frame = client.expect_where("an answer", is_answer).await;
        assert_eq!((&frame["type"], &frame["room"]), (&json!("joined"), &json!(room)), "{frame}");
    }
    let error = client.expect_where("an answer", is_answer).await;
    assert_eq!(error["code"], "too_many_rooms", "{error}");
    assert_eq!(error["room"], rooms[allowed]);
}

async fn unknown_parameters_are_ignored(server: &Server) {
    let (user, room) = (server.user("chatty").await, unique("hall"));
    let mut client = user.connect_with(&format!("?theme=dark&room={room}&flag")).await;
    assert_eq!(client.next().await["room"], room);
}

async fn a_room_of_the_address_is_as_good_as_a_joined_one(server: &Server) {
    let (user, room) = (server.user("settled").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    client.refused("already_in_room", json!({"type": "join", "room": room})).await;
    assert_eq!(client.say(&room, "here").await, 1);
    client.leave(&room).await;
    client.refused("not_in_room", json!({"type": "send", "room": room, "body": "?"})).await;
}

/// Not what a service says meanwhile, nor who else is there.
fn is_answer(frame: &Value) -> bool {
    frame["type"] != "presence" && frame["type"] != "notice"
}
