//! Moderation by the creator of a room, over the wire.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::{
    FullApp, Request, Response, Server, User, encoded, eventually, unique, with_full_app,
    with_shared_full_app,
};

#[test]
fn whoever_opens_a_room_moderates_it_and_is_told_so() {
    with_shared_full_app(async |app| {
        let (ada, eve, room) = (app.user("ada").await, app.user("eve").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        let notice = adas.expect("notice").await;
        assert_eq!(
            (&notice["name"], &notice["data"]),
            (&json!("moderation"), &json!({"room": room}))
        );
        let mut eves = eve.connect_to(&[&room]).await;
        let standing = standing(&ada, &room).await;
        assert_eq!(standing["creator"], true);
        assert_eq!(self::standing(&eve, &room).await["creator"], false);

        let kick = [("action", "kick"), ("user", &eve.name), ("epoch", epoch(&standing))];
        assert_eq!(order(&eve, &room).form(&kick).send().await.status, 403);
        assert_eq!(order(&ada, &room).form(&kick).send().await.status, 200);
        let removed = eves.expect_in("removed", &room).await;
        assert_eq!(removed["code"], "kicked");
        assert!(removed["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{removed}");
    });
}

#[test]
fn a_creator_takes_back_what_others_wrote() {
    with_shared_full_app(async |app| {
        let (ada, eve, room) = (app.user("ada").await, app.user("eve").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        let mut eves = eve.connect_to(&[&room]).await;
        let seq = eves.say(&room, "a rude word").await;
        let mine = adas.say(&room, "mind your words").await;
        let refused = eves.request(json!({"type": "redact", "room": room, "seq": mine})).await;
        assert_eq!(refused["code"], "forbidden");
        let done = adas.request(json!({"type": "redact", "room": room, "seq": seq})).await;
        assert_eq!(done["type"], "ok");
        let redacted = eves.expect_in("redacted", &room).await;
        assert_eq!((&redacted["seq"], &redacted["by"]), (&json!(seq), &json!(ada.name)));
    });
}

#[test]
fn whoever_has_just_left_is_kept_out() {
    with_shared_full_app(async |app| {
        let (ada, eve, room) = (app.user("ada").await, app.user("eve").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        let mut eves = eve.connect_to(&[&room]).await;
        eves.say(&room, "a rude word, and gone").await;
        eves.leave(&room).await;
        let standing = standing(&ada, &room).await;
        let ban = [("action", "ban"), ("user", &eve.name), ("epoch", epoch(&standing))];
        let banned = order(&ada, &room).form(&ban).send().await.assert_json(200);
        assert_eq!(banned["banned"], json!([eve.name]));
        eves.refused("banned", json!({"type": "join", "room": room})).await;
    });
}

#[test]
fn an_order_from_elsewhere_or_from_nobody_is_forbidden() {
    with_shared_full_app(async |app| {
        let (ada, room) = (app.user("ada").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        let standing = standing(&ada, &room).await;
        let close = [("action", "close"), ("epoch", epoch(&standing))];
        let foreign = order(&ada, &room).header("Origin", "https://elsewhere.example").form(&close);
        assert_refused(&foreign.send().await, 403);
        assert_refused(&order(&ada, &room).without("Cookie").form(&close).send().await, 403);
        assert_refused(&order(&ada, &room).json(&json!({"action": "close"})).send().await, 415);
        let other = order(&ada, &room).by("PUT").form(&close).send().await;
        assert_eq!(other.status, 405, "{other:?}");
        adas.catch_up(&room).await;
    });
}

#[test]
fn nobody_is_the_creator_after_the_creators_logout() {
    with_shared_full_app(async |app| {
        let (ada, eve, room) = (app.user("ada").await, app.user("eve").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        let _eves = eve.connect_to(&[&room]).await;
        ada.log_out().await;
        assert_eq!(show(&ada, &room).send().await.status, 403, "the cookie is void");
        let again = app.user_named(&ada.name).await;
        let _adas = again.connect_to(&[&room]).await;
        for user in [&again, &eve] {
            assert_eq!(standing(user, &room).await["creator"], false);
        }
    });
}

#[test]
fn the_next_life_is_another_ones() {
    with_shared_full_app(async |app| {
        let (ada, eve, room) = (app.user("ada").await, app.user("eve").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        adas.leave(&room).await;
        let _eves = eve.connect_to(&[&room]).await;
        adas.join(&room).await;
        eventually("eve is the creator", async || standing(&eve, &room).await["creator"] == true)
            .await;
        assert_eq!(standing(&ada, &room).await["creator"], false);
    });
}

#[test]
fn over_a_restart_with_a_linger_the_creator_stays_and_whoever_returns_first_is_none() {
    let folder = TempDir::new().expect("a temporary folder");
    let store = format!("sqlite:{}", folder.path().join("chat.db").display());
    let options = ["--store", store.as_str(), "--linger", "60"];
    with_full_app(&options, async |app| {
        let (ada, eve, room) = (app.user("ada").await, app.user("eve").await, unique("hall"));
        let mut adas = ada.connect_to(&[&room]).await;
        adas.expect("notice").await;
        adas.say(&room, "this will be kept").await;
        app.terminate();
        assert!(app.exited().await.success());

        let next = FullApp::start(&options);
        let (ada, eve) = (returned(&ada, &next), returned(&eve, &next));
        let mut eves = eve.connect_to(&[&room]).await;
        // Whoever opens a life in this process is told, the first one back in this one too.
        eves.expect("notice").await;
        assert_eq!(standing(&eve, &room).await["creator"], false);
        assert_eq!(standing(&ada, &room).await["creator"], true);
    });
}

/// The same user, with the same cookie.
pub(super) fn returned<'s>(user: &User<'_>, server: &'s Server) -> User<'s> {
    User { server, name: user.name.clone(), credential: user.credential.clone() }
}

pub(super) fn order(user: &User<'_>, room: &str) -> Request {
    request(user, "POST", room)
}

fn show(user: &User<'_>, room: &str) -> Request {
    request(user, "GET", room)
}

fn request(user: &User<'_>, method: &str, room: &str) -> Request {
    let (name, value) = &user.credential;
    let path = format!("/rooms/{}/moderation", encoded(room));
    user.server.request_outside(method, &path).header(name, value)
}

pub(super) async fn standing(user: &User<'_>, room: &str) -> Value {
    show(user, room).send().await.assert_json(200)
}

pub(super) fn epoch(standing: &Value) -> &str {
    standing["epoch"].as_str().expect("the creator is told which life it is")
}

#[track_caller]
fn assert_refused(answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!answer.body.is_empty(), "in a sentence");
}
