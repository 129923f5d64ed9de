//! The files that the pages load.

use crate::kit::{Response, Server, with_shared_full_app};

#[test]
fn everything_the_pages_name_is_there_with_its_type() {
    with_shared_full_app(async |app| {
        let user = app.user("guest").await;
        let (name, value) = &user.credential;
        let entry = app.request_outside("GET", "/").send().await;
        let chat = app.request_outside("GET", "/rooms/hall").header(name, value).send().await;
        let mut waiting = vec![entry.body, chat.body];
        let mut seen = Vec::new();
        while let Some(text) = waiting.pop() {
            for path in named(&text) {
                if seen.contains(&path) {
                    continue;
                }
                let file = get(app, &path).await;
                assert_eq!(file.status, 200, "{path}: {file:?}");
                assert_eq!(file.header("Content-Type"), content_type(&path), "{path}");
                assert_eq!(file.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
                seen.push(path);
                waiting.push(file.body);
            }
        }
        assert!(seen.len() > 10, "{seen:?}");
    });
}

#[test]
fn a_file_is_transferred_once_and_then_only_asked_about() {
    with_shared_full_app(async |app| {
        let file = get(app, "/static/style.css").await;
        assert_eq!(file.header("Cache-Control"), Some("no-cache"));
        let tag = file.header("ETag").expect("a tag");
        let asked = |tag: &str| {
            app.request_outside("GET", "/static/style.css").header("If-None-Match", tag).send()
        };
        let unchanged = asked(tag).await;
        assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""), "{unchanged:?}");
        assert_eq!(unchanged.header("ETag"), Some(tag));
        assert_eq!(asked("\"of another version\"").await.status, 200);
        let other = get(app, "/static/chat.css").await;
        assert_ne!(other.header("ETag"), Some(tag));
    });
}

#[test]
fn a_head_says_what_a_get_would() {
    with_shared_full_app(async |app| {
        for path in ["/", "/static/style.css", "/healthz"] {
            let (get, head) =
                (get(app, path).await, app.request_outside("HEAD", path).send().await);
            assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
            for name in ["Content-Type", "Content-Length", "ETag", "Content-Security-Policy"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            }
        }
    });
}

#[test]
fn nothing_else_is_served() {
    with_shared_full_app(async |app| {
        for path in [
            "/static/entry.html",
            "/static/nothing.css",
            "/static/",
            "/static/..%2Fmain.rs",
            "/static/%2e%2e%2fCargo.toml",
            "/static//etc/passwd",
            "/static/style.css/x",
            "/favicon.ico",
        ] {
            assert_eq!(get(app, path).await.status, 404, "{path}");
        }
        let posted = app.request_outside("POST", "/static/style.css").send().await;
        assert_eq!(posted.status, 405, "{posted:?}");
    });
}

async fn get(app: &Server, path: &str) -> Response {
    app.request_outside("GET", path).send().await
}

/// The paths of this server's own files in a text.
fn named(text: &str) -> Vec<String> {
    let rest = text.split("\"/static/").chain(text.split("\"./")).skip(1);
    let names = rest.filter_map(|rest| rest.split(['"', '#']).next());
    let names =
        names.filter(|name| content_type(name).is_some() && !name.contains(char::is_whitespace));
    names.map(|name| format!("/static/{name}")).collect()
}

fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml; charset=utf-8"),
        _ => None,
    }
}
