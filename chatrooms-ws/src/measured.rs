//! The two ends of the wire by themselves, for the project's own measurements: no promise is made about them.

use bytes::Bytes;
use chatrooms_core::Event;

use crate::{request::parse, response::event_frame};

/// The frame of an event, as a session's loop makes it.
pub fn encode(event: &Event) -> &Bytes {
    event_frame(event)
}

/// Takes a frame of a client apart; says whether it is a request.
pub fn decode(frame: &str) -> bool {
    parse(frame).is_ok()
}
