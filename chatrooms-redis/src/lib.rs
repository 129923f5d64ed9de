//! Many nodes, the same chat rooms: a [`Cluster`](chatrooms_core::Cluster) over Redis 7 or Valkey.
//!
//! ```no_run
//! use chatrooms_core::{Cluster, RoomName};
//! use chatrooms_redis::RedisCluster;
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = RedisCluster::options().prefix("chat").connect("redis://127.0.0.1/").await?;
//! for room in cluster.rooms(None, 100).await?.0 {
//!     println!("{} users in {}", room.users, room.room);
//! }
//! cluster.leave().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//! Beside the [contract of every cluster](chatrooms_core::Cluster#contract):
//!
//! - **Round trips.** Listening to a room, entering it, saying something, going, and reading the news cost one each; so a join costs two where the node was not in the room yet, and one where it was.
//! - **One connection** for each node, over which everything goes. Where it breaks, or Redis does not answer in [time](RedisOptions::timeout), calls fail at once until it is there again, which is tried twice a second at least.
//! - **Nothing remains.** With the end of a life its keys are gone, in the same step. A node that was declared dead leaves one small key for each of its rooms, which keeps it from
//!   writing there and goes by itself after 360 leases.
//! - **The dead leave within two leases**, as long as there is another node that reaches Redis. A node counts as dead when its beat, four times in a lease, has not been seen for a whole lease by one that
//!   looked all the time and was answered.
//! - **A node that cannot tell the others that it lives stops writing** after one lease, on its own clock, before the others may count it as dead.
//!
//! # What stands in Redis
//! All keys begin with a [prefix](RedisOptions::prefix). Those of a room have its name in braces, so that a Redis Cluster would hold them in one slot; this crate talks to one server. What is
//! written is not synced by this crate: how much of it survives a crash of Redis is what Redis was told. Where something is lost the nodes notice it and lives end; they are never mixed.
//!
//! # Features
//! - `tls`: addresses that begin with `rediss://`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod fields;
mod hosting;
mod keys;
mod link;
mod node;
mod options;
mod orders;
mod redis_cluster;
mod reply;
mod scripts;
mod watchtower;

pub use error::ConnectError;
pub use options::RedisOptions;
pub use redis_cluster::RedisCluster;

/// What this crate is called in errors.
const NAME: &str = "redis";

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
