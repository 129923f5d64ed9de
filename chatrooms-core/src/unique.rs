//! Hashing of what is unique already.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps by the marks of lives and sessions. They are made here of random bits and a counter and no client has a say in them, so that nobody can
/// make them collide.
pub(crate) type BuildUniqueHasher = BuildHasherDefault<UniqueHasher>;

/// Spreads a number over all bits, because maps look at the highest as well as at the lowest.
#[derive(Debug, Default)]
pub(crate) struct UniqueHasher(u64);

/// An odd number without a pattern: 2 to the 64th over the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for UniqueHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(32) ^ number).wrapping_mul(SPREAD);
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64((number >> 64) as u64);
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, hash::BuildHasher as _};

    use super::*;
    use crate::Epoch;

    #[test]
    fn neighbours_differ_in_their_highest_and_in_their_lowest_bits() {
        let hashes: Vec<u64> =
            (0..1024).map(|_| BuildUniqueHasher::default().hash_one(Epoch::new())).collect();
        let distinct = |part: fn(u64) -> u64| {
            hashes.iter().map(|hash| part(*hash)).collect::<HashSet<_>>().len()
        };
        assert!(distinct(|hash| hash >> 54) > 512, "of 1,024 places");
        assert!(distinct(|hash| hash & 1023) > 512, "of 1,024 places");
    }
}
