//! What outlives the process, whatever becomes of it and of its file: names and logouts. Nobody waits for a file without end.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::kit::{FullApp, Response, Server, User, eventually, unique, with_full_app};

use super::{file::File, moderating::returned};

/// Far more than one write that is waited for, and less than several in turn.
const IN_TIME: Duration = Duration::from_secs(8);
const LOGINS: usize = 20;

#[test]
fn a_logout_that_was_answered_holds_after_a_crash() {
    let file = File::new();
    let store = file.store();
    with_full_app(&["--store", &store], async |mut app| {
        for _ in 0..5 {
            let user = app.user("leaver").await;
            user.connect_to(&["hall"]).await;
            user.log_out().await;
            app.kill().await;
            let next = FullApp::start(&["--store", &store]);
            assert_void(&returned(&user, &next)).await;
            app = next;
        }
    });
}

#[test]
fn while_the_file_is_locked_logins_are_refused_in_time_and_none_waits_for_another() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let there = app.user("there").await;
        let names: Vec<_> = (0..LOGINS).map(|_| unique("guest")).collect();
        let other = file.hold().await;
        let began = Instant::now();
        for answer in join_all(names.iter().map(|name| enter(&app, name))).await {
            assert_unavailable(&answer);
            assert!(answer.body.contains("<form"), "what was typed is still there: {answer:?}");
        }
        assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
        there.connect().await;
        File::let_go(other).await;
        eventually("somebody gets in", async || enter(&app, &names[0]).await.status == 303).await;
        for name in &names[1..] {
            assert_eq!(enter(&app, name).await.status, 303, "{name} was left free");
        }
    });
}

#[test]
fn while_the_file_is_locked_a_logout_ends_everything_and_says_that_it_is_not_kept() {
    let file = File::new();
    let store = file.store();
    with_full_app(&["--store", &store], async |app| {
        let user = app.user("leaver").await;
        let mut socket = user.connect_to(&["hall"]).await;
        let other = file.hold().await;
        let began = Instant::now();
        assert_unavailable(&log_out(&user).await);
        assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
        assert_eq!(socket.closed().await.code, Some(4501));
        assert_void(&user).await;
        // Asked again, it is no better.
        assert_unavailable(&log_out(&user).await);
        File::let_go(other).await;
        eventually("it is kept", async || log_out(&user).await.status == 303).await;
        app.kill().await;
        let next = FullApp::start(&["--store", &store]);
        assert_void(&returned(&user, &next)).await;
    });
}

#[test]
fn a_locked_file_does_not_hold_up_the_end() {
    let file = File::new();
    let store = file.store();
    with_full_app(&["--store", &store], async |app| {
        let user = app.user("leaver").await;
        let other = file.hold().await;
        assert_unavailable(&log_out(&user).await);
        let began = Instant::now();
        app.terminate();
        assert!(app.exited().await.success());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        File::let_go(other).await;
        FullApp::start(&["--store", &store]).user("next").await;
    });
}

async fn enter(app: &Server, name: &str) -> Response {
    let form = [("username", name), ("room", "hall")];
    app.request_outside("POST", "/rooms").form(&form).send().await
}

async fn log_out(user: &User<'_>) -> Response {
    let (name, value) = &user.credential;
    user.server.request_outside("POST", "/logout").header(name, value).send().await
}

#[track_caller]
fn assert_unavailable(answer: &Response) {
    assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("5")), "{answer:?}");
    assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
}

async fn assert_void(user: &User<'_>) {
    user.upgrade("").refused().await.assert_error(401, "unauthorized");
    user.get("/session").await.assert_error(401, "unauthorized");
}
