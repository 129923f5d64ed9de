//! The pages, and what protects them.

use crate::kit::{Response, unique, with_shared_full_app};
use crate::origin::foreign_origins;

#[test]
fn the_entry_page_is_there_for_everybody() {
    with_shared_full_app(async |app| {
        let page = app.request_outside("GET", "/").send().await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body.contains(r#"name="username""#) && page.body.contains(r#"name="room""#));
        assert_protected(&page);
    });
}

#[test]
fn a_room_page_leads_to_the_entry_without_a_cookie() {
    with_shared_full_app(async |app| {
        let answer = app.request_outside("GET", "/rooms/hall").send().await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/")), "{answer:?}");
        let user = app.user("guest").await;
        let (name, value) = &user.credential;
        let page = app.request_outside("GET", "/rooms/hall").header(name, value).send().await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_protected(&page);
        user.log_out().await;
        let void = app.request_outside("GET", "/rooms/hall").header(name, value).send().await;
        assert_eq!((void.status, void.header("Location")), (303, Some("/")), "{void:?}");
    });
}

#[test]
fn a_logout_clears_the_cookie_and_leads_to_the_entry() {
    with_shared_full_app(async |app| {
        let user = app.user("guest").await;
        let (name, value) = &user.credential;
        let answer = app.request_outside("POST", "/logout").header(name, value).send().await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/")), "{answer:?}");
        let cleared = answer.header("Set-Cookie").expect("the cookie is cleared");
        let (cookie_name, _) = value.split_once('=').expect("a cookie");
        assert!(cleared.starts_with(&format!("{cookie_name}=;")), "{cleared}");
        assert!(cleared.contains("Max-Age=0") || cleared.contains("1970"), "{cleared}");
    });
}

#[test]
fn a_logout_without_a_cookie_leads_to_the_entry_too() {
    with_shared_full_app(async |app| {
        let answer = app.request_outside("POST", "/logout").send().await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/")), "{answer:?}");
    });
}

#[test]
fn a_logout_from_elsewhere_is_forbidden() {
    with_shared_full_app(async |app| {
        let (user, room) = (app.user("lured").await, unique("hall"));
        let mut client = user.connect_to(&[&room]).await;
        let (name, value) = &user.credential;
        for origin in foreign_origins(app) {
            let request = app.request_outside("POST", "/logout").header(name, value);
            let answer = request.header("Origin", &origin).send().await;
            assert_eq!(answer.status, 403, "{origin}: {answer:?}");
        }
        client.catch_up(&room).await;
    });
}

#[test]
fn looking_at_logout_logs_nobody_out() {
    with_shared_full_app(async |app| {
        let (user, room) = (app.user("lured").await, unique("hall"));
        let mut client = user.connect_to(&[&room]).await;
        let (name, value) = &user.credential;
        let answer = app.request_outside("GET", "/logout").header(name, value).send().await;
        assert_eq!(answer.status, 405, "{answer:?}");
        client.catch_up(&room).await;
    });
}

#[test]
fn it_says_that_it_is_healthy() {
    with_shared_full_app(async |app| {
        assert_eq!(app.request_outside("GET", "/healthz").send().await.status, 200);
    });
}

#[test]
fn a_bad_room_in_the_address_is_no_page() {
    with_shared_full_app(async |app| {
        let user = app.user("guest").await;
        let (name, value) = &user.credential;
        for bad in ["%E2%80%AEx", "a%07b", "%2E%2E"] {
            let request = app.request_outside("GET", &format!("/rooms/{bad}"));
            let answer = request.header(name, value).send().await;
            assert!((300..500).contains(&answer.status), "{bad}: {answer:?}");
        }
    });
}

fn assert_protected(page: &Response) {
    let policy = page.header("Content-Security-Policy").expect("a content security policy");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(page.header("Referrer-Policy"), Some("same-origin"));
    assert!(!page.body.contains("<style>") && !page.body.contains(" onclick="), "nothing inline");
}
