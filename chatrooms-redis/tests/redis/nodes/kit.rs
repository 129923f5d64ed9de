//! Registries over one Redis, and waits for what their clients are told.

use std::time::Duration;

use chatrooms_core::{Config, RegistryBuilder, RoomRegistry, testing::TestClient};

use chatrooms_redis::{RedisCluster, RedisOptions};

use crate::support::{Server, eventually, options};

/// A registry that is a node of the cluster.
pub(crate) async fn node(server: &Server) -> RoomRegistry {
    node_with(server, |builder| builder).await
}

pub(crate) async fn node_with(
    server: &Server,
    change: impl FnOnce(RegistryBuilder) -> RegistryBuilder,
) -> RoomRegistry {
    node_over(server, RedisCluster::options(), change).await
}

/// One that the others miss soon.
pub(crate) async fn mortal(server: &Server) -> RoomRegistry {
    node_over(server, options(), |builder| builder).await
}

pub(crate) async fn node_over(
    server: &Server,
    options: RedisOptions,
    change: impl FnOnce(RegistryBuilder) -> RegistryBuilder,
) -> RoomRegistry {
    // Nobody is to be slowed down here, but the store soon given up.
    let mut config = Config::default();
    (config.joins_per_second, config.join_burst) = (100_000, 100_000);
    (config.sends_per_second, config.send_burst) = (100_000, 100_000);
    config.new_rooms_per_minute = 100_000;
    config.store_timeout = Duration::from_secs(3);
    let cluster = server.node_with(options.timeout(Duration::from_secs(1))).await;
    change(RoomRegistry::builder().config(config)).cluster(cluster).start().await.unwrap()
}

/// Waits until a client has been told exactly this, one thing after the other.
pub(crate) async fn hears(client: &TestClient, expected: &[&str]) {
    let mut told: Vec<String> = Vec::new();
    let is_told = eventually("a client is told everything", async || {
        told.extend(client.told());
        told.len() >= expected.len()
    });
    is_told.await;
    assert_eq!(told, expected);
}

/// The room is in nobody's registry any more, nor in Redis.
pub(crate) async fn nothing_is_left(server: &Server, nodes: &[&RoomRegistry]) {
    eventually("nothing is left", async || {
        server.keys_of_rooms().is_empty() && nodes.iter().all(|node| node.stats().rooms == 0)
    })
    .await;
}
