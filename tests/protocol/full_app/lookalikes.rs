//! No name can be mistaken for another: not by mixing alphabets, and not for one that is in use.

use std::time::{SystemTime, UNIX_EPOCH};

use cookie::{Cookie, CookieJar, Key};
use futures_util::future::join_all;
use serde_json::json;

use crate::kit::{
    Client, FullApp, Response, Server, encoded, unique, users, with_full_app, with_shared_full_app,
};

use super::file::File;

const SECRET: &str = "a secret that is long enough for everybody";
/// `paypal`, in Cyrillic letters but for its end.
const MIXED: &str = "\u{440}\u{430}\u{443}\u{440}\u{430}l";

#[test]
fn a_name_that_mixes_alphabets_brings_the_page_back_with_the_reason() {
    with_shared_full_app(async |app| {
        for mixed in [MIXED, "\u{3bf}mega", "\u{561}d\u{561}"] {
            let answer = enter(app, &unique(mixed)).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
            assert!(reason(&answer).contains("one alphabet"), "{answer:?}");
        }
    });
}

#[test]
fn a_name_in_which_something_cannot_be_seen_brings_the_page_back_with_the_reason() {
    with_shared_full_app(async |app| {
        let number = unique("");
        for unseen in ["\u{2800}", "\u{3164}", "\u{fffc}", "\u{180e}", "\u{e0041}", "\u{e000}"] {
            for name in [format!("{number}{unseen}"), format!("ada{unseen}{number}"), unseen.into()]
            {
                let answer = enter(app, &name).await;
                assert_eq!(answer.status, 400, "{answer:?}");
                assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
                assert!(reason(&answer).contains("not everybody can see it"), "{answer:?}");
            }
        }
        let answer = enter(app, "\u{301}\u{302}").await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(reason(&answer).contains("accent"), "{answer:?}");
    });
}

#[test]
fn names_that_people_have_are_let_in() {
    with_shared_full_app(async |app| {
        for name in [
            "Zo\u{eb}",
            "\u{410}\u{43d}\u{43d}\u{430}",
            "\u{738b}\u{5c0f}\u{660e} Wang",
            "\u{6771}\u{4eac}\u{306e}\u{30a2}\u{30fc}\u{30c8}",
            "\u{91d1}\u{c724}\u{c544} Kim",
            "\u{1f600}",
            "\u{2764}\u{fe0f}",
        ] {
            let user = app.user(name).await;
            assert_eq!(user.connect().await.user, user.name);
        }
    });
}

#[test]
fn a_cookie_from_before_whose_name_mixes_alphabets_is_none() {
    with_full_app(&["--secret", SECRET], async |app| {
        let cookie = signed(1, MIXED);
        refused_everywhere(&app, &cookie, 401, "unauthorized").await;
        let page = visit(&app, &cookie).await;
        assert_eq!((page.status, page.header("Location")), (303, Some("/")), "{page:?}");
        let honest = signed(1, "paypal");
        app.upgrade("?room=hall").header("Cookie", &honest).accepted().await;
    });
}

#[test]
fn a_name_that_looks_like_one_in_use_is_refused_on_every_way_in() {
    with_full_app(&["--secret", SECRET], async |app| {
        let ada = app.user_named("scope").await;
        let mut in_the_hall = ada.connect_to(&["hall"]).await;
        let lookalike = "\u{455}\u{441}\u{43e}\u{440}\u{435}";

        let form = enter(&app, lookalike).await;
        assert_eq!(form.status, 409, "{form:?}");
        assert!(form.header("Set-Cookie").is_none(), "{form:?}");
        assert!(reason(&form).contains("looks the same"), "{form:?}");

        let cookie = signed(1, lookalike);
        refused_everywhere(&app, &cookie, 403, "forbidden").await;
        let page = visit(&app, &cookie).await;
        assert_eq!(page.status, 409, "{page:?}");
        assert!(reason(&page).contains("looks the same"), "{page:?}");

        let mut other_tab = ada.connect().await;
        let joined = other_tab.join("hall").await;
        assert_eq!(users(&joined), ["scope"]);
        in_the_hall.catch_up("hall").await;
        ada.log_out().await;
        let mut now = Client::open(app.upgrade("").header("Cookie", &cookie)).await.expect("free");
        assert_eq!(users(&now.join("hall").await), [lookalike]);
        assert_eq!(enter(&app, "scope").await.status, 409, "now it is the other way round");
    });
}

