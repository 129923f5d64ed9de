//! The bounds of one room.

use std::time::Duration;

use crate::Config;

/// The bounds and times of one life of a room. They begin as those of [`Config`]; a policy's
/// [`open_room`](crate::RoomPolicy::open_room) may change them before anybody is in the room.
///
/// ```
/// # use std::time::Duration;
/// # use chatrooms_core::{Config, RoomRules};
/// let mut rules = RoomRules::new(&Config::default());
/// rules.members = 2;
/// rules.linger = Duration::from_secs(600);
/// rules.slow_mode = Duration::from_secs(10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomRules {
    /// The most connections. Default [`Config::members_per_room`].
    pub members: usize,
    /// The messages that are kept; older ones are trimmed. Default [`Config::keep`].
    pub keep: usize,
    /// How long the room waits for a return when its last connection was lost, also over the end of this process where the store outlives it. Default
    /// [`Config::linger`].
    pub linger: Duration,
    /// How long everybody has to wait after a message before their next one. Default 0: not at all.
    /// [`Moderation::set_slow_mode`](crate::Moderation::set_slow_mode) changes it later.
    pub slow_mode: Duration,
}

impl RoomRules {
    /// Those of a registry's configuration.
    #[must_use]
    pub const fn new(config: &Config) -> Self {
        Self {
            members: config.members_per_room,
            keep: config.keep,
            linger: config.linger,
            slow_mode: Duration::ZERO,
        }
    }
}
