//! What an embedder's own tests are written with: clients without a socket, and a store that goes wrong on command.
//!
//! Behind the feature `testing`, for `[dev-dependencies]`. A policy of one's own, and its test in ten lines:
//!
//! ```test_harness
//! use chatrooms_core::testing::{TestClient, registry};
//! use chatrooms_core::{Draft, Error, Identity, RoomName, RoomPolicy, async_trait};
//!
//! #[derive(Debug)]
//! struct NoLinks;
//!
//! #[async_trait]
//! impl RoomPolicy for NoLinks {
//!     async fn before_publish(&self, _: &Identity, _: &RoomName, draft: Draft) -> Result<Draft, Error> {
//!         if draft.body.contains("https:") {
//!             return Err(Error::Refused { code: "x-no-links".into(), message: "no links, please".into() });
//!         }
//!         Ok(draft)
//!     }
//! }
//!
//! #[tokio::test(start_paused = true)]
//! async fn nobody_posts_links() {
//!     let rooms = registry(|builder| builder.policy(NoLinks)).await;
//!     let ada = TestClient::joined(&rooms, "ada", "lobby").await;
//!     let bob = TestClient::joined(&rooms, "bob", "lobby").await;
//!     let refused = ada.say("lobby", "see https://example.org").await.unwrap_err();
//!     assert_eq!(refused.code(), "x-no-links");
//!     ada.say("lobby", "hello").await.unwrap();
//!     assert_eq!(bob.told(), ["lobby: 1 ada: hello"]);
//! }
//! ```
//!
//! And what a host does, or shows, when its store is in trouble:
//!
//! ```test_harness
//! use chatrooms_core::Error;
//! use chatrooms_core::testing::{Call, Fault, FaultyStore, TestClient, registry, settle};
//!
//! #[tokio::test(start_paused = true)]
//! async fn nothing_is_shown_that_is_not_stored() {
//!     let store = FaultyStore::new();
//!     let rooms = registry(|builder| builder.store(store.clone())).await;
//!     let ada = TestClient::joined(&rooms, "ada", "lobby").await;
//!     let mut bob = TestClient::joined(&rooms, "bob", "lobby").await;
//!
//!     store.next(Call::Append, Fault::Fail);
//!     assert_eq!(ada.say("lobby", "lost").await, Err(Error::StoreUnavailable));
//!
//!     store.next(Call::Append, Fault::Hold);
//!     let receipt = ada.send("lobby", "late").await.unwrap();
//!     let held = store.held(Call::Append).await;
//!     assert!(bob.told().is_empty());
//!     held.release();
//!     assert_eq!(&*bob.next_message("lobby").await.draft.body, "late");
//!     assert_eq!(receipt.wait().await.unwrap().seq, 1);
//!
//!     drop((ada, bob));
//!     settle().await;
//!     assert!(store.open_lives().is_empty());
//! }
//! ```
//!
//! # The paused clock
//!
//! `#[tokio::test(start_paused = true)]` runs a test on one thread with a clock that stands still while anything can run, and
//! then jumps to the next moment for which something waits. Nobody waits for real time: a linger of ten minutes takes
//! microseconds, `tokio::time::sleep` passes it, and a test gives the same result each time. [`settle`] lets everything run that can.
//! It needs these in the embedder's `Cargo.toml`:
//!
//! ```toml
//! [dev-dependencies]
//! chatrooms = { version = "0.1", features = ["testing"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util", "time"] }
//! ```
//!
//! The clock of the system goes on meanwhile: [`Timestamp`](crate::Timestamp) and
//! [`Identity::expires_at`](crate::Identity::expires_at) follow it. Everything here also works with a clock that runs, and with a real
//! store or a real socket beside it; then a wait takes the time that it takes, and [`settle`] promises nothing.
//!
//! # Panics
//!
//! These are the tools of tests: what does not come in time, or cannot be set up, is a panic that says what was expected and what came
//! instead. What a test may want to look at, such as a refusal, is a `Result`.

mod client;
mod describe;
mod faults;
mod faulty_calls;
mod faulty_store;
mod holds;
mod lives;
mod record;
#[cfg(test)]
mod tests;
mod waits;

use std::time::Duration;

pub use client::TestClient;
pub use describe::{describe, describe_joined};
pub use faults::{Call, Fault};
pub use faulty_store::FaultyStore;
pub use holds::Held;
pub use waits::{Presence, Removed};

use crate::{RegistryBuilder, RoomName, RoomRegistry, UserName};

/// How long anything here is waited for before it counts as hung: 30 s. On a paused clock they take no time.
pub const HANG_LIMIT: Duration = Duration::from_secs(30);

/// The largest block that glibc's malloc, the allocator of most, keeps in a thread's quick lists (tcache): 1,032 bytes. A future that is boxed at each message
/// and is larger has it tidy up its other lists each time, which costs a room of 10 a fifth of its throughput.
pub const QUICK_BLOCK: usize = 1032;

/// A registry made to measure.
///
/// ```
/// # use chatrooms_core::testing::registry;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let plain = registry(|builder| builder).await;
/// let mut config = plain.config().clone();
/// config.members_per_room = 2;
/// let small = registry(|builder| builder.config(config)).await;
/// assert_eq!(small.config().members_per_room, 2);
/// # }
/// ```
///
/// # Panics
/// Where the store cannot say what an earlier process has left, and outside of a tokio runtime.
///
/// # Cancel safety
/// As [`RegistryBuilder::start`].
pub async fn registry(make: impl FnOnce(RegistryBuilder) -> RegistryBuilder) -> RoomRegistry {
    make(RoomRegistry::builder()).start().await.expect("the store says what was left behind")
}

/// The name of a room.
///
/// # Panics
/// Where it is no good name.
#[must_use]
pub fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap_or_else(|error| panic!("{name:?} is no name for a room: {error}"))
}

/// The name of a user.
///
/// # Panics
/// Where it is no good name.
#[must_use]
pub fn user(name: &str) -> UserName {
    UserName::new(name).unwrap_or_else(|error| panic!("{name:?} is no name for a user: {error}"))
}

/// Lets everything run that can: tasks that were started, purges, answers on their way.
///
/// A paused clock moves only when nothing else can run, so that this waits for all of it, and for no real time; the clock moves by a
/// millisecond. With a clock that runs it is a sleep of a millisecond and promises nothing: there, wait for what is to happen.
///
/// # Panics
/// Outside of a tokio runtime with timers.
///
/// # Cancel safety
/// Nothing happens by dropping it.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