#[test]
fn one_browser_is_not_two_who_look_alike_either() {
    with_shared_full_app(async |app| {
        let number = unique("");
        let user = app.user_named(&format!("Ian{number}")).await;
        let form = [("username", format!("lan{number}")), ("room", "hall".to_owned())];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let request = app.request_outside("POST", "/rooms").form(&form);
        let answer = request.header("Cookie", &user.credential.1).send().await;
        assert_eq!(answer.status, 409, "{answer:?}");
    });
}

#[test]
fn of_those_who_look_alike_and_come_at_once_one_gets_in() {
    with_full_app(&["--secret", SECRET], async |app| {
        for round in 0..5 {
            let names = alike(&format!("-{round}"));
            let forms = join_all(names.iter().map(|name| enter(&app, name))).await;
            let statuses: Vec<_> = forms.iter().map(|answer| answer.status).collect();
            assert_eq!(count(&statuses, 303), 1, "{statuses:?}");
            assert_eq!(count(&statuses, 409), names.len() - 1, "{statuses:?}");

            let names = alike(&format!("+{round}"));
            let opened = join_all(names.iter().zip(1..).map(async |(name, browser)| {
                let upgrade = app.upgrade("?room=hall").header("Cookie", &signed(browser, name));
                Client::open(upgrade).await
            }))
            .await;
            let (inside, outside): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
            assert_eq!((inside.len(), outside.len()), (1, names.len() - 1));
            for refused in outside {
                refused.err().expect("refused").assert_error(403, "forbidden");
            }
            let mut inside = inside.into_iter().flatten().next().expect("one");
            let joined = inside.expect_in("joined", "hall").await;
            assert_eq!(users(&joined), [inside.user.as_str()]);
            inside.leave("hall").await;
        }
    });
}

#[test]
fn a_crash_lets_no_lookalike_in() {
    let file = File::new();
    let options = ["--store", &file.store(), "--secret", SECRET];
    with_full_app(&options, async |app| {
        let ada = app.user_named("scope").await;
        app.kill().await;
        let next = FullApp::start(&options);
        let cookie = signed(1, "\u{455}\u{441}\u{43e}\u{440}\u{435}");
        refused_everywhere(&next, &cookie, 403, "forbidden").await;
        next.upgrade("").header("Cookie", &ada.credential.1).accepted().await;
    });
}

/// Names that differ, and to the eye do not.
fn alike(end: &str) -> Vec<String> {
    let letters = ['I', 'l', '1'];
    let pairs = letters.iter().flat_map(|one| letters.map(|other| format!("{one}{other}")));
    pairs.map(|name| format!("{name}{end}")).collect()
}

/// A cookie as the application would have issued it, without its asking whose the name is.
fn signed(browser: u8, user: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let value = format!("2.{browser:032x}.{now}.{}", encoded(user));
    let mut jar = CookieJar::new();
    let key = Key::derive_from(SECRET.as_bytes());
    jar.signed_mut(&key).add(Cookie::new("chatrooms", value));
    jar.get("chatrooms").expect("just added").to_string()
}

async fn refused_everywhere(app: &Server, cookie: &str, status: u16, code: &str) {
    for query in ["", "?room=hall"] {
        let upgrade = app.upgrade(query).header("Cookie", cookie);
        upgrade.refused().await.assert_error(status, code);
    }
    let session = app.request("GET", "/session").header("Cookie", cookie);
    session.send().await.assert_error(status, code);
    let post = app.request("POST", "/rooms/hall/messages").json(&json!({"body": "it is me"}));
    post.header("Cookie", cookie).send().await.assert_error(status, code);
}

async fn enter(app: &Server, user: &str) -> Response {
    let form = [("username", user), ("room", "hall")];
    app.request_outside("POST", "/rooms").form(&form).send().await
}

async fn visit(app: &Server, cookie: &str) -> Response {
    app.request_outside("GET", "/rooms/hall").header("Cookie", cookie).send().await
}

/// What the page says about the user name.
fn reason(page: &Response) -> &str {
    let (_, after) = page.body.split_once("id=\"username-error\">").expect("the place of a reason");
    after.split('<').next().unwrap_or_default()
}

fn count(statuses: &[u16], wanted: u16) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}
