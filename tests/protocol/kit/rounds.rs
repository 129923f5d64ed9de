//! How often is repeated what a test repeats: a little among the tests, and as often as wanted in `cargo xtask prove crashes`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// As often as `ROUNDS` says in the environment, or else as often as usual.
pub(crate) fn rounds(usual: usize) -> usize {
    from_the_environment("ROUNDS").map_or(usual, |rounds| rounds as usize)
}

/// Moments at which something is to happen, different in each run and the same for a seed (`CRASH_SEED`).
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) fn seeded() -> Self {
        let seed = from_the_environment("CRASH_SEED").unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::from(now.subsec_nanos()) | 1
        });
        println!("CRASH_SEED={seed}");
        Self(seed)
    }

    /// The next one, which is not later than that.
    pub(crate) fn next(&mut self, latest: Duration) -> Duration {
        Duration::from_micros(self.number() % latest.as_micros() as u64)
    }

    /// One of so many things that can happen.
    pub(crate) fn choice(&mut self, of: usize) -> usize {
        // The low bits of neighbours are alike.
        (self.number() >> 32) as usize % of
    }

    /// Others, which follow from these.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.number() | 1)
    }

    fn number(&mut self) -> u64 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn from_the_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse().ok().filter(|number| *number > 0);
    Some(number.unwrap_or_else(|| panic!("{name}={text}: a number from 1 is expected")))
}
