//! Rooms, membership, order and purge: the heart of chatrooms, without a socket.
#![forbid(unsafe_code)]

mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod cost;
mod effects;
mod error;
mod event;
mod identity;
mod life;
mod memory;
mod message;
mod name;
mod outbox;
mod peer;
mod policy;
mod recent;
mod registry;
mod room;
mod roster;
mod session;
mod store;
mod sweeper;
mod sync;
mod writer;

pub use async_trait::async_trait;
pub use config::Config;
pub use error::Error;
pub use event::{Event, EventKind, Joined, Member, Removal};
pub use identity::Identity;
pub use life::{Epoch, EpochError, Life};
pub use memory::MemoryStore;
pub use message::{Data, Draft, Message, Nonce, Timestamp};
pub use name::{MAX_NAME_BYTES, MAX_NAME_CHARS, NameError, RoomName, UserName};
pub use outbox::{CloseReason, Meter, Outbox, Outgoing};
pub use peer::SessionId;
pub use policy::RoomPolicy;
pub use registry::{RegistryBuilder, RoomRegistry, RoomSummary, ShutdownReport, Stats, Visit};
pub use room::Join;
pub use roster::Members;
pub use session::{Post, Session};
pub use store::{Appended, Budget, MessageStore, Opened, Page, Redaction, StoreError};
pub use sweeper::Purges;
pub use writer::{Receipt, Sent};
