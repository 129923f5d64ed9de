//! Names that somebody takes and does not use: so many of one browser's, and of one address' where addresses are known.

use crate::kit::{FullApp, Request, Response, Server, unique, with_full_app, with_shared_full_app};

use super::file::File;

#[test]
fn a_browser_goes_by_so_many_names_at_a_time() {
    with_shared_full_app(async |app| {
        let user = app.user("hoarder").await;
        let enter = async |name: &str| {
            let (header, cookie) = &user.credential;
            form(app, name).header(header, cookie).send().await
        };
        for _ in 1..8 {
            assert_eq!(enter(&unique("hoarded")).await.status, 303);
        }
        let wanted = unique("wanted");
        assert_too_many(&enter(&wanted).await);
        assert_eq!(enter(&user.name).await.status, 303, "what is theirs already stays theirs");
        assert_eq!(form(app, &wanted).send().await.status, 303, "it has not been taken");
        user.log_out().await;
        app.user_named(&user.name).await;
    });
}

#[test]
fn an_address_has_so_many_names_whatever_browsers_they_are_of() {
    let options =
        ["--sessions-per-address=9", "--names-per-address=2", "--trusted-proxy=127.0.0.1"];
    with_full_app(&options, async |app| {
        let from = |name: &str, address: &str| form(&app, name).header("X-Forwarded-For", address);
        for name in ["one", "two"] {
            assert_eq!(from(name, "2001:db8::1").send().await.status, 303);
        }
        assert_too_many(&from("three", "2001:db8::2").send().await);
        assert_eq!(from("three", "2001:db8:0:1::1").send().await.status, 303);
    });
}

#[test]
fn a_handshake_that_would_take_one_too_many_is_told_so_as_the_form_is() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let cookies = [app.user("one").await, app.user("two").await].map(|user| user.credential);
        app.kill().await;
        // As if both had stayed away until their names were free.
        file.ask::<i64>("DELETE FROM full_app_names RETURNING 1").await;
        let limits = ["--sessions-per-address=9", "--names-per-address=1"];
        let next = FullApp::start(&[&["--store", &file.store()][..], &limits].concat());
        let [one, two] = cookies.each_ref();
        next.upgrade("").header(&one.0, &one.1).accepted().await;
        let refused = next.upgrade("").header(&two.0, &two.1).refused().await;
        let asked = next.request("GET", "/session").header(&two.0, &two.1).send().await;
        for answer in [refused, asked] {
            answer.assert_error(429, "too_many_sessions");
            assert_eq!(answer.header("Retry-After"), Some("10"), "{answer:?}");
        }
        assert_too_many(&form(&next, "two").header(&two.0, &two.1).send().await);
    });
}

fn form(app: &Server, name: &str) -> Request {
    app.request_outside("POST", "/rooms").form(&[("username", name), ("room", "hall")])
}

fn assert_too_many(answer: &Response) {
    assert_eq!((answer.status, answer.header("Retry-After")), (429, Some("60")), "{answer:?}");
    assert!(answer.body.contains("too many names are in use") && answer.body.contains("<form"));
    assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
}
