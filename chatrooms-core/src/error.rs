//! Why something was refused.

use std::{borrow::Cow, time::Duration};

use crate::StoreError;

/// Why a request was refused. It harms that request only.
///
/// Each function says in its own `# Errors` which of these it gives. [`code`](Self::code) is what a client sees.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The session is not in that room.
    #[error("not in that room")]
    NotInRoom,
    /// The session is in that room already.
    #[error("already in that room")]
    AlreadyInRoom,
    /// The room has as many connections as it may have.
    #[error("the room is full")]
    RoomFull,
    /// The session is in as many rooms as it may be.
    #[error("in too many rooms: leave one first")]
    TooManyRooms,
    /// The user has as many sessions as they may have.
    #[error("too many sessions: close one first")]
    TooManySessions,
    /// There are as many rooms or sessions as there may be.
    #[error("the server is full: try again later")]
    ServerFull,
    /// The host's policy does not allow it.
    #[error("not allowed")]
    Forbidden,
    /// The user is banned from that room.
    #[error("banned from that room")]
    Banned,
    /// The user may not speak in that room for now.
    #[error("muted in that room")]
    Muted,
    /// The room is slow: the user has said something not long ago.
    #[error("this room is in slow mode: wait {} ms", .retry_after.as_millis())]
    SlowMode {
        /// When the next message would be let in.
        retry_after: Duration,
    },
    /// Something is larger than it may be.
    #[error("{what} has at most {limit} bytes")]
    TooLarge {
        /// What: `body`, `data` or `meta`.
        what: &'static str,
        /// How many bytes it may have.
        limit: usize,
    },
    /// Too many requests in a short time.
    #[error("too many requests: wait {} ms", .retry_after.as_millis())]
    RateLimited {
        /// When the next one would be let in.
        retry_after: Duration,
    },
    /// Too many messages of this room wait for the store.
    #[error("the room is busy: try again")]
    Busy,
    /// The store does not answer or refuses: nothing was stored and nothing will be.
    #[error("messages cannot be kept right now: try again")]
    StoreUnavailable,
    /// The store had begun and may have stored it: sending it again with the same nonce tells. Of somebody who wanted into a room of a [cluster](crate::Cluster): they are not in, and the
    /// others may see them come and go.
    #[error("it cannot be told whether that was done: try again, a message with the same nonce")]
    OutcomeUnknown,
    /// There is no such room, message or user.
    #[error("not found")]
    NotFound,
    /// The registry is shutting down.
    #[error("shutting down")]
    ShuttingDown,
    /// The session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// The host's policy refused with a code of its own.
    #[error("{message}")]
    Refused {
        /// The host's own code, which begins with `x-`, or `bad_request`. Any other one that a policy gives is told as `forbidden`.
        code: Cow<'static, str>,
        /// What the client may be told.
        message: Cow<'static, str>,
    },
    /// A hook of the host failed.
    #[error("internal error")]
    Internal,
}

impl Error {
    /// The code of the wire protocol.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotInRoom => "not_in_room",
            Self::AlreadyInRoom => "already_in_room",
            Self::RoomFull => "room_full",
            Self::TooManyRooms => "too_many_rooms",
            Self::TooManySessions => "too_many_sessions",
            Self::ServerFull => "server_full",
            Self::Forbidden => "forbidden",
            Self::Banned => "banned",
            Self::Muted => "muted",
            Self::SlowMode { .. } => "slow_mode",
            Self::TooLarge { .. } => "too_large",
            Self::RateLimited { .. } => "rate_limited",
            Self::Busy => "busy",
            Self::StoreUnavailable => "store_unavailable",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::NotFound => "not_found",
            Self::ShuttingDown => "shutting_down",
            Self::SessionEnded => "unauthorized",
            Self::Refused { code, .. } => code,
            Self::Internal => "internal",
        }
    }

    /// When trying again makes sense, where that can be told.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::SlowMode { retry_after } => {
                Some(*retry_after)
            }
            Self::Busy | Self::StoreUnavailable | Self::OutcomeUnknown => {
                Some(Duration::from_secs(1))
            }
            Self::ServerFull | Self::ShuttingDown => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::NotFound,
            StoreError::OutcomeUnknown { .. } => Self::OutcomeUnknown,
            StoreError::Unavailable { .. } => Self::StoreUnavailable,
        }
    }
}
