//! Credentials that end take their sockets along.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::kit::{Adapter, InProcess, User, on_each_adapter, unique};

on_each_adapter!(
    a_session_ends_with_its_credential,
    a_credential_that_has_ended_lets_nobody_in,
    whose_credential_goes_on_stays,
);

/// Long enough to get in on a busy machine.
const SOON: Duration = Duration::from_secs(1);

async fn a_session_ends_with_its_credential(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let user = user_until(server, "temp", SystemTime::now() + SOON);
    let mut client = user.connect_to(&[&room]).await;
    assert_eq!(client.closed().await.code, Some(4500));
    let bye = client.expect("bye").await;
    assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("unauthorized"), &json!(false)));
    assert_eq!(client.trace().of("removed").count(), 0);
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    user.upgrade("").refused().await.assert_error(401, "unauthorized");
}

async fn a_credential_that_has_ended_lets_nobody_in(adapter: Adapter) {
    let server = InProcess::shared(adapter).await;
    let user = user_until(server, "late", SystemTime::now());
    user.upgrade("").refused().await.assert_error(401, "unauthorized");
    user.get("/session").await.assert_error(401, "unauthorized");
    user.get("/rooms").await.assert_error(401, "unauthorized");
}

async fn whose_credential_goes_on_stays(adapter: Adapter) {
    let (server, room) = (InProcess::shared(adapter).await, unique("hall"));
    let long = user_until(server, "long", SystemTime::now() + Duration::from_secs(3600));
    let mut stays = long.connect_to(&[&room]).await;
    let soon = user_until(server, "soon", SystemTime::now() + SOON);
    assert_eq!(soon.connect().await.closed().await.code, Some(4500));
    stays.catch_up(&room).await;
}

fn user_until<'s>(server: &'s InProcess, label: &str, end: SystemTime) -> User<'s> {
    server.user_with(label, |identity| identity.expires_at(end))
}
