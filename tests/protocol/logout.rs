//! Logout: it ends all of a user's connections, at once, and nobody else's.

use futures_util::future::join_all;
use serde_json::json;

use crate::kit::{Server, on_every_store, unique};

on_every_store!(
    a_logout_ends_every_socket_with_4501,
    when_it_is_answered_all_connections_have_ended,
    a_socket_that_is_just_being_opened_is_ended_too,
    a_credential_is_void_after_its_logout,
    a_logout_is_one_users_own,
);

async fn a_logout_ends_every_socket_with_4501(server: &Server) {
    let (user, rooms) = (server.user("leaver").await, [unique("a"), unique("b")]);
    let mut sockets = vec![
        user.connect_to(&[&rooms[0]]).await,
        user.connect_to(&[&rooms[0], &rooms[1]]).await,
        user.connect().await,
    ];
    user.log_out().await;
    for socket in &mut sockets {
        assert_eq!(socket.closed().await.code, Some(4501));
        let bye = socket.expect("bye").await;
        assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("logged_out"), &json!(false)));
        assert_eq!(socket.trace().of("removed").count(), 0);
    }
}

async fn when_it_is_answered_all_connections_have_ended(server: &Server) {
    let (user, shared, own) = (server.user("leaver").await, unique("shared"), unique("own"));
    let other = server.user("other").await;
    let mut witness = other.connect_to(&[&shared]).await;
    let mut tabs = Vec::new();
    for _ in 0..5 {
        tabs.push(user.connect_to(&[&shared, &own]).await);
    }
    tabs[0].say(&own, "soon gone").await;
    user.log_out().await;
    other.get(&format!("/rooms/{own}")).await.assert_error(404, "not_found");
    let answer = other.get(&format!("/rooms/{shared}")).await.assert_json(200);
    assert_eq!(answer["connections"], 1, "{answer}");
    let joined = other.connect().await.join(&own).await;
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    witness.catch_up(&shared).await;
    assert_eq!(witness.trace().of("presence").count(), 2, "five tabs left once");
}

async fn a_credential_is_void_after_its_logout(server: &Server) {
    let (user, room) = (server.user("leaver").await, unique("hall"));
    let _keeper = server.user("keeper").await.connect_to(&[&room]).await;
    user.connect().await.close().await;
    user.log_out().await;
    user.upgrade("").refused().await.assert_error(401, "unauthorized");
    user.get("/session").await.assert_error(401, "unauthorized");
    user.get("/rooms").await.assert_error(401, "unauthorized");
    user.post(&room, &json!({"body": "still here?"})).await.assert_error(401, "unauthorized");
}

async fn a_socket_that_is_just_being_opened_is_ended_too(server: &Server) {
    let room = unique("hall");
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    for _ in 0..5 {
        let user = server.user("hasty").await;
        let query = format!("?room={room}");
        let opening = join_all((0..10).map(|_| user.try_connect(&query)));
        let (opened, ()) = tokio::join!(opening, user.log_out());
        for outcome in opened {
            match outcome {
                Ok(mut socket) => assert_eq!(socket.closed().await.code, Some(4501)),
                Err(refusal) => refusal.assert_error(401, "unauthorized"),
            }
        }
        let members = witness.members(&room).await;
        assert_eq!(members["members"].as_array().map(Vec::len), Some(1), "{members}");
    }
}

async fn a_logout_is_one_users_own(server: &Server) {
    let (user, other, room) =
        (server.user("leaver").await, server.user("other").await, unique("hall"));
    let mut stays = other.connect_to(&[&room]).await;
    let mut goes = user.connect_to(&[&room]).await;
    user.log_out().await;
    goes.closed().await;
    stays.catch_up(&room).await;
    other.connect().await;
}
