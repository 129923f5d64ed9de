//! Announcements that go astray: everything heals within a second, because everything was written down first.

use std::time::Duration;

use chatrooms_core::{
    CloseReason, Config, RoomRegistry,
    oracle::{Recorder, check},
    testing::{TestClient, room, user},
};
use chatrooms_redis::RedisCluster;
use tokio::time::Instant;

use super::{
    kit::{hears, node, nothing_is_left},
    proxy::{Mischief, Proxy},
};
use crate::support::{Server, eventually};

pub(super) async fn node_by(proxy: &Proxy) -> RoomRegistry {
    let cluster = RedisCluster::connect(&proxy.url()).await.unwrap();
    RoomRegistry::builder().cluster(cluster).start().await.unwrap()
}

/// As often as it takes to find one that answers by what it has heard.
const ROUNDS: usize = 10;

#[tokio::test]
async fn a_node_that_hears_no_bell_answers_its_host_by_what_all_nodes_know() {
    let server = Server::start().await;
    let deaf = Proxy::start(&server, Mischief::Lost);
    let (a, b) = (node(&server).await, node_by(&deaf).await);
    let (tea, ada_by_name) = (room("tea"), user("ada"));
    let bob = TestClient::joined(&b, "bob", "tea").await;
    for round in 1..=ROUNDS {
        let ada = TestClient::joined(&a, "ada", "tea").await;
        assert_eq!(b.connections(&tea, &ada_by_name).await, Ok(1));
        ada.session.leave_everywhere(&tea).await.unwrap();
        assert_eq!(b.room(&tea).await.unwrap().users, 1);
        ada.join("tea").await.unwrap();
        assert_eq!(b.members(&tea, None).await.unwrap().members.len(), 2);
        ada.say("tea", "hello").await.unwrap();
        assert_eq!(b.history(&tea, None, 1).await.unwrap().messages[0].seq, round as u64);
        ada.session.leave_everywhere(&tea).await.unwrap();
        let visit = b.visit(bob.session.identity(), &tea).await.unwrap();
        visit.catch_up().await;
        assert_eq!(visit.members().unwrap().members.len(), 1);
    }
}

#[tokio::test]
async fn a_node_that_hears_no_bell_is_told_everything_within_a_second_or_so() {
    let server = Server::start().await;
    let deaf = Proxy::start(&server, Mischief::Lost);
    let (a, b) = (node(&server).await, node_by(&deaf).await);
    let bob = TestClient::joined(&b, "bob", "tea").await;
    let eve = TestClient::joined(&b, "eve", "tea").await;
    hears(&bob, &["tea: +eve"]).await;
    let begun = Instant::now();
    let ada = TestClient::new(&a, "ada");
    ada.join("tea").await.unwrap();
    ada.say("tea", "hello").await.unwrap();
    ada.redact("tea", 1).await.unwrap();
    ada.say("tea", "again").await.unwrap();
    a.moderation(&room("tea")).kick(&user("eve"), None).await.unwrap();
    hears(
        &bob,
        &[
            "tea: +ada",
            "tea: 1 ada: ",
            "tea: 1 taken back by ada",
            "tea: 2 ada: again",
            "tea: -eve",
        ],
    )
    .await;
    hears(
        &eve,
        &[
            "tea: +ada",
            "tea: 1 ada: ",
            "tea: 1 taken back by ada",
            "tea: 2 ada: again",
            "tea: removed kicked",
        ],
    )
    .await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    a.end_sessions(&user("eve"), &CloseReason::LoggedOut);
    eventually("eve is logged out", async || eve.session.outbox().closed().is_some()).await;
    a.moderation(&room("tea")).close(Some("nobody hears why")).await.unwrap();
    hears(&bob, &["tea: removed room_closed"]).await;
}

/// The last exit is this node's own: it need not be told of it to know that nobody is there any more.
#[tokio::test]
async fn a_room_that_waits_is_over_for_everybody_at_once_where_no_bell_is_heard() {
    let server = Server::start().await;
    let deaf = Proxy::start(&server, Mischief::Lost);
    let cluster = RedisCluster::connect(&deaf.url()).await.unwrap();
    let mut config = Config::default();
    config.linger = Duration::from_secs(60);
    let node = RoomRegistry::builder().config(config).cluster(cluster).start().await.unwrap();
    drop(TestClient::joined(&node, "ada", "tea").await);
    eventually("it waits", async || server.ask(&["HEXISTS", "chatrooms:{tea}", "until"]) == "1")
        .await;
    let begun = Instant::now();
    eventually("nobody is there", async || node.rooms(None, 9).await.unwrap().0.is_empty()).await;
    // Sooner than it looks by itself.
    assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_that_are_lost_doubled_or_late_change_nothing_of_what_is_told() {
    let server = Server::start().await;
    let proxies =
        [Mischief::Lost, Mischief::Doubled, Mischief::Late].map(|how| Proxy::start(&server, how));
    let mut nodes = Vec::new();
    for proxy in &proxies {
        nodes.push(node_by(proxy).await);
    }
    let run = Recorder::new();
    let mut clients = Vec::new();
    for n in 0..9 {
        let client = TestClient::new(&nodes[n % 3], &format!("u{n}")).recorded(&run);
        client.join("tea").await.unwrap();
        clients.push(client);
    }
    for round in 0..4 {
        for client in &clients {
            client.say("tea", &format!("{round}")).await.unwrap();
        }
    }
    for client in &mut clients {
        while client.next_message("tea").await.seq < 36 {}
    }
    drop(clients);
    nothing_is_left(&server, &nodes.iter().collect::<Vec<_>>()).await;
    assert_eq!(check(&run.trace()).unwrap().messages, 36);
}
