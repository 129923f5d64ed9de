//! A life: one occupancy of a room name, from the first join to the last leave.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::RoomName;

/// Tells one life of a room from every other, in this process and in all others.
///
/// On the wire it is an opaque string: 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u128);

impl Epoch {
    /// A new epoch: 64 random bits of this process and 64 of a counter that starts at random, so
    /// that making one costs no system call and no two are ever the same.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default value suggests a fixed one")]
    pub fn new() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(random);
        static COUNTER: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(random()));
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(u128::from(*PROCESS) << 64 | u128::from(count))
    }

    /// The epoch with these bits, as a store has kept them.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits, for a store to keep.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

/// 64 bits from the operating system.
///
/// # Panics
/// Where the operating system has no randomness to give, nothing sound can be done.
pub(crate) fn random() -> u64 {
    getrandom::u64().expect("the operating system gives random bytes")
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [`Epoch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an epoch has 32 lower-case hexadecimal digits")]
pub struct EpochError;

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, EpochError> {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(hex) {
            return Err(EpochError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| EpochError)
    }
}

/// One occupancy of a room name. Messages belong to a life, never to a name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// The room that lives.
    pub room: RoomName,
    /// Which of its lives.
    pub epoch: Epoch,
}

// The epoch alone: no two lives have the same one.
impl Hash for Life {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.epoch.hash(state);
    }
}

impl Life {
    /// A new life of this room.
    #[must_use]
    pub fn new(room: RoomName) -> Self {
        Self { room, epoch: Epoch::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_reads_back_what_it_shows_and_nothing_else() {
        let epoch = Epoch::new();
        assert_eq!(epoch.to_string().parse(), Ok(epoch));
        for foreign in
            ["", "1", "+0000000000000000000000000000001", &"A".repeat(32), &"g".repeat(32)]
        {
            assert_eq!(foreign.parse::<Epoch>(), Err(EpochError), "{foreign}");
        }
    }

    #[test]
    fn no_two_epochs_are_the_same() {
        assert_ne!(Epoch::new(), Epoch::new());
    }
}
