//! What it costs: round trips to Redis, and what a node hears of rooms that are not its own.

use chatrooms_core::{
    CloseReason, Config, RoomRegistry,
    testing::{TestClient, room, user},
};
use chatrooms_redis::RedisCluster;
use futures_util::{StreamExt as _, stream};

use super::{
    kit::{node, nothing_is_left},
    toll::Toll,
};
use crate::support::{PATIENCE, Server, eventually};

/// The fewest that it takes: what a node does from time to time may fall in between.
async fn fewest(tries: impl AsyncFn(usize) -> usize) -> usize {
    let mut fewest = usize::MAX;
    for round in 0..5 {
        fewest = fewest.min(tries(round).await);
    }
    fewest
}

#[tokio::test]
async fn no_operation_takes_more_round_trips_than_it_has_to() {
    let server = Server::start().await;
    let toll = Toll::start(&server);
    let cluster = RedisCluster::connect(&toll.url()).await.unwrap();
    let a = RoomRegistry::builder().cluster(cluster).start().await.unwrap();
    let other = node(&server).await;
    let ada = TestClient::new(&a, "ada");

    let begin = fewest(async |round| {
        let (joined, trips) = toll.trips(ada.join(&format!("new {round}"))).await;
        joined.unwrap();
        trips
    });
    assert_eq!(begin.await, 2, "to take part and to enter");

    let _bob = TestClient::joined(&a, "bob", "tea").await;
    let _there = TestClient::joined(&other, "eve", "tea").await;
    let join = fewest(async |_| {
        let (joined, trips) = toll.trips(ada.join("tea")).await;
        joined.unwrap();
        ada.session.leave_everywhere(&room("tea")).await.unwrap();
        trips
    });
    assert_eq!(join.await, 1, "where the node takes part already");

    ada.join("tea").await.unwrap();
    let send = fewest(async |_| {
        let (sent, trips) = toll.trips(ada.say("tea", "hello")).await;
        sent.unwrap();
        trips
    });
    assert_eq!(send.await, 1);

    let leave = fewest(async |_| {
        ada.session.catch_up(&room("tea")).await;
        let (left, trips) = toll.trips(ada.session.leave_everywhere(&room("tea"))).await;
        left.unwrap();
        ada.join("tea").await.unwrap();
        trips
    });
    assert_eq!(leave.await, 1);

    let drop_out = fewest(async |_| {
        let (left, trips) = toll.trips(async { ada.session.leave(&room("tea")) }).await;
        left.unwrap();
        ada.join("tea").await.unwrap();
        trips
    });
    assert_eq!(drop_out.await, 0, "nobody waits for it");

    let log_out = fewest(async |round| {
        let guest = user(&format!("guest {round}"));
        let _tab = TestClient::joined(&a, guest.as_str(), "tea").await;
        let ended = a.end_sessions_everywhere(&guest, &CloseReason::LoggedOut);
        let (ended, trips) = toll.trips(ended).await;
        assert_eq!(ended, Ok(1));
        trips
    });
    // The exit and the order together, then whether the others have done it, which may be asked too early.
    assert!((2..=3).contains(&log_out.await));
}

const ROOMS: usize = 10_000;
/// How many joins are on their way at a time.
const AT_ONCE: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_listens_to_its_own_rooms_and_to_no_others() {
    let server = Server::start().await;
    let mut config = Config::default();
    config.rooms_per_session = ROOMS;
    (config.joins_per_second, config.join_burst) = (100_000, 100_000);
    (config.new_rooms_per_minute, config.store_timeout) = (100_000, PATIENCE);
    let start = async || {
        // So many at once may have to wait for their turn.
        let cluster = server.node_with(RedisCluster::options().timeout(PATIENCE)).await;
        let registry = RoomRegistry::builder().config(config.clone()).cluster(cluster);
        registry.start().await.unwrap()
    };
    let nodes = [start().await, start().await, start().await];
    let guests = nodes.each_ref().map(|node| TestClient::new(node, "guest"));
    let joining = stream::iter(0..ROOMS).for_each_concurrent(AT_ONCE, async |number| {
        let guest = &guests[number % guests.len()];
        guest.join(&format!("room {number}")).await.unwrap();
        // Nobody who does not read is kept.
        guest.told();
    });
    joining.await;
    let own = |node: usize| (node..ROOMS).step_by(nodes.len()).count();
    assert_eq!(server.subscriptions(), [own(0), own(1), own(2)].map(|rooms| rooms + 1));
    assert_eq!(nodes.each_ref().map(|node| node.stats().rooms), [own(0), own(1), own(2)]);
    drop(guests);
    nothing_is_left(&server, &nodes.each_ref()).await;
    eventually("the orders are all that is left", async || server.subscriptions() == [1; 3]).await;
}
