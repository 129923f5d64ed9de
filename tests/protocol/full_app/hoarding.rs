//! Names that somebody takes and does not use: so many of one browser's, and of one address' where addresses are known.

use crate::kit::{Request, Response, Server, unique, with_full_app, with_shared_full_app};

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

fn form(app: &Server, name: &str) -> Request {
    app.request_outside("POST", "/rooms").form(&[("username", name), ("room", "hall")])
}

fn assert_too_many(answer: &Response) {
    assert_eq!((answer.status, answer.header("Retry-After")), (429, Some("60")), "{answer:?}");
    assert!(answer.body.contains("too many names are in use") && answer.body.contains("<form"));
    assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
}
