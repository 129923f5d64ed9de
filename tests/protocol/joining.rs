//! `join`: what it answers, what it accepts, when it is refused.

use serde_json::json;

use crate::kit::{Server, bodies, on_every_server, seqs, unique, users};

on_every_server!(
    the_first_to_join_finds_an_empty_room,
    a_later_one_finds_members_and_messages,
    recent_history_is_as_long_as_asked_for,
    without_history_there_are_no_messages_but_more,
    joining_twice_is_refused,
    joining_again_after_leaving_is_fine,
    two_sessions_of_a_user_are_in_a_room_independently,
    a_session_may_be_in_many_rooms,
    meta_is_shown_to_the_others,
    meta_is_bounded_in_its_compact_form,
    too_much_history_is_lowered_to_the_maximum,
);

async fn the_first_to_join_finds_an_empty_room(server: &Server) {
    let (user, room) = (server.user("first").await, unique("hall"));
    let mut client = user.connect().await;
    let joined = client.join(&room).await;
    assert_eq!(joined["room"], room);
    assert_eq!(joined["seq"], 0);
    assert_eq!(joined["resumed"], false);
    assert_eq!(joined["members"].as_array().map(Vec::len), Some(1));
    assert_eq!(joined["members"][0]["user"], user.name);
    assert_eq!(joined["members"][0]["connections"], 1);
    assert_eq!(joined["messages"], json!([]));
    assert_eq!(joined["more"], false);
    assert!(joined["epoch"].as_str().is_some_and(|epoch| !epoch.is_empty()), "{joined}");
    assert!(joined.get("redacted").is_none(), "{joined}");
    assert!(joined.get("members_more").is_none(), "{joined}");
}

async fn a_later_one_finds_members_and_messages(server: &Server) {
    let (first, second, room) =
        (server.user("first").await, server.user("second").await, unique("hall"));
    let mut early = first.connect().await;
    let epoch = early.join(&room).await["epoch"].clone();
    let sent = early.say_with(json!({"room": room, "body": "one", "data": {"n": 1}})).await;
    early.say(&room, "two").await;

    let joined = second.connect().await.join(&room).await;
    assert_eq!(joined["epoch"], epoch);
    assert_eq!(joined["seq"], 2);
    assert_eq!(users(&joined), [first.name.as_str(), &second.name]);
    assert_eq!(bodies(&joined), ["one", "two"]);
    assert_eq!(seqs(&joined), [1, 2]);
    assert_eq!(joined["more"], false);
    let message = &joined["messages"][0];
    assert_eq!(message["user"], first.name);
    assert_eq!(message["at"], sent["at"]);
    assert_eq!(message["data"], json!({"n": 1}));
}

async fn recent_history_is_as_long_as_asked_for(server: &Server) {
    let (user, room) = (server.user("host").await, unique("hall"));
    let mut host = user.connect_to(&[&room]).await;
    for number in 1..=6 {
        host.say(&room, &number.to_string()).await;
    }
    let mut guest = server.user("guest").await.connect().await;
    for (asked, expected, more) in [
        (1, vec![6], true),
        (5, vec![2, 3, 4, 5, 6], true),
        (6, (1..=6).collect(), false),
        (7, (1..=6).collect(), false),
    ] {
        let joined = guest.join_with(json!({"room": room, "history": asked})).await;
        assert_eq!(seqs(&joined), expected, "history {asked}");
        assert_eq!(joined["more"], more, "history {asked}");
        guest.leave(&room).await;
    }
}

async fn without_history_there_are_no_messages_but_more(server: &Server) {
    let room = unique("hall");
    let mut host = server.user("host").await.connect_to(&[&room]).await;
    host.say(&room, "before").await;
    let mut guest = server.user("guest").await.connect().await;
    let joined = guest.join_with(json!({"room": room, "history": 0})).await;
    assert_eq!(joined["seq"], 1);
    assert_eq!(joined["messages"], json!([]));
    assert_eq!(joined["more"], true);
    host.say(&room, "after").await;
    assert_eq!(guest.expect("message").await["seq"], 2);
}

