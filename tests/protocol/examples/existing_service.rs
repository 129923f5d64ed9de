//! `existing_service`: chat for the members of a service that was there before.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join};
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::kit::{Example, Header, Host, Response, Server, User, users, with_example};

#[test]
fn a_stranger_gets_401() {
    with_service(async |service| {
        for cookie in ["", "login=", "login=0123456789abcdef"] {
            let upgrade = service.upgrade("?room=lobby").header("Cookie", cookie);
            upgrade.refused().await.assert_error(401, "unauthorized");
            for path in ["/session", "/rooms", "/rooms/lobby/messages"] {
                let request = service.request("GET", path).header("Cookie", cookie);
                request.send().await.assert_error(401, "unauthorized");
            }
            let home = service.request_outside("GET", "/home").header("Cookie", cookie);
            assert_led_to("/", &home.send().await);
        }
        assert_eq!(log_in(&service, "mallory").await.status, 403);
    });
}

#[test]
fn members_talk_under_their_own_names() {
    with_service(async |service| {
        let mut ada = service.user_named("ada").await.connect_to(&["lobby"]).await;
        let mut bob = service.user_named("bob").await.connect().await;
        let joined = bob.join("lobby").await;
        assert_eq!(users(&joined), ["ada", "bob"]);
        bob.say("lobby", "can we build it?").await;
        let heard = ada.expect("message").await;
        assert_eq!((&heard["user"], &heard["name"]), (&json!("bob"), &json!("Bob Builder")));
        assert_eq!(heard["body"], "can we build it?");
    });
}

#[test]
fn some_rooms_are_for_a_plan() {
    with_service(async |service| {
        let (ada, bob) = (service.user_named("ada").await, service.user_named("bob").await);
        let _keeps_it_open = ada.connect_to(&["pro lounge"]).await;
        let mut client = bob.connect_with("?room=pro%20lounge").await;
        let error = client.expect("error").await;
        assert_eq!((&error["code"], &error["room"]), (&json!("x-pro-only"), &json!("pro lounge")));
        client.refused("x-pro-only", json!({"type": "join", "room": "pro lounge"})).await;
        bob.get("/rooms/pro%20lounge").await.assert_error(403, "x-pro-only");
        let posted = bob.post("pro lounge", &json!({"body": "psst"})).await;
        posted.assert_error(403, "x-pro-only");
        client.join("lobby").await;
    });
}

#[test]
fn a_logout_ends_the_sockets_in_all_browsers() {
    with_service(async |service| {
        let (one, other) = (service.user_named("ada").await, service.user_named("ada").await);
        assert_ne!(one.credential, other.credential, "each browser has a login of its own");
        let mut sockets = [one.connect_to(&["lobby"]).await, other.connect_to(&["lobby"]).await];
        let mut bob = service.user_named("bob").await.connect_to(&["lobby"]).await;
        one.log_out().await;
        for socket in &mut sockets {
            assert_eq!(socket.closed().await.code, Some(4501));
            assert_eq!(socket.expect("bye").await["code"], "logged_out");
        }
        bob.expect_where("ada's leave", |frame| frame["left"] == json!(["ada"])).await;
        for user in [&one, &other] {
            user.upgrade("").refused().await.assert_error(401, "unauthorized");
            assert_led_to("/", &visit(user, "/home").await);
        }
        service.user_named("ada").await.connect_to(&["lobby"]).await;
    });
}

#[test]
fn the_sockets_end_with_the_login() {
    let folder = TempDir::new().expect("a temporary folder");
    with_service_in(&folder, async |service| {
        let bob = service.user_named("bob").await;
        shorten_logins(&folder).await;
        let mut client = bob.connect_to(&["lobby"]).await;
        assert_eq!(client.closed().await.code, Some(4500));
        bob.upgrade("").refused().await.assert_error(401, "unauthorized");
    });
}

#[test]
fn the_services_own_middleware_is_around_the_chat() {
    with_service(async |service| {
        let ada = service.user_named("ada").await;
        let me = visit(&ada, "/me").await;
        let known = json!({"login": "ada", "name": "Ada Lovelace", "plan": "pro"});
        assert_eq!(me.assert_json(200), known);
        let stranger = service.upgrade("").refused().await;
        let upgraded = ada.upgrade("").accepted().await;
        for answer in [&me, &stranger, &upgraded, &visit(&ada, "/home").await] {
            let id = answer.header("X-Request-Id").and_then(|id| id.parse::<u64>().ok());
            assert!(id.is_some(), "{answer:?}");
        }
    });
}

