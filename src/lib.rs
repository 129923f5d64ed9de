#![doc = "Chat rooms."]
pub use chatrooms_core::*;