async fn joining_twice_is_refused(server: &Server) {
    let (mut client, room) = (server.user("twice").await.connect().await, unique("hall"));
    let joined = client.join(&room).await;
    let error = client.refused("already_in_room", json!({"type": "join", "room": room})).await;
    assert_eq!(error["room"], room);
    let padded = format!("  {room} ");
    client.refused("already_in_room", json!({"type": "join", "room": padded})).await;
    let resume = json!({"epoch": joined["epoch"], "seq": 0});
    client
        .refused("already_in_room", json!({"type": "join", "room": room, "resume": resume}))
        .await;
    assert_eq!(client.members(&room).await["members"][0]["connections"], 1);
}

async fn joining_again_after_leaving_is_fine(server: &Server) {
    let room = unique("hall");
    let mut host = server.user("host").await.connect_to(&[&room]).await;
    let mut guest = server.user("guest").await.connect().await;
    for round in 1..=5 {
        assert_eq!(guest.join(&room).await["seq"], round - 1);
        guest.say(&room, "in").await;
        guest.leave(&room).await;
    }
    host.catch_up(&room).await;
    assert_eq!(host.trace().of("presence").count(), 10, "each coming and going was told");
}

async fn two_sessions_of_a_user_are_in_a_room_independently(server: &Server) {
    let (user, room) = (server.user("tabs").await, unique("hall"));
    let (mut one, mut two) = (user.connect().await, user.connect().await);
    one.join(&room).await;
    let joined = two.join(&room).await;
    assert_eq!(joined["members"][0]["connections"], 2);
    one.leave(&room).await;
    assert_eq!(two.say(&room, "still in").await, 1);
    one.refused("not_in_room", json!({"type": "send", "room": room, "body": "?"})).await;
}

async fn a_session_may_be_in_many_rooms(server: &Server) {
    let (user, rooms) = (server.user("busy").await, [unique("a"), unique("b"), unique("c")]);
    let mut client = user.connect().await;
    for room in &rooms {
        client.join(room).await;
    }
    for (index, room) in rooms.iter().enumerate() {
        for count in 1..=index as u64 + 1 {
            assert_eq!(client.say(room, "counted per room").await, count);
        }
    }
}

async fn meta_is_shown_to_the_others(server: &Server) {
    let (user, other, room) =
        (server.user("busy").await, server.user("other").await, unique("hall"));
    let mut watcher = other.connect_to(&[&room]).await;
    let mut client = user.connect().await;
    let meta = json!({"status": "busy", "colour": [1, 2, {"deep": null}]});
    let joined = client.join_with(json!({"room": room, "meta": meta})).await;
    let own = joined["members"]
        .as_array()
        .and_then(|members| members.iter().find(|member| member["user"] == user.name));
    assert_eq!(own.expect("oneself")["meta"], meta);
    let presence = watcher.expect("presence").await;
    assert_eq!(presence["joined"][0]["meta"], meta);
    let members = watcher.members(&room).await;
    assert_eq!(members["members"][0]["meta"], meta);
}

async fn meta_is_bounded_in_its_compact_form(server: &Server) {
    let (mut client, room) = (server.user("wordy").await.connect().await, unique("hall"));
    let limit = client.limit("meta_bytes") as usize;
    let around = r#"{"m":""}"#.len();
    let fitting = json!({"m": "x".repeat(limit - around)});
    let larger = json!({"m": "x".repeat(limit - around + 1)});
    let error =
        client.refused("too_large", json!({"type": "join", "room": room, "meta": larger})).await;
    assert_eq!(error["room"], room);
    client.refused("not_in_room", json!({"type": "leave", "room": room})).await;
    client.join_with(json!({"room": room, "meta": fitting})).await;
    client.leave(&room).await;

    let spaced = fitting.to_string().replace(':', " :    \n\t  ");
    client.send_text(&format!(r#"{{"type":"join","room":"{room}","meta":{spaced}}}"#)).await;
    let joined = client.expect("joined").await;
    assert_eq!(joined["members"][0]["meta"], fitting);
}

async fn too_much_history_is_lowered_to_the_maximum(server: &Server) {
    let (mut client, room) = (server.user("curious").await.connect().await, unique("hall"));
    for asked in [client.limit("history") + 1, 1_000_000, u64::from(u32::MAX) + 1] {
        client.join_with(json!({"room": room, "history": asked})).await;
        client.history(&room, json!({"limit": asked, "before": asked})).await;
        client.leave(&room).await;
    }
}
