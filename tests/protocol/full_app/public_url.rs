//! `--public-url`: behind a proxy that ends TLS, cookies are for TLS alone, and only the public origin's pages may come.

use serde_json::json;

use crate::kit::{FullApp, Request, Response, Server, User, unique, with_full_app};

use super::file::File;

const PUBLIC: &str = "https://chat.example.org";
const HOST: &str = "chat.example.org";
const TLS: [&str; 2] = ["--public-url", PUBLIC];

#[test]
fn over_tls_every_cookie_is_for_this_host_over_tls_alone() {
    with_full_app(&TLS, async |app| {
        let user = unique("guest");
        let entered = enter(&app, &user).send().await;
        assert_eq!(entered.status, 303, "{entered:?}");
        let pair = assert_guarded(&entered, "chatrooms");
        let session = app.request("GET", "/session").header("Cookie", &pair).send().await;
        assert_eq!(session.assert_json(200)["user"], user);

        let sent = app.request_outside("GET", "/rooms/hall").send().await;
        let wanted = assert_guarded(&sent, "chatrooms_room");
        let entry = app.request_outside("GET", "/").header("Cookie", &wanted).send().await;
        assert!(entry.body.contains("value=\"hall\""), "{}", entry.body);
        assert_eq!(assert_guarded(&entry, "chatrooms_room"), "__Host-chatrooms_room=");

        let out = app.request_outside("POST", "/logout").header("Cookie", &pair).send().await;
        assert_eq!(assert_guarded(&out, "chatrooms"), "__Host-chatrooms=");
        let session = app.request("GET", "/session").header("Cookie", &pair);
        session.send().await.assert_error(401, "unauthorized");
    });
}

#[test]
fn over_tls_every_answer_tells_browsers_to_stay_with_it() {
    with_full_app(&TLS, async |app| {
        for path in ["/", "/rooms/hall", "/static/chat.js", "/nothing", "/chat/session"] {
            let answer = app.request_outside("GET", path).send().await;
            assert_eq!(
                answer.header("Strict-Transport-Security"),
                Some("max-age=604800"),
                "{path}"
            );
        }
    });
}

#[test]
fn without_tls_all_is_as_it_was() {
    for options in [&[][..], &["--public-url", "http://chat.example.org"]] {
        with_full_app(options, async |app| {
            let own = format!("http://{}", app.addr);
            let entered = enter(&app, &unique("guest")).header("Origin", &own).send().await;
            let cookie = entered.header("Set-Cookie").expect("a cookie");
            assert!(cookie.starts_with("chatrooms=") && !cookie.contains("Secure"), "{cookie}");
            assert_eq!(entered.header("Strict-Transport-Security"), None);
            let pair = cookie.split(';').next().unwrap_or_default();
            let upgrade = app.upgrade("").header("Cookie", pair);
            upgrade.clone().header("Origin", &own).accepted().await;
            let by_another_name = upgrade.replacing("Host", "chat.local:5000");
            by_another_name.header("Origin", "http://chat.local:5000").accepted().await;
        });
    }
}

#[test]
fn cookies_of_the_other_form_are_not_read() {
    let file = File::new();
    let store = ["--store", &file.store()];
    with_full_app(&store, async |app| {
        let plain = app.user("plain").await.credential.1;
        app.terminate();
        assert!(app.exited().await.success());
        let over_tls = FullApp::start(&[store, TLS].concat());
        assert_other_form_is_not_read(&over_tls, &plain, &format!("__Host-{plain}")).await;
        let guarded = over_tls.user("guarded").await.credential.1;
        over_tls.terminate();
        assert!(over_tls.exited().await.success());
        let again = FullApp::start(&store);
        assert_other_form_is_not_read(&again, &guarded, guarded.trim_start_matches("__Host-"))
            .await;
    });
}

/// As a proxy passes it on that ends TLS for `wss://chat.example.org`, with the public `Host` or one of its own.
#[test]
fn behind_a_proxy_the_public_origin_alone_may_come_and_post() {
    with_full_app(&TLS, async |app| {
        let user = app.user("guest").await;
        let here = app.addr.to_string();
        for host in [HOST, &here] {
            let room = unique("hall");
            let upgrade = user.upgrade(&format!("?room={room}")).replacing("Host", host);
            let mut socket = upgrade.header("Origin", PUBLIC).open_raw().await;
            assert!(socket.text().await.contains(&user.name));
            assert!(socket.text().await.contains(r#""type":"joined""#));
            for (request, status) in posts(&app, &user, &room) {
                let answer = request.replacing("Host", host).header("Origin", PUBLIC).send().await;
                assert_eq!(answer.status, status, "{answer:?}");
            }
            for origin in [
                "http://chat.example.org",
                "https://chat.example.org:8443",
                "https://chat.example.org.evil.example",
                "https://evil.example.org",
                "https://example.org",
                &format!("http://{here}"),
                &format!("https://{here}"),
                "null",
            ] {
                let upgrade = user.upgrade("").replacing("Host", host).header("Origin", origin);
                upgrade.refused().await.assert_error(403, "forbidden");
                for (request, _) in posts(&app, &user, &room) {
                    let request = request.replacing("Host", host).header("Origin", origin);
                    let answer = request.send().await;
                    assert_eq!(answer.status, 403, "{origin} at {host}: {answer:?}");
                }
            }
        }
        let out = app.request_outside("POST", "/logout").header("Cookie", &user.credential.1);
        let foreign = out.clone().header("Origin", "https://evil.example.org").send().await;
        assert_eq!(foreign.status, 403, "{foreign:?}");
        assert_eq!(out.header("Origin", PUBLIC).send().await.status, 303);
    });
}

/// Everything that a page posts, with what it is answered from the right one.
fn posts(app: &Server, user: &User<'_>, room: &str) -> [(Request, u16); 2] {
    let message = user.request("POST", &format!("/rooms/{room}/messages"));
    let form = enter(app, &user.name).header("Cookie", &user.credential.1);
    [(message.json(&json!({"body": "hello"})), 201), (form, 303)]
}

fn enter(app: &Server, user: &str) -> Request {
    app.request_outside("POST", "/rooms").form(&[("username", user), ("room", "hall")])
}

/// Asserts that an answer sets one cookie, guarded as well as it can be, and hands out what the browser will send.
fn assert_guarded(answer: &Response, name: &str) -> String {
    let cookie = answer.header("Set-Cookie").unwrap_or_else(|| panic!("a cookie: {answer:?}"));
    let attributes: Vec<_> = cookie.split("; ").collect();
    assert!(attributes[0].starts_with(&format!("__Host-{name}=")), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(&attribute), "{attribute} in {cookie}");
    }
    assert!(!cookie.to_ascii_lowercase().contains("domain"), "{cookie}");
    attributes[0].to_owned()
}

/// One is the cookie that a browser has; the other is the same as the server would have it now.
async fn assert_other_form_is_not_read(app: &Server, has: &str, wanted: &str) {
    let session =
        async |cookie| app.request("GET", "/session").header("Cookie", cookie).send().await;
    session(has).await.assert_error(401, "unauthorized");
    app.upgrade("").header("Cookie", has).refused().await.assert_error(401, "unauthorized");
    session(wanted).await.assert_json(200);
}
