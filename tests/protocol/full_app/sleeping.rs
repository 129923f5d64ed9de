//! The machine of the server sleeps, which is as if its process was stopped: nobody who answers is taken for dead by it, and whoever is dead is missed a little later.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::kit::{Client, FullApp, eventually, signal, unique, with_full_app};

/// `--heartbeat` and `--grace` together: how long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(4);
/// Longer than that, so that everybody has been silent for too long when it wakes up.
const ASLEEP: Duration = Duration::from_secs(6);
/// Times of this process and of the other differ by less.
const SLACK: Duration = Duration::from_secs(1);

#[test]
fn a_server_that_slept_ends_nobody_who_answers_and_who_is_dead_a_period_later() {
    with_full_app(&["--heartbeat", "1", "--grace", "3"], async |app| {
        let [shared, own, grave] = ["shared", "own", "grave"].map(unique);
        let mut ada = app.user("ada").await.connect_to(&[&shared, &own]).await;
        let mut bob = app.user("bob").await.connect_to(&[&shared]).await;
        let before = [life(&app, &shared).await, life(&app, &own).await];
        let dead = app.user("dead").await;
        // It is a connection that nobody reads from, or writes to, any more.
        let socket = dead.connect_raw(&format!("?room={shared}&room={grave}")).await;
        ada.expect_where("the dead one", |frame| frame["joined"][0]["user"] == dead.name).await;
        ada.say(&shared, "before").await;

        signal(app.id(), "STOP");
        sleep(ASLEEP).await;
        signal(app.id(), "CONT");
        let woken = Instant::now();

        for client in [&mut ada, &mut bob] {
            client.say(&shared, "after").await;
        }
        assert_eq!(ada.say(&own, "still here").await, 1);
        let left = json!([dead.name]);
        let is_told =
            |client: &Client| client.trace().of("presence").any(|told| told["left"] == left);
        assert!(!is_told(&ada), "it has had no time to be heard");
        eventually("the dead one is missed", async || {
            for client in [&mut ada, &mut bob] {
                client.granted("pong", json!({"type": "ping"})).await;
            }
            is_told(&ada) && is_told(&bob)
        })
        .await;
        let granted = woken.elapsed();
        assert!(granted >= PATIENCE - SLACK, "ended {granted:?} after it woke up");
        drop(socket);
        eventually("its own room has ended", async || {
            app.user("looker").await.get(&format!("/rooms/{grave}")).await.status == 404
        })
        .await;

        assert_eq!([life(&app, &shared).await, life(&app, &own).await], before);
        assert_eq!(bob.say(&shared, "in the end").await, 4);
        for client in [ada, bob] {
            assert_eq!(client.trace().of("bye").count(), 0);
            client.close().await;
        }
    });
}

/// Which life a room is in.
async fn life(app: &FullApp, room: &str) -> Value {
    let looker = app.user("looker").await;
    looker.get(&format!("/rooms/{room}")).await.assert_json(200)["epoch"].clone()
}
