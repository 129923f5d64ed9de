//! Presence: users, not tabs; each comes and goes in turn.

use serde_json::{Value, json};

use crate::kit::{Client, Server, eventually, on_every_server, unique, users};

on_every_server!(
    the_others_learn_of_a_users_first_connection,
    the_others_learn_of_a_users_last_connections_end,
    the_joiner_is_not_told_of_itself,
    a_second_tab_is_no_news,
    a_closed_socket_leaves_all_its_rooms,
    a_tab_that_moves_over_is_told_as_one_user,
    coming_and_going_alternate_under_a_storm,
    presence_stays_in_its_room,
);

async fn the_others_learn_of_a_users_first_connection(server: &Server) {
    let room = unique("hall");
    let mut watcher = server.user("watcher").await.connect_to(&[&room]).await;
    let user = server.user("guest").await;
    let _guest = user.connect_to(&[&room]).await;
    let presence = watcher.expect("presence").await;
    assert_eq!(presence["room"], room);
    assert_eq!(presence["joined"].as_array().map(Vec::len), Some(1));
    assert_eq!(presence["joined"][0]["user"], user.name);
    assert_eq!(presence["joined"][0]["connections"], 1);
    assert_eq!(presence["left"], json!([]));
}

async fn the_others_learn_of_a_users_last_connections_end(server: &Server) {
    let room = unique("hall");
    let mut watcher = server.user("watcher").await.connect_to(&[&room]).await;
    let mut by_leave = server.user("leaver").await.connect_to(&[&room]).await;
    let by_close = server.user("closer").await.connect_to(&[&room]).await;
    let by_reset = server.user("breaker").await.connect_to(&[&room]).await;
    by_leave.leave(&room).await;
    assert_eq!(who_left(&mut watcher).await, by_leave.user);
    let name = by_close.user.clone();
    by_close.close().await;
    assert_eq!(who_left(&mut watcher).await, name);
    let name = by_reset.user.clone();
    by_reset.reset();
    assert_eq!(who_left(&mut watcher).await, name);
}

async fn the_joiner_is_not_told_of_itself(server: &Server) {
    let (user, room) = (server.user("guest").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    client.catch_up(&room).await;
    assert_eq!(client.trace().of("presence").count(), 0);
    let _tab = user.connect_to(&[&room]).await;
    client.catch_up(&room).await;
    assert_eq!(client.trace().of("presence").count(), 0);
}

async fn a_second_tab_is_no_news(server: &Server) {
    let room = unique("hall");
    let mut watcher = server.user("watcher").await.connect_to(&[&room]).await;
    let user = server.user("tabs").await;
    let mut one = user.connect_to(&[&room]).await;
    let mut two = user.connect_to(&[&room]).await;
    one.leave(&room).await;
    one.join(&room).await;
    two.leave(&room).await;
    watcher.catch_up(&room).await;
    assert_eq!(watcher.trace().of("presence").count(), 1, "only the first tab's coming");
    one.leave(&room).await;
    watcher.catch_up(&room).await;
    assert_eq!(watcher.trace().of("presence").count(), 2, "and the last one's going");
}

async fn a_closed_socket_leaves_all_its_rooms(server: &Server) {
    let rooms = [unique("a"), unique("b"), unique("c")];
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let mut watcher = server.user("watcher").await.connect_to(&rooms).await;
    let guest = server.user("guest").await.connect_to(&rooms).await;
    let name = guest.user.clone();
    guest.close().await;
    for room in rooms {
        let left = |frame: &Value| frame["room"] == room && frame["left"] == json!([name]);
        watcher.expect_where("left in each room", left).await;
    }
}

async fn a_tab_that_moves_over_is_told_as_one_user(server: &Server) {
    let room = unique("hall");
    let mut watcher = server.user("watcher").await.connect_to(&[&room]).await;
    let user = server.user("reloader").await;
    let mut tab = user.connect_to(&[&room]).await;
    for _ in 0..5 {
        let next = user.connect_to(&[&room]).await;
        std::mem::replace(&mut tab, next).close().await;
    }
    watcher.catch_up(&room).await;
    assert_eq!(watcher.trace().of("presence").count(), 1);
}

async fn coming_and_going_alternate_under_a_storm(server: &Server) {
    let room = unique("hall");
    let mut watcher = server.user("watcher").await.connect_to(&[&room]).await;
    let user = server.user("restless").await;
    let mut tabs = Vec::new();
    for _ in 0..4 {
        tabs.push(user.connect().await);
    }
    for _ in 0..10 {
        for tab in &mut tabs {
            tab.ask(json!({"type": "join", "room": room})).await;
            tab.ask(json!({"type": "leave", "room": room})).await;
        }
    }
    for tab in &mut tabs {
        for _ in 0..10 {
            tab.expect_where("the answer to a leave", |frame| {
                frame["type"] == "left" || frame["type"] == "error"
            })
            .await;
        }
    }
    for tab in tabs {
        tab.close().await;
    }
    // Whether each left follows its joined is judged by the oracle.
    eventually("the storm is over", async || {
        users(&watcher.members(&room).await) == [watcher.user.as_str()]
    })
    .await;
}

async fn presence_stays_in_its_room(server: &Server) {
    let (here, there) = (unique("here"), unique("there"));
    let mut near = server.user("near").await.connect_to(&[&here]).await;
    let _far = server.user("far").await.connect_to(&[&there]).await;
    near.catch_up(&here).await;
    assert_eq!(near.trace().of("presence").count(), 0);
}

async fn who_left(watcher: &mut Client) -> String {
    let presence = watcher
        .expect_where("someone leaving", |frame| {
            frame["left"].as_array().is_some_and(|left| !left.is_empty())
        })
        .await;
    assert_eq!(presence["joined"], json!([]));
    assert_eq!(presence["left"].as_array().map(Vec::len), Some(1));
    presence["left"][0].as_str().expect("a user").to_owned()
}
