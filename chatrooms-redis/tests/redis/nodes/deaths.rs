//! Nodes that die with people in their rooms.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms_core::{
    Epoch, RoomEnd, RoomName, RoomPolicy, RoomRegistry, async_trait, testing::TestClient,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::Instant,
};

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

/// What a process that is to be killed is told: where Redis is, and who is to be in which rooms.
const ADDRESS: &str = "CHATROOMS_TEST_DOOMED_ADDRESS";
const PEOPLE: &str = "CHATROOMS_TEST_DOOMED_PEOPLE";

/// A node in a process of its own, which is killed without a word.
struct Doomed(Child);

impl Doomed {
    /// Runs this very test again in a process of its own, which is [`is_doomed`]: with some users in some rooms, each of whom has said something.
    async fn start(test: &str, server: &Server, people: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "--nocapture", &format!("nodes::deaths::{test}")]);
        process.env(ADDRESS, server.url()).env(PEOPLE, people);
        process.stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = process.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while lines.next_line().await.unwrap().expect("it gets ready") != READY {}
        Self(process)
    }

    /// As `kill -9` does.
    async fn die(mut self) {
        self.0.kill().await.unwrap();
    }
}

const READY: &str = "everybody is there";

/// Whether this is the process that is to be killed; it never comes back from here then.
async fn is_doomed() -> bool {
    let Ok(address) = std::env::var(ADDRESS) else { return false };
    let cluster = options().connect(&address).await.unwrap();
    let registry = RoomRegistry::builder().cluster(cluster).start().await.unwrap();
    let mut clients = Vec::new();
    for one in std::env::var(PEOPLE).unwrap().split(' ') {
        let (user, room) = one.split_once('@').unwrap();
        let client = TestClient::joined(&registry, user, room).await;
        client.say(room, "last words").await.unwrap();
        clients.push(client);
    }
    println!("{READY}");
    std::future::pending().await
}

#[tokio::test]
async fn the_people_of_a_dead_node_leave_once_and_its_rooms_are_purged_once() {
    if is_doomed().await {
        return;
    }
    let server = Server::start().await;
    let closed = Closed::default();
    let a = node_over(&server, options(), |builder| builder.policy(closed.clone())).await;
    let b = node_over(&server, options(), |builder| builder.policy(closed.clone())).await;
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    hears(&ada, &["tea: +bob"]).await;
    let this = "the_people_of_a_dead_node_leave_once_and_its_rooms_are_purged_once";
    let doomed = Doomed::start(this, &server, "eve@tea eve@tea joe@alone").await;
    let died = Instant::now();
    doomed.die().await;
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
    if is_doomed().await {
        return;
    }
    let server = Server::start().await;
    let closed = Closed::default();
    let a = node_over(&server, options(), |builder| builder.policy(closed.clone())).await;
    let this = "a_room_that_waits_after_a_death_is_there_for_its_people_or_ends_once";
    let doomed = Doomed::start(this, &server, "eve@tea").await;
    // What the node that dies would have had as a rule.
    server.ask(&["HSET", "chatrooms:{tea}", "linger", "1500"]);
    doomed.die().await;
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
