//! Rooms, membership, order and purge: the heart of chatrooms, without a socket.
#![forbid(unsafe_code)]

mod builder;
mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod cost;
mod effects;
mod error;
mod event;
mod host;
mod identity;
mod join;
mod life;
mod live;
mod memory;
mod message;
mod name;
mod opening;
mod outbox;
mod peer;
mod policy;
mod reading;
mod recent;
mod registry;
mod room;
mod roster;
mod session;
mod shared;
mod shutdown;
mod store;
mod sweeper;
mod sync;
mod visit;
mod writer;
mod writes;

pub use async_trait::async_trait;
pub use builder::RegistryBuilder;
pub use config::Config;
pub use error::Error;
pub use event::{Event, EventKind, Member, Members, Removal};
pub use identity::Identity;
pub use join::{Join, Joined};
pub use life::{Epoch, EpochError, Life};
pub use memory::MemoryStore;
pub use message::{Data, Draft, Message, Nonce, Timestamp};
pub use name::{MAX_NAME_BYTES, MAX_NAME_CHARS, NameError, RoomName, UserName};
pub use outbox::{CloseReason, Meter, Outbox, Outgoing};
pub use peer::SessionId;
pub use policy::RoomPolicy;
pub use registry::{RoomRegistry, RoomSummary, Stats};
pub use session::{Post, Session};
pub use shutdown::ShutdownReport;
pub use store::{Appended, Budget, MessageStore, Opened, Page, Redaction, StoreError};
pub use sweeper::Purges;
pub use visit::Visit;
pub use writes::{Receipt, Sent};
