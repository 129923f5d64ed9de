//! Nothing but a post of the site's own forms changes anything.

use crate::kit::{unique, with_shared_full_app};

#[test]
fn a_route_takes_its_own_methods_and_no_other() {
    with_shared_full_app(async |app| {
        let user = app.user("guest").await;
        let (name, value) = &user.credential;
        let all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
        for (path, taken) in [
            ("/", &["GET", "HEAD"][..]),
            ("/rooms", &["GET", "HEAD", "POST"]),
            ("/rooms/hall", &["GET", "HEAD"]),
            ("/logout", &["POST"]),
            ("/static/style.css", &["GET", "HEAD"]),
            ("/healthz", &["GET", "HEAD"]),
        ] {
            for method in all.iter().filter(|method| !taken.contains(method)) {
                let request = app.request_outside(method, path).header(name, value);
                let answer = request.send().await;
                assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
                let allowed = answer.header("Allow").unwrap_or_default();
                assert!(
                    taken.iter().all(|one| allowed.contains(one)),
                    "{method} {path}: {allowed}"
                );
            }
        }
        assert_eq!(user.get("/session").await.assert_json(200)["user"], user.name, "logged in");
    });
}

#[test]
fn nobody_enters_by_a_link() {
    with_shared_full_app(async |app| {
        for path in ["/rooms?", "/?"] {
            let path = format!("{path}username={}&room=hall", unique("lured"));
            for method in ["GET", "HEAD"] {
                let request = app.request_outside(method, &path);
                let answer = request.header("X-HTTP-Method-Override", "POST").send().await;
                assert!(answer.header("Set-Cookie").is_none(), "{answer:?}");
            }
        }
    });
}
