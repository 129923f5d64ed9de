//! Nodes that die with people in their rooms.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms_core::{Epoch, RoomEnd, RoomName, RoomPolicy, async_trait, testing::TestClient};
use tokio::time::Instant;

use super::kit::{hears, node_over, nothing_is_left};
use crate::support::{LEASE, Server, eventually, options};

#[derive(Clone, Debug, Default)]
struct Closed(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl RoomPolicy for Closed {
    async fn room_closed(&self, room: &RoomName, _: Epoch, reason: RoomEnd) {
        self.0.lock().unwrap().push(format!("{room} {reason:?}"));
    }
}

/// A node in a runtime of its own, which stops at once and for good: nothing that it would do at its end is done.
struct Doomed(tokio::runtime::Runtime);

impl Doomed {
    fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        Self(runtime.worker_threads(1).enable_all().build().unwrap())
    }

    /// Some users are in some rooms of it.
    async fn with(&self, url: &Server, people: &'static [(&'static str, &'static str)]) {
        let cluster = crate::support::options();
        let address = url.url();
        let come = self.0.spawn(async move {
            let cluster = cluster.connect(&address).await.unwrap();
            let builder = chatrooms_core::RoomRegistry::builder();
            let registry = builder.cluster(cluster).start().await.unwrap();
            for (user, room) in people {
                let client = TestClient::joined(&registry, user, room).await;
                client.say(room, "last words").await.unwrap();
                std::mem::forget(client);
            }
            std::mem::forget(registry);
        });
        come.await.unwrap();
    }

    fn die(self) {
        self.0.shutdown_background();
    }
}

#[tokio::test]
async fn the_people_of_a_dead_node_leave_once_and_its_rooms_are_purged_once() {
    let server = Server::start().await;
    let closed = Closed::default();
    let a = node_over(&server, options(), |builder| builder.policy(closed.clone())).await;
    let b = node_over(&server, options(), |builder| builder.policy(closed.clone())).await;
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    hears(&ada, &["tea: +bob"]).await;
    let doomed = Doomed::new();
    doomed.with(&server, &[("eve", "tea"), ("eve", "tea"), ("joe", "alone")]).await;
    let died = Instant::now();
    doomed.die();
    let last = ["tea: +eve", "tea: 1 eve: last words", "tea: 2 eve: last words", "tea: -eve"];
    hears(&bob, &last).await;
    assert!(died.elapsed() < 2 * LEASE, "{:?}", died.elapsed());
    hears(&ada, &last).await;
    eventually("the other room is closed", async || !closed.0.lock().unwrap().is_empty()).await;
    let alone = TestClient::new(&b, "joe").join("alone").await.unwrap();
    assert!(alone.first_in_room && alone.seq == 0);
    drop((ada, bob));
    nothing_is_left(&server, &[&a, &b]).await;
    eventually("all are told", async || closed.0.lock().unwrap().len() >= 3).await;
    let mut told = closed.0.lock().unwrap().clone();
    told.sort_unstable();
    assert_eq!(told, ["alone Lost", "alone Lost", "tea Lost"]);
}

#[tokio::test]
async fn a_room_that_waits_after_a_death_is_there_for_its_people_or_ends_once() {
    let server = Server::start().await;
    let closed = Closed::default();
    let a = node_over(&server, options(), |builder| builder.policy(closed.clone())).await;
    let doomed = Doomed::new();
    doomed.with(&server, &[("eve", "tea")]).await;
    // What the node that dies would have had as a rule.
    server.ask(&["HSET", "chatrooms:{tea}", "linger", "1500"]);
    doomed.die();
    eventually("it waits", async || server.ask(&["HEXISTS", "chatrooms:{tea}", "until"]) == "1")
        .await;
    let eve = TestClient::new(&a, "eve");
    let back = eve.join("tea").await.unwrap();
    assert!(back.first_in_room && back.seq == 1, "{back:?}");
    server.ask(&["HSET", "chatrooms:{tea}", "linger", "100"]);
    drop(eve);
    nothing_is_left(&server, &[&a]).await;
    eventually("its end is told", async || !closed.0.lock().unwrap().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(*closed.0.lock().unwrap(), ["tea Expired"]);
}