#[test]
fn its_end_is_graceful_and_logins_outlive_it() {
    let folder = TempDir::new().expect("a temporary folder");
    let mut credential = None;
    with_service_in(&folder, async |service| {
        let ada = service.user_named("ada").await;
        let mut client = ada.connect_to(&["lobby"]).await;
        let ((), close) = join(service.host.shut_down(), client.closed()).await;
        assert_eq!(close.code, Some(1001));
        let bye = client.expect("bye").await;
        assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("shutting_down"), &json!(true)));
        credential = Some(ada.credential.clone());
    });
    with_service_in(&folder, async |service| {
        let credential = credential.expect("ada was logged in");
        let ada = User { server: &service, name: "ada".to_owned(), credential };
        let joined = ada.connect().await.join("lobby").await;
        assert_eq!(joined["seq"], 0);
    });
}

#[test]
fn the_chat_is_in_one_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/existing_service");
    let mut marked = 0;
    for file in fs::read_dir(folder).expect("the example") {
        let path = file.expect("a file").path();
        let source = fs::read_to_string(&path).expect("its text");
        if path.ends_with("chat.rs") || path.extension().is_some_and(|it| it == "html") {
            continue;
        }
        for line in source.lines().filter(|line| !line.starts_with("//!")) {
            let is_marked = line.ends_with("// chat");
            marked += usize::from(is_marked);
            assert!(is_marked || !line.to_lowercase().contains("chat"), "{path:?}: {line}");
        }
    }
    assert_eq!(marked, 10, "lines that the chat took in the service's own files");
}

fn with_service(script: impl AsyncFnOnce(Server)) {
    let folder = TempDir::new().expect("a temporary folder");
    with_service_in(&folder, script);
}

/// Runs a script on a service that keeps its database in this folder.
fn with_service_in(folder: &TempDir, script: impl AsyncFnOnce(Server)) {
    let environment = [("DATABASE_URL", &*url(folder))];
    with_example("existing_service", &environment, async |example| {
        let (addr, mount) = (example.addr, "/chat".to_owned());
        script(Server { addr, mount, host: Box::new(example) }).await;
    });
}

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("members.db").display())
}

impl Host for Example {
    fn admit<'a>(&'a self, server: &'a Server, user: &'a str) -> LocalBoxFuture<'a, Header> {
        async move {
            let answer = log_in(server, user).await;
            assert_led_to("/home", &answer);
            let cookie = answer.header("Set-Cookie").expect("a cookie for the browser");
            for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(
                    cookie.split("; ").any(|part| part == attribute),
                    "{attribute} in {cookie}"
                );
            }
            let pair = cookie.split(';').next().unwrap_or_default();
            ("Cookie".to_owned(), pair.to_owned())
        }
        .boxed_local()
    }

    fn log_out<'a>(&'a self, server: &'a Server, credential: &'a Header) -> LocalBoxFuture<'a, ()> {
        async move {
            let (name, value) = credential;
            let request = server.request_outside("POST", "/logout").header(name, value);
            assert_led_to("/", &request.send().await);
        }
        .boxed_local()
    }

    fn shut_down(&self) -> LocalBoxFuture<'_, ()> {
        Self::shut_down(self).boxed_local()
    }
}

async fn log_in(service: &Server, member: &str) -> Response {
    service.request_outside("POST", "/login").form(&[("login", member)]).send().await
}

async fn visit(user: &User<'_>, path: &str) -> Response {
    let (name, value) = &user.credential;
    user.server.request_outside("GET", path).header(name, value).send().await
}

#[track_caller]
fn assert_led_to(path: &str, answer: &Response) {
    assert_eq!((answer.status, answer.header("Location")), (303, Some(path)), "{answer:?}");
}

/// Leaves every login three seconds or four.
async fn shorten_logins(folder: &TempDir) {
    let mut database = SqliteConnection::connect(&url(folder)).await.expect("the database");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right");
    let until = (now + Duration::from_secs(4)).as_secs().cast_signed();
    let shortened = sqlx::query("UPDATE logins SET until = ?").bind(until);
    assert_eq!(
        shortened.execute(&mut database).await.expect("it is not locked").rows_affected(),
        1
    );
}
