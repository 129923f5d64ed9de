//! The cookie: what it is signed with, and when it is void.

use crate::kit::{FullApp, Response, Server, unique, with_full_app, with_shared_full_app};

use super::file::File;

const SECRET: &str = "a secret that is long enough for everybody";

#[test]
fn a_cookie_is_void_when_anything_in_it_was_changed() {
    with_shared_full_app(async |app| {
        let (user, other) = (app.user("honest").await, unique("other"));
        let cookie = &user.credential.1;
        let (_, signed) = cookie.split_once('=').expect("a cookie");
        for forged in [
            cookie.replace("honest", "forged"),
            format!("{cookie}x"),
            format!("chatrooms={}", &signed[44..]),
            format!("chatrooms=2.{}.1.{other}", "0".repeat(32)),
            "chatrooms=".to_owned(),
        ] {
            session(app, &forged).await.assert_error(401, "unauthorized");
            let upgrade = app.upgrade("").header("Cookie", &forged);
            upgrade.refused().await.assert_error(401, "unauthorized");
        }
        assert_eq!(
            session(app, &format!("chatrooms=x; {cookie}")).await.assert_json(200)["user"],
            user.name
        );
    });
}

#[test]
fn a_logout_outlives_the_process() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let (gone, stays) = (app.user("gone").await, app.user("stays").await);
        gone.connect().await;
        gone.log_out().await;
        // Once it has been answered it holds, even against this.
        app.kill().await;

        let next = FullApp::start(&["--store", &file.store()]);
        session(&next, &gone.credential.1).await.assert_error(401, "unauthorized");
        assert_eq!(session(&next, &stays.credential.1).await.assert_json(200)["user"], stays.name);
        let page = next.request_outside("GET", "/rooms/hall").header("Cookie", &gone.credential.1);
        assert_eq!(page.send().await.status, 303);
        next.user_named(&gone.name).await;
    });
}

#[test]
fn after_a_restart_whoever_comes_back_has_their_name_again() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let user = app.user("back").await;
        app.kill().await;
        let next = FullApp::start(&["--store", &file.store()]);
        let upgrade = next.upgrade("").header("Cookie", &user.credential.1);
        upgrade.accepted().await;
        let form = [("username", user.name.as_str()), ("room", "hall")];
        let other = next.request_outside("POST", "/rooms").form(&form).send().await;
        assert_eq!(other.status, 409, "{other:?}");
    });
}

#[test]
fn a_logout_ends_every_name_of_that_browser() {
    with_shared_full_app(async |app| {
        let (user, room, other_name) = (app.user("first").await, unique("hall"), unique("second"));
        let mut first = user.connect_to(&[&room]).await;
        let second = cookie_of(&enter(app, &other_name, &user.credential.1).await);
        let mut socket = app.upgrade("").header("Cookie", &second).open_raw().await;
        let hello = socket.text().await;
        assert!(hello.contains(&format!("\"user\":\"{other_name}\"")), "{hello}");
        first.catch_up(&room).await;

        let out = app.request_outside("POST", "/logout").header("Cookie", &second).send().await;
        assert_eq!(out.status, 303, "{out:?}");
        assert_eq!(first.closed().await.code, Some(4501));
        let bye = socket.text().await;
        assert!(bye.contains("logged_out"), "{bye}");
        for cookie in [&user.credential.1, &second] {
            session(app, cookie).await.assert_error(401, "unauthorized");
        }
        app.user_named(&user.name).await;
        app.user_named(&other_name).await;
    });
}

#[test]
fn who_enters_again_after_a_logout_is_another_browser() {
    with_shared_full_app(async |app| {
        let user = app.user("again").await;
        user.log_out().await;
        let entered = enter(app, &user.name, &user.credential.1).await;
        assert_eq!(session(app, &cookie_of(&entered)).await.assert_json(200)["user"], user.name);
        session(app, &user.credential.1).await.assert_error(401, "unauthorized");
    });
}

#[test]
fn one_secret_makes_a_cookie_good_on_several_servers() {
    let (one, two, three) = (File::new(), File::new(), File::new());
    let other_secret = SECRET.replace("secret", "sesame");
    with_full_app(&["--store", &one.store(), "--secret", SECRET], async |app| {
        let cookie = app.user("traveller").await.credential.1;
        let same = FullApp::start(&["--store", &two.store(), "--secret", SECRET]);
        session(&same, &cookie).await.assert_json(200);
        let other = FullApp::start(&["--store", &three.store(), "--secret", &other_secret]);
        session(&other, &cookie).await.assert_error(401, "unauthorized");
        let random = FullApp::start(&[]);
        session(&random, &cookie).await.assert_error(401, "unauthorized");
    });
}

/// What was logged out is forgotten with the process, so everything is void after it.
#[test]
fn with_a_store_in_memory_cookies_end_with_the_process() {
    for store in ["memory", "sqlite::memory:"] {
        let options = ["--store", store, "--secret", SECRET];
        with_full_app(&options, async |app| {
            let (gone, stays) = (app.user("gone").await, app.user("stays").await);
            gone.log_out().await;
            app.terminate();
            assert!(app.exited().await.success());
            let next = FullApp::start(&options);
            for user in [gone, stays] {
                session(&next, &user.credential.1).await.assert_error(401, "unauthorized");
            }
        });
    }
}

#[test]
fn a_short_secret_is_refused_and_not_repeated() {
    let output = FullApp::command()
        .args(["--addr", "127.0.0.1:0", "--store", "memory"])
        .env("CHATROOMS_SECRET", "hunter2")
        .output()
        .expect("full_app runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("32 bytes") && !said.contains("hunter2"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

async fn session(app: &Server, cookie: &str) -> Response {
    app.request("GET", "/session").header("Cookie", cookie).send().await
}

async fn enter(app: &Server, user: &str, cookie: &str) -> Response {
    let form = [("username", user), ("room", "hall")];
    let entered = app.request_outside("POST", "/rooms").form(&form);
    let entered = entered.header("Cookie", cookie).send().await;
    assert_eq!(entered.status, 303, "{entered:?}");
    entered
}

fn cookie_of(entered: &Response) -> String {
    let cookie = entered.header("Set-Cookie").unwrap_or_else(|| panic!("a cookie: {entered:?}"));
    cookie.split(';').next().unwrap_or_default().to_owned()
}
