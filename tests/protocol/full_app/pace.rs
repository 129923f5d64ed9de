//! How fast pages may be asked for and forms be posted, by one browser and from one address.

use crate::kit::{Request, Response, Server, unique, with_full_app};

const FLOOD: usize = 600;

#[test]
fn a_browser_asks_for_pages_and_posts_forms_so_fast() {
    with_full_app(&[], async |app| {
        let room = format!("/rooms/{}", unique("hall"));
        let moderation = format!("{room}/moderation");
        for (method, path) in [
            ("GET", "/"),
            ("GET", &room),
            ("GET", &moderation),
            ("POST", &moderation),
            ("POST", "/rooms"),
            ("POST", "/logout"),
        ] {
            let (hasty, calm) = (app.user("hasty").await, app.user("calm").await);
            let ask = |(header, cookie): &(String, String)| {
                app.request_outside(method, path).header(header, cookie)
            };
            let answers = ask(&hasty.credential).flood(FLOOD).await;
            assert_some_too_fast(&answers, 80..=450);
            for one in [ask(&calm.credential), app.request_outside(method, path)] {
                assert_ne!(one.send().await.status, 429, "{method} {path}");
            }
        }
    });
}

#[test]
fn what_another_site_has_a_browser_send_is_not_its_haste() {
    with_full_app(&[], async |app| {
        let lured = app.user("lured").await;
        let (header, cookie) = &lured.credential;
        let post = app.request_outside("POST", "/logout").header(header, cookie);
        let foreign = post.header("Origin", "https://elsewhere.example");
        let answers = foreign.flood(FLOOD).await;
        assert!(answers.iter().all(|answer| answer.status == 403));
        lured.log_out().await;
    });
}

#[test]
fn an_address_is_so_fast_where_it_is_known() {
    let options = ["--sessions-per-address=9", "--trusted-proxy=127.0.0.1"];
    with_full_app(&options, async |app| {
        let answers = from(&app, "192.0.2.1").flood(5000).await;
        assert_some_too_fast(&answers, 2000..=4500);
        assert_eq!(from(&app, "192.0.2.2").send().await.status, 303);
    });
    with_full_app(&[], async |app| {
        let answers = from(&app, "192.0.2.1").flood(5000).await;
        assert!(answers.iter().all(|answer| answer.status == 303));
    });
}

/// What costs next to nothing to answer, so that it is fast enough.
fn from(app: &Server, address: &str) -> Request {
    app.request_outside("GET", "/rooms").header("X-Forwarded-For", address)
}

#[track_caller]
fn assert_some_too_fast(answers: &[Response], granted: std::ops::RangeInclusive<usize>) {
    let is_refused = |answer: &&Response| answer.status == 429;
    let refused: Vec<_> = answers.iter().filter(is_refused).collect();
    let others = answers.len() - refused.len();
    assert!(granted.contains(&others), "{others} of {} were granted", answers.len());
    for answer in refused {
        assert_eq!(answer.header("Retry-After"), Some("1"), "{answer:?}");
        assert!(answer.body.contains("too fast"), "{answer:?}");
        assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
    }
}
