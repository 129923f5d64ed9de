//! Redis has done what it was asked, and nobody hears of it; or it is away for a moment while somebody leaves or asks.

use std::time::Duration;

use chatrooms_core::{
    Config, Error, RoomRegistry,
    testing::{TestClient, room},
};
use chatrooms_redis::RedisCluster;
use futures_util::future::join;
use tokio::time::Instant;

use super::{
    kit::{hears, node, nothing_is_left},
    sluice::Sluice,
};
use crate::support::{Server, eventually};

/// How long somebody is waited for who leaves or asks.
const PATIENCE: Duration = Duration::from_secs(3);

async fn node_behind(sluice: &Sluice) -> RoomRegistry {
    let mut config = Config::default();
    config.store_timeout = PATIENCE;
    let options = RedisCluster::options().timeout(Duration::from_secs(1));
    let cluster = options.connect(&sluice.url()).await.unwrap();
    let node = RoomRegistry::builder().config(config).cluster(cluster).start().await.unwrap();
    // Redis has to be told once what to do when somebody leaves, which takes an answer.
    let first = TestClient::joined(&node, "first", "first").await;
    first.session.leave_everywhere(&room("first")).await.unwrap();
    node
}

/// Two nodes, the second of which is behind a sluice, with somebody of each in one room who have met.
struct Two {
    server: Server,
    sluice: Sluice,
    a: RoomRegistry,
    b: RoomRegistry,
    ada: TestClient,
    bob: TestClient,
}

impl Two {
    async fn over(server: Server) -> Self {
        let sluice = Sluice::start(&server);
        let (a, b) = (node(&server).await, node_behind(&sluice).await);
        let ada = TestClient::joined(&a, "ada", "tea").await;
        let bob = TestClient::joined(&b, "bob", "tea").await;
        hears(&ada, &["tea: +bob"]).await;
        Self { server, sluice, a, b, ada, bob }
    }
}

/// So many connections are in the room.
async fn are_there(server: &Server, connections: usize) {
    let there = connections.to_string();
    eventually("so many are there", async || {
        server.ask(&["HGET", "chatrooms:{tea}", "conns"]) == there
    })
    .await;
}

#[tokio::test]
async fn a_leave_of_which_the_answer_is_lost_is_done_and_told_what_was_before() {
    let Two { server, sluice, a, b, ada, bob } = Two::over(Server::start().await).await;
    sluice.shut();
    ada.say("tea", "hello").await.unwrap();
    let tea = room("tea");
    let breaking = async {
        are_there(&server, 1).await;
        sluice.break_off();
    };
    let (left, ()) = join(bob.session.leave_everywhere(&tea), breaking).await;
    left.unwrap();
    assert_eq!(bob.told(), ["tea: 1 ada: hello"]);
    assert_eq!((bob.session.rooms(), bob.session.outbox().closed()), (vec![], None));
    hears(&ada, &["tea: 1 ada: hello", "tea: -bob"]).await;
    bob.join("tea").await.unwrap();
    drop((ada, bob));
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn the_last_leave_of_which_the_answer_is_lost_ends_the_room_and_removes_nobody() {
    let server = Server::start().await;
    let sluice = Sluice::start(&server);
    let node = node_behind(&sluice).await;
    let ada = TestClient::joined(&node, "ada", "tea").await;
    ada.say("tea", "hello").await.unwrap();
    ada.told();
    sluice.shut();
    let tea = room("tea");
    let breaking = async {
        eventually("the room is over", async || server.keys_of_rooms().is_empty()).await;
        sluice.break_off();
    };
    let (left, ()) = join(ada.session.leave_everywhere(&tea), breaking).await;
    left.unwrap();
    assert_eq!((ada.told(), ada.session.outbox().closed()), (vec![], None));
    let next = ada.join("tea").await.unwrap();
    assert!(next.first_in_room && next.seq == 0, "{next:?}");
    drop(ada);
    nothing_is_left(&server, &[&node]).await;
}

#[tokio::test]
async fn a_join_of_which_the_answer_is_lost_may_have_been_seen_and_leaves_nobody_behind() {
    let server = Server::start().await;
    let sluice = Sluice::start(&server);
    let (a, b) = (node(&server).await, node_behind(&sluice).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    // Known there already, so that nothing but the entry is asked for.
    let eve = TestClient::joined(&b, "eve", "tea").await;
    let bob = TestClient::new(&b, "bob");
    sluice.shut();
    let breaking = async {
        are_there(&server, 3).await;
        sluice.break_off();
    };
    let (joined, ()) = join(bob.join("tea"), breaking).await;
    assert_eq!(joined.unwrap_err(), Error::OutcomeUnknown);
    hears(&ada, &["tea: +eve", "tea: +bob", "tea: -bob"]).await;
    assert_eq!(bob.session.rooms(), []);
    assert_eq!(bob.join("tea").await.unwrap().members.len(), 3);
    drop((ada, bob, eve));
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn what_was_accepted_in_a_life_that_is_lost_is_not_shown_behind_a_gap() {
    let Two { server, sluice, ada, bob, .. } = Two::over(Server::start().await).await;
    bob.say("tea", "one").await.unwrap();
    hears(&bob, &["tea: 1 bob: one"]).await;
    // No bell tells the node that the life is over.
    server.ask(&["ACL", "SETUSER", "default", "-publish"]);
    sluice.shut();
    ada.say("tea", "two").await.unwrap();
    let losing = async {
        eventually("it is accepted", async || {
            server.ask(&["HGET", "chatrooms:{tea}", "seq"]) == "3"
        })
        .await;
        server.ask(&["FLUSHALL"]);
        sluice.open();
    };
    let (said, ()) = join(bob.say("tea", "three"), losing).await;
    assert_eq!(said.unwrap().seq, 3);
    hears(&bob, &["tea: removed room_closed"]).await;
}

#[tokio::test]
async fn whoever_leaves_or_asks_while_redis_is_away_for_a_moment_has_what_was_accepted_before() {
    let two = Two::over(Server::that_keeps().await).await;
    let Two { mut server, sluice, b, ada, bob, .. } = two;
    let eve = TestClient::joined(&b, "eve", "tea").await;
    hears(&bob, &["tea: +eve"]).await;
    sluice.shut();
    ada.say("tea", "hello").await.unwrap();
    server.kill();
    sluice.break_off();
    eventually("it is noticed", async || {
        bob.say("tea", "lost").await == Err(Error::StoreUnavailable)
    })
    .await;
    let (tea, back) = (room("tea"), server.restart());
    let asking = async {
        bob.session.catch_up(&tea).await;
        bob.told()
    };
    let leaving = join(eve.session.leave_everywhere(&tea), asking);
    let ((left, told), ()) = join(leaving, back).await;
    left.unwrap();
    assert_eq!(eve.told(), ["tea: 1 ada: hello"]);
    assert_eq!(told[0], "tea: 1 ada: hello");
    assert_eq!(eve.session.rooms(), []);
}

#[tokio::test]
async fn whoever_leaves_while_redis_stays_away_leaves_all_the_same_in_the_end() {
    let two = Two::over(Server::that_keeps().await).await;
    let Two { mut server, sluice: _sluice, ada, bob, .. } = two;
    server.kill();
    let begun = Instant::now();
    bob.session.leave_everywhere(&room("tea")).await.unwrap();
    assert!(begun.elapsed() >= PATIENCE, "{:?}", begun.elapsed());
    assert_eq!((bob.told(), bob.session.rooms()), (vec![], vec![]));
    server.restart().await;
    hears(&ada, &["tea: -bob"]).await;
}
