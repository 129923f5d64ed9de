#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use chatrooms_core::*;

#[cfg(feature = "axum")]
pub use chatrooms_axum as axum;
#[cfg(feature = "sqlite")]
pub use chatrooms_sqlite as sqlite;
#[cfg(feature = "warp")]
pub use chatrooms_warp as warp;
#[cfg(any(feature = "axum", feature = "warp"))]
pub use chatrooms_ws as ws;
