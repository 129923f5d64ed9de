//! Credentials that the host takes back take their sockets along; a host that fails takes nobody's.

use std::time::Duration;

use chatrooms::RoomRegistry;
use chatrooms::ws::Options;
use serde_json::json;

use crate::kit::{
    Adapter, Client, Doorkeeper, InProcess, encoded, in_time, on_each_adapter, unique,
};

on_each_adapter!(
    a_session_ends_within_the_recheck_time_of_its_revocation,
    a_socket_that_the_host_vouches_for_is_not_asked_about,
    a_host_that_does_not_answer_ends_nobody,
    a_host_that_panics_ends_nobody,
    a_host_that_does_not_answer_lets_nobody_in,
    a_host_that_panics_harms_one_request,
    a_host_that_is_slow_delays_no_message,
);

const RECHECK: Duration = Duration::from_millis(200);

async fn a_session_ends_within_the_recheck_time_of_its_revocation(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let (user, other) = (server.user("revoked").await, server.user("other").await);
    let mut witness = other.connect_to(&[&room]).await;
    let mut sockets = [user.connect_to(&[&room]).await, user.connect().await];
    server.doorkeeper_was_asked(6).await;
    server.revoke(&user);
    in_time("both to end", async {
        for socket in &mut sockets {
            assert_eq!(socket.closed().await.code, Some(4500));
            let bye = socket.expect("bye").await;
            assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("unauthorized"), &json!(false)));
        }
    })
    .await;
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    server.doorkeeper_was_asked(3).await;
    witness.catch_up(&room).await;
    user.upgrade("").refused().await.assert_error(401, "unauthorized");
}

async fn a_socket_that_the_host_vouches_for_is_not_asked_about(adapter: Adapter) {
    let server = start(adapter).await;
    let mut guest = Client::open(server.upgrade_at("/lobby")).await.expect("let in");
    guest.expect("joined").await;
    // Somebody else shows that the time of being asked has come more than once. Of the guest this authenticator knows nothing.
    let _asked_about = server.user("asked").await.connect().await;
    server.doorkeeper_was_asked(4).await;
    guest.catch_up("lobby").await;
}

async fn a_host_that_does_not_answer_ends_nobody(adapter: Adapter) {
    stays_while_the_doorkeeper_is(adapter, Doorkeeper::Asleep).await;
}

async fn a_host_that_panics_ends_nobody(adapter: Adapter) {
    stays_while_the_doorkeeper_is(adapter, Doorkeeper::Panicking).await;
}

async fn stays_while_the_doorkeeper_is(adapter: Adapter, doorkeeper: Doorkeeper) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let user = server.user("inside").await;
    let mut client = user.connect_to(&[&room]).await;
    server.doorkeeper_is(doorkeeper);
    server.revoke(&user);
    server.doorkeeper_was_asked(4).await;
    client.catch_up(&room).await;
    server.doorkeeper_is(Doorkeeper::Awake);
    assert_eq!(client.closed().await.code, Some(4500), "asked again, and told");
}

async fn a_host_that_does_not_answer_lets_nobody_in(adapter: Adapter) {
    let server = start(adapter).await;
    let user = server.user("outside").await;
    server.doorkeeper_is(Doorkeeper::Asleep);
    for refusal in [user.upgrade("").refused().await, user.get("/session").await] {
        refusal.assert_refused(503);
        assert!(refusal.header("Retry-After").is_some(), "{refusal:?}");
    }
    server.doorkeeper_is(Doorkeeper::Awake);
    user.connect().await;
}

async fn a_host_that_panics_harms_one_request(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let user = server.user("outside").await;
    let mut inside = server.user("inside").await.connect_to(&[&room]).await;
    server.doorkeeper_is(Doorkeeper::Panicking);
    user.upgrade("").refused().await.assert_error(500, "internal");
    user.get("/session").await.assert_error(500, "internal");
    user.get(&format!("/rooms/{}", encoded(&room))).await.assert_error(500, "internal");
    user.post(&room, &json!({"body": "x"})).await.assert_error(500, "internal");
    server.doorkeeper_is(Doorkeeper::Awake);
    user.connect().await.join(&room).await;
    user.get("/session").await.assert_json(200);
    inside.catch_up(&room).await;
}

async fn a_host_that_is_slow_delays_no_message(adapter: Adapter) {
    let mut options = Options::default();
    // Once asked, it is waited for until the test is over.
    (options.recheck, options.authenticator_time) = (RECHECK, Duration::from_secs(3600));
    let server = InProcess::start_with(adapter, RoomRegistry::builder(), options).await;
    let room = unique("hall");
    let mut client = server.user("inside").await.connect_to(&[&room]).await;
    server.doorkeeper_is(Doorkeeper::Asleep);
    server.doorkeeper_was_asked(1).await;
    for _ in 0..10 {
        client.catch_up(&room).await;
    }
}

async fn start(adapter: Adapter) -> InProcess {
    let mut options = Options::default();
    (options.recheck, options.authenticator_time) = (RECHECK, RECHECK / 2);
    InProcess::start_with(adapter, RoomRegistry::builder(), options).await
}
