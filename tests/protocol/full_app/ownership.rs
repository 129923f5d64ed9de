//! A user name belongs to the browser that uses it.

use crate::kit::{FullApp, Header, Response, Server, unique, with_full_app, with_shared_full_app};

use super::file::File;

#[test]
fn a_name_in_use_is_taken_for_other_browsers() {
    with_shared_full_app(async |app| {
        let user = app.user("owner").await;
        let _socket = user.connect().await;
        let answer = enter(app, &user.name, None).await;
        assert_eq!(answer.status, 409, "{answer:?}");
        assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
        assert!(answer.body.contains("<form"), "the page to try another: {answer:?}");
        let spaced = enter(app, &format!("  {} ", user.name), None).await;
        assert_eq!(spaced.status, 409, "the same name in disguise");
    });
}

#[test]
fn a_name_is_kept_before_the_first_and_after_the_last_connection() {
    with_shared_full_app(async |app| {
        let user = app.user("owner").await;
        assert_eq!(enter(app, &user.name, None).await.status, 409);
        user.connect().await.close().await;
        assert_eq!(enter(app, &user.name, None).await.status, 409);
    });
}

#[test]
fn a_name_stays_its_owners_across_a_crash() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let (there, gone) = (app.user("owner").await, app.user("gone").await);
        let (owner, cookie, free) =
            (there.name.clone(), there.credential.clone(), gone.name.clone());
        gone.log_out().await;
        app.kill().await;
        let next = FullApp::start(&["--store", &file.store()]);
        assert_eq!(enter(&next, &owner, None).await.status, 409);
        assert_eq!(enter(&next, &owner, Some(&cookie)).await.status, 303);
        assert_eq!(enter(&next, &free, None).await.status, 303, "given up before");
    });
}

#[test]
fn the_same_browser_enters_again_and_again() {
    with_shared_full_app(async |app| {
        let user = app.user("owner").await;
        let _socket = user.connect().await;
        let again = enter(app, &user.name, Some(&user.credential)).await;
        assert_eq!(again.status, 303, "{again:?}");
    });
}

#[test]
fn a_browser_may_take_another_name() {
    with_shared_full_app(async |app| {
        let user = app.user("owner").await;
        let other = unique("alias");
        let answer = enter(app, &other, Some(&user.credential)).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.header("Set-Cookie").and_then(|cookie| cookie.split(';').next());
        let session = app.request("GET", "/session").header("Cookie", cookie.expect("a cookie"));
        assert_eq!(session.send().await.json()["user"], other);
    });
}

#[test]
fn after_a_logout_the_name_is_free_at_once() {
    with_shared_full_app(async |app| {
        let user = app.user("owner").await;
        let mut socket = user.connect().await;
        user.log_out().await;
        let next = app.user_named(&user.name).await;
        assert_eq!(next.connect().await.user, user.name);
        assert_eq!(socket.closed().await.code, Some(4501));
        user.upgrade("").refused().await.assert_error(401, "unauthorized");
    });
}

async fn enter(app: &Server, user: &str, cookie: Option<&Header>) -> Response {
    let mut request =
        app.request_outside("POST", "/rooms").form(&[("username", user), ("room", "hall")]);
    if let Some((name, value)) = cookie {
        request = request.header(name, value);
    }
    request.send().await
}
