//! Chat rooms without a socket: who is in a room, what is said there in which order, and that it is gone when everybody has gone.
//!
//! ```
//! use chatrooms_core::{
//!     Draft, Error, EventKind, Identity, Join, Post, RoomName, RoomPolicy, RoomRegistry, UserName, async_trait,
//! };
//!
//! /// The host's say: here, what may be said.
//! #[derive(Debug)]
//! struct Polite;
//!
//! #[async_trait]
//! impl RoomPolicy for Polite {
//!     async fn before_publish(&self, _: &Identity, _: &RoomName, draft: Draft) -> Result<Draft, Error> {
//!         if draft.body.contains("darn") { Err(Error::Forbidden) } else { Ok(draft) }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = RoomRegistry::builder().policy(Polite).start().await?;
//! let lobby = RoomName::new("lobby")?;
//! let ada = registry.open_session(Identity::new(UserName::new("ada")?))?;
//! let mut bob = registry.open_session(Identity::new(UserName::new("bob")?))?;
//!
//! assert!(ada.join(&lobby, Join::default()).await?.first_in_room);
//! ada.publish(&lobby, Post::new("anybody here?")).await?;
//!
//! // One cut: who is there, what was said, and from here on everything that happens, without a gap.
//! let joined = bob.join(&lobby, Join::default()).await?;
//! assert_eq!((joined.members.len(), joined.messages.len(), joined.seq), (2, 1, 1));
//! ada.publish(&lobby, Post::new("hello bob")).await?;
//! let first = bob.next().await.expect("the session is open");
//! assert!(matches!(first.kind(), EventKind::Joined(_)));
//! let second = bob.next().await.expect("the session is open");
//! assert!(matches!(second.kind(), EventKind::Message(message) if message.seq == 2));
//!
//! assert_eq!(bob.publish(&lobby, Post::new("darn")).await, Err(Error::Forbidden));
//! registry.moderation(&lobby).kick(bob.identity().user(), Some("mind your words")).await?;
//! assert!(bob.rooms().is_empty());
//!
//! // Dropping a session leaves all its rooms. The last one to go ends the room, and with it its messages.
//! drop(ada);
//! assert_eq!(registry.stats().rooms, 0);
//! assert_eq!(bob.join(&lobby, Join::default()).await?.seq, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # The concepts
//!
//! - A [`RoomRegistry`] holds all rooms and all sessions of a service. It is cheap to clone, and everything that a host does to rooms
//!   is a method of it: list, announce, notify, log out, shut down. Its [`Moderation`] of one room has kick, ban, mute and close.
//! - A [`Session`] is one client, with a socket behind it or not. It joins and leaves rooms, and its [`Outbox`] holds what it is still
//!   to be told: bounded, so that a client that does not read harms only itself. A session in a room is a *connection*; a user may have
//!   several, and others see the user, not the tabs.
//! - A room name has one [`Life`] after the other, each with an [`Epoch`] of its own: from the first join to the last leave. Messages
//!   belong to a life. When it ends they are purged, once, however long that takes, while the next life has begun already.
//! - A [`MessageStore`] keeps messages and gives them their order. [`MemoryStore`] is the default; a store of one's own passes the public
//!   conformance suite.
//! - A [`RoomPolicy`] is the host's say: who may join, which message passes and as what, who may take back what others said, and which
//!   [`RoomRules`] hold in which room.
//! - A [`Watch`] tells the host what happens, in one room or in all, with the same gap-free cut and without being in any.
//!
//! # What holds
//!
//! - Joining and leaving one room are linearizable. A future dropped at any await, or a session dropped anywhere, leaks nothing.
//! - A message is stored before anybody is shown it, and everybody is shown the same messages in the same order, without a gap.
//! - No lock is held over an await, nor while the code of a host or a store runs. One that panics or hangs harms the request or the
//!   room that it was called for.
//! - Nothing is unbounded: [`Config`] names every bound, and each has an [`Error`] of its own.
//!
//! # What is not there
//!
//! No socket, no HTTP, no JSON and no web framework: those are the crates `chatrooms-ws`, `chatrooms-axum` and `chatrooms-warp`. No
//! accounts: an [`Identity`] is what the host's own authentication says. No archive: a room that must outlive its people is another
//! kind of thing.
//!
//! # Runtime and features
//!
//! Everything runs on tokio, with its timers enabled. Joining needs to be inside of a runtime; leaving, closing and dropping do not.
//!
//! - `conformance`: the suite that every [`MessageStore`] must pass, for the tests of those who write one.
//! - `json`: events of an application's own, typed on this side and JSON on the wire: `AppEvent`.
//! - `metrics`: what happens here is counted, for the recorder of the crate `metrics` that the host has installed. It has to be there before the registry is made.
//! - `oracle`: one function that says whether what everybody did and saw keeps what is promised, for tests of stores, adapters, clients and services.
//! - `testing`: brings `oracle`, and clients without a socket and a store that goes wrong on command, for the tests of those who embed this.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod allowances;
mod answer;
#[cfg(feature = "json")]
mod app_event;
mod backlog;
mod builder;
mod bundle;
mod cluster;
mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod cork;
mod cost;
mod count;
mod effects;
mod ending;
mod error;
mod event;
mod following;
mod hooks;
mod host;
mod identity;
#[doc(hidden)]
pub mod instruments;
mod join;
mod life;
mod linked;
mod listing;
mod live;
mod logout;
mod memory;
mod message;
mod metrics;
#[cfg(all(test, shuttle))]
mod models;
mod moderation;
mod mourning;
mod name;
mod note;
mod noting;
mod observed_store;
mod opening;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
mod orders;
mod outbox;
mod peer;
mod policy;
mod rates;
mod reading;
mod recent;
mod registry;
mod room;
mod roster;
mod rules;
mod sanctions;
mod session;
mod shared;
mod shutdown;
mod steward;
mod store;
mod sweeper;
mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod turns;
mod unique;
mod visit;
mod watch;
mod watcher;
mod writer;
mod writes;

pub use allowances::Allowances;
pub use answer::AnswerFrame;
#[cfg(feature = "json")]
pub use app_event::{AppEvent, DataError};
pub use async_trait::async_trait;
pub use builder::RegistryBuilder;
pub use bundle::Bundle;
pub use cluster::{
    Bell, Cluster, ClusterError, Connected, ConnectionId, Edge, EdgeKind, Entered, Entry, Exited,
    Followed, Known, News, Note, Order, OrderId, Passing, People, Ringer,
};
pub use config::Config;
pub use cork::Cork;
pub use ending::CloseReason;
pub use error::Error;
pub use event::{Event, EventKind, Member, Members, Removal};
pub use identity::Identity;
pub use join::{Join, Joined};
pub use life::{Epoch, EpochError, Life};
pub use memory::MemoryStore;
pub use message::{Data, Draft, Message, Nonce, Timestamp};
pub use moderation::{Moderation, ModerationError};
pub use name::{MAX_NAME_BYTES, MAX_NAME_CHARS, NameError, RoomName, UserName};
pub use outbox::{Meter, Outbox, Outgoing, OwnedOutbox};
pub use peer::SessionId;
pub use policy::RoomPolicy;
pub use registry::{RoomRegistry, RoomSummary, Stats};
pub use rules::RoomRules;
pub use session::{Post, Session};
pub use shutdown::ShutdownReport;
pub use store::{Appended, Budget, MessageStore, Opened, Page, Redaction, StoreError};
pub use sweeper::Purges;
pub use visit::Visit;
pub use watch::{RoomEnd, RoomEvent, Watch};
pub use writes::{Receipt, Sent};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
