//! Times as they are spread.

use std::{fmt, time::Duration};

/// Times, in order.
#[derive(Debug)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    /// # Panics
    /// Without a time.
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "something was timed");
        times.sort_unstable();
        Self(times)
    }

    /// The time that so many of a thousand do not exceed.
    pub(crate) fn per_mille(&self, share: usize) -> Duration {
        let rank = (self.0.len() * share).div_ceil(1000);
        self.0[rank.clamp(1, self.0.len()) - 1]
    }
}

impl fmt::Display for Spread {
    /// The usual percentiles, and how many times are up to which power of two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p90, p99, max] = [500, 900, 990, 1000].map(|share| self.per_mille(share));
        writeln!(
            f,
            "{} times: p50 {p50:.2?}, p90 {p90:.2?}, p99 {p99:.2?}, max {max:.2?}",
            self.0.len()
        )?;
        let mut rest = self.0.as_slice();
        let mut bound = Duration::from_micros(1);
        while !rest.is_empty() {
            let count = rest.partition_point(|time| *time <= bound);
            if count > 0 {
                let bar = "#".repeat((count * 60).div_ceil(self.0.len()));
                writeln!(f, "  up to {:>10} {count:>6} {bar}", format!("{bound:.0?}"))?;
            }
            rest = &rest[count..];
            bound *= 2;
        }
        Ok(())
    }
}
