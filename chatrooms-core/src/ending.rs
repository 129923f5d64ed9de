//! How sessions end.

use std::time::Duration;

/// Why a session has ended. The first reason stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client went, or whoever held the session dropped it.
    Gone,
    /// More waited for the client than may wait.
    SlowConsumer,
    /// Nothing was heard of the client for too long.
    HeartbeatTimeout,
    /// The host moves the session elsewhere.
    Moved,
    /// The credentials have ended.
    Unauthorized,
    /// The user has logged out.
    LoggedOut,
    /// The user was kicked from the whole host.
    Kicked,
    /// The user was banned from the whole host.
    Banned,
    /// The client abused the protocol.
    Abuse,
    /// The registry is shutting down.
    ShuttingDown {
        /// When this client should return.
        after: Duration,
    },
    /// Something failed that should not.
    Internal,
}

impl CloseReason {
    /// The one that is [called](Self::name) so; `None` where there is none, or where it says more than its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Gone,
            Self::SlowConsumer,
            Self::HeartbeatTimeout,
            Self::Moved,
            Self::Unauthorized,
            Self::LoggedOut,
            Self::Kicked,
            Self::Banned,
            Self::Abuse,
            Self::Internal,
        ];
        all.into_iter().find(|reason| reason.name() == name)
    }

    /// What logs, metrics and other nodes call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::SlowConsumer => "slow_consumer",
            Self::HeartbeatTimeout => "heartbeat_timeout",
            Self::Moved => "moved",
            Self::Unauthorized => "unauthorized",
            Self::LoggedOut => "logged_out",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Abuse => "abuse",
            Self::ShuttingDown { .. } => "shutting_down",
            Self::Internal => "internal",
        }
    }

    /// Whether the user was made to go, rather than that a connection was lost: nothing waits for their return.
    pub(crate) const fn is_final(&self) -> bool {
        match self {
            Self::Unauthorized | Self::LoggedOut | Self::Kicked | Self::Banned | Self::Abuse => {
                true
            }
            Self::Gone
            | Self::SlowConsumer
            | Self::HeartbeatTimeout
            | Self::Moved
            | Self::ShuttingDown { .. }
            | Self::Internal => false,
        }
    }
}
