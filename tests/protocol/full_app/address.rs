//! `/rooms/{room}`: the address that people share.

use crate::kit::{FullApp, Request, Server, encoded, unique, with_full_app, with_shared_full_app};

use super::file::File;

#[test]
fn a_room_has_one_address() {
    with_shared_full_app(async |app| {
        let user = app.user("guest").await;
        let composed = "\u{e9}t\u{e9}";
        for (given, room) in [
            ("%20hall%20", "hall"),
            ("a%20%20b", "a b"),
            ("e%CC%81te%CC%81", composed),
            ("a%2Fb%20%3Fc%20", "a/b ?c"),
        ] {
            let answer = visit(app, &format!("/rooms/{given}"), &user.credential.1).send().await;
            let to = format!("/rooms/{}", encoded(room));
            assert_eq!(
                (answer.status, answer.header("Location")),
                (303, Some(to.as_str())),
                "{given}"
            );
            let page = visit(app, &to, &user.credential.1).send().await;
            assert_eq!(page.status, 200, "{to}: {page:?}");
        }
    });
}

#[test]
fn a_bad_name_brings_the_entry_with_the_reason() {
    with_shared_full_app(async |app| {
        let user = app.user("guest").await;
        for bad in ["a%07b", "%E2%80%AEx", "%2E%2E", "%20", "%FF", &"x".repeat(65)] {
            let page = visit(app, &format!("/rooms/{bad}"), &user.credential.1).send().await;
            assert_eq!(page.status, 400, "{bad}: {page:?}");
            let (_, after) =
                page.body.split_once("id=\"room-error\">").expect("the place of a reason");
            let reason = after.split('<').next().unwrap_or_default();
            assert!(reason.len() > 10, "{bad}: {reason:?}");
            assert!(page.body.contains(&format!("value=\"{}\"", user.name)), "{}", page.body);
        }
        let hostile = visit(app, "/rooms/%22%3E%3Cscript%3E%07", "none").send().await;
        assert_eq!(hostile.status, 400);
        assert!(!hostile.body.contains("<script>"), "{}", hostile.body);
    });
}

#[test]
fn a_shared_link_is_remembered_while_a_name_is_chosen() {
    with_shared_full_app(async |app| {
        let room = unique("the late shift, caf\u{e9}");
        let sent = app.request_outside("GET", &format!("/rooms/{}", encoded(&room))).send().await;
        assert_eq!((sent.status, sent.header("Location")), (303, Some("/")), "{sent:?}");
        let cookie = sent.header("Set-Cookie").expect("a cookie");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=300"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute} in {cookie}");
        }
        let pair = cookie.split(';').next().unwrap_or_default();
        let entry = visit(app, "/", pair).send().await;
        assert!(entry.body.contains(&format!("value=\"{room}\"")), "{}", entry.body);
        let cleared = entry.header("Set-Cookie").expect("it is forgotten again");
        assert!(cleared.contains("Max-Age=0"), "{cleared}");

        let nonsense = visit(app, "/", "chatrooms_room=%07").send().await;
        assert_eq!((nonsense.status, nonsense.header("Set-Cookie")), (200, None), "{nonsense:?}");
    });
}

#[test]
fn the_entry_knows_who_comes_back() {
    with_shared_full_app(async |app| {
        let user = app.user("guest & co").await;
        let value = format!("value=\"{}\"", user.name.replace('&', "&amp;"));
        let entry = visit(app, "/", &user.credential.1).send().await;
        assert!(entry.body.contains(&value), "{}", entry.body);
        user.log_out().await;
        let entry = visit(app, "/", &user.credential.1).send().await;
        assert!(!entry.body.contains(&value), "{}", entry.body);
    });
}

#[test]
fn a_form_address_leads_back_to_the_form() {
    with_shared_full_app(async |app| {
        let answer = app.request_outside("GET", "/rooms").send().await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/")), "{answer:?}");
    });
}

#[test]
fn who_comes_back_when_the_name_has_gone_to_another_chooses_anew() {
    let file = File::new();
    with_full_app(&["--store", &file.store()], async |app| {
        let user = app.user("early").await;
        let cookie = user.credential.1.clone();
        app.kill().await;
        // As if she had stayed away until the name was free.
        file.ask::<i64>("DELETE FROM full_app_names RETURNING 1").await;
        let next = FullApp::start(&["--store", &file.store()]);
        let other = next.user_named(&user.name).await;

        let page = visit(&next, "/rooms/hall", &cookie).send().await;
        assert_eq!(page.status, 409, "{page:?}");
        assert!(page.body.contains("value=\"hall\"") && page.body.contains("aria-invalid"));
        next.upgrade("").header("Cookie", &cookie).refused().await.assert_error(403, "forbidden");
        let session = next.request("GET", "/session").header("Cookie", &cookie).send().await;
        session.assert_error(403, "forbidden");
        other.log_out().await;
        assert_eq!(visit(&next, "/rooms/hall", &cookie).send().await.status, 200);
        next.upgrade("").header("Cookie", &cookie).accepted().await;
    });
}

fn visit(app: &Server, path: &str, cookie: &str) -> Request {
    app.request_outside("GET", path).header("Cookie", cookie)
}
