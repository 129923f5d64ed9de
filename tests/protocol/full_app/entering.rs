//! `POST /rooms`: the way in, and the cookie that comes of it.

use crate::kit::{Response, Server, encoded, unique, with_shared_full_app};
use crate::names::bad_names;
use crate::origin::foreign_origins;

#[test]
fn entering_sets_a_cookie_and_leads_to_the_room() {
    with_shared_full_app(async |app| {
        let (user, room) = (unique("guest"), unique("the big/hall?"));
        let answer = enter(app, &user, &room).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let expected = format!("/rooms/{}", encoded(&room));
        let location = answer.header("Location").expect("a location");
        assert_eq!(location, expected);
        let cookie = answer.header("Set-Cookie").expect("a cookie");
        let attributes: Vec<_> = cookie.split(';').map(str::trim).collect();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&attribute), "{attribute} in {cookie}");
        }
        let page = with_cookie(app, "GET", location, &answer).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.header("Content-Type").is_some_and(|kind| kind.starts_with("text/html")));
    });
}

#[test]
fn names_are_normalised_on_the_way_in() {
    with_shared_full_app(async |app| {
        let (user, room) = (unique("ann"), unique("hall"));
        let answer = enter(app, &format!("  {user}   b "), &format!(" the   {room} ")).await;
        let expected = format!("/rooms/{}", encoded(&format!("the {room}")));
        assert_eq!(answer.header("Location"), Some(expected.as_str()));
        let session = with_cookie(app, "GET", "/chat/session", &answer).await;
        assert_eq!(session.json()["user"], format!("{user} b"));
    });
}

#[test]
fn bad_names_bring_the_page_back_with_the_reason() {
    with_shared_full_app(async |app| {
        for bad in bad_names() {
            for answer in [enter(app, &bad, "hall").await, enter(app, &unique("guest"), &bad).await]
            {
                assert_eq!(answer.status, 400, "{bad:?}: {answer:?}");
                assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
                assert!(
                    answer.header("Content-Type").is_some_and(|kind| kind.starts_with("text/html"))
                );
                assert!(answer.body.contains("<form"), "the page to try again: {answer:?}");
            }
        }
    });
}

#[test]
fn what_was_typed_comes_back_escaped() {
    with_shared_full_app(async |app| {
        let typed = "<script>alert(\"1\")</script>";
        let answer = enter(app, typed, "..").await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains(typed), "{}", answer.body);
    });
}

#[test]
fn a_form_that_is_none_is_refused() {
    with_shared_full_app(async |app| {
        let incomplete = app.request_outside("POST", "/rooms").form(&[("username", "guest")]);
        assert!((400..500).contains(&incomplete.send().await.status));
        let json = app.request_outside("POST", "/rooms").body("application/json", "{}");
        assert!((400..500).contains(&json.send().await.status));
    });
}

#[test]
fn entering_from_elsewhere_is_forbidden() {
    with_shared_full_app(async |app| {
        let user = unique("lured");
        let form = [("username", user.as_str()), ("room", "hall")];
        let post = || app.request_outside("POST", "/rooms").form(&form);
        for origin in foreign_origins(app) {
            let answer = post().header("Origin", &origin).send().await;
            assert_eq!(answer.status, 403, "{origin}: {answer:?}");
            assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
        }
        let own = format!("http://{}", app.addr);
        assert_eq!(post().header("Origin", &own).send().await.status, 303);
    });
}

async fn enter(app: &Server, user: &str, room: &str) -> Response {
    app.request_outside("POST", "/rooms").form(&[("username", user), ("room", room)]).send().await
}

async fn with_cookie(app: &Server, method: &str, path: &str, entered: &Response) -> Response {
    let cookie = entered.header("Set-Cookie").and_then(|cookie| cookie.split(';').next());
    let request = app.request_outside(method, path).header("Cookie", cookie.expect("a cookie"));
    request.send().await
}
