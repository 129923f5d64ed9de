//! Chat rooms for your own service: see [`RoomRegistry`].
//!
//! - `chatrooms::axum` (feature `axum`) mounts the rooms in an axum service,
//! - `chatrooms::ws` (with it) holds what every framework shares: the endpoint, who may in, and from where,
//! - `chatrooms::sqlite` (feature `sqlite`) keeps messages in an SQLite file.
#![forbid(unsafe_code)]

pub use chatrooms_core::*;

#[cfg(feature = "axum")]
pub use chatrooms_axum as axum;
#[cfg(feature = "sqlite")]
pub use chatrooms_sqlite as sqlite;
#[cfg(feature = "axum")]
pub use chatrooms_ws as ws;
