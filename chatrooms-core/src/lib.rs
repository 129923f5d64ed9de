//! Rooms, membership, order and purge: the heart of chatrooms, without a socket.
#![forbid(unsafe_code)]

mod life;
mod memory;
mod message;
mod name;
mod store;

pub use life::{Epoch, EpochError, Life};
pub use memory::MemoryStore;
pub use message::{Data, Draft, Message, Nonce, Timestamp};
pub use name::{MAX_NAME_BYTES, MAX_NAME_CHARS, NameError, RoomName, UserName};
pub use store::{Appended, Budget, MessageStore, Opened, Page, Redaction, StoreError};
