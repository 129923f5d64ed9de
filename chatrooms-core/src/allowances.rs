//! How often each of many may do something.

use std::{
    fmt,
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use tokio::time::Instant;

use crate::Error;

/// How often each of many may do one thing: each user, or each address. Everybody has an allowance of their own, and whoever has been silent for as long as theirs
/// takes to fill up is forgotten.
///
/// This is what the rooms count with, for what a host has to limit itself.
///
/// ```
/// use chatrooms_core::{Allowances, Error, UserName};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let searches = Allowances::per_second(1, 2);
/// let ada = UserName::new("ada")?;
/// assert_eq!([searches.take(&ada), searches.take(&ada)], [Ok(()), Ok(())]);
/// assert!(matches!(searches.take(&ada), Err(Error::RateLimited { .. })));
/// # Ok(())
/// # }
/// ```
pub struct Allowances<K: Hash + Eq + Clone> {
    limiter: Option<Limiter<K>>,
    takes: AtomicU32,
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, TokioClock, NoOpMiddleware<Nanos>>;

/// After so many it is seen who can be forgotten.
const TAKES_PER_SWEEP: u32 = 4096;

impl<K: Hash + Eq + Clone> Allowances<K> {
    /// For each so many a second in the long run, and as many as `burst` at once after a silence. [`u32::MAX`] a second is no limit; neither can be less than 1.
    #[must_use]
    pub fn per_second(count: u32, burst: u32) -> Self {
        Self::of(per_second(count, burst))
    }

    pub(crate) fn of(quota: Option<Quota>) -> Self {
        let limiter =
            |quota| RateLimiter::new(quota, DashMapStateStore::default(), TokioClock::new());
        Self { limiter: quota.map(limiter), takes: AtomicU32::new(0) }
    }

    /// Takes one from somebody's allowance.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where nothing is left of it, with the time until there is.
    pub fn take(&self, key: &K) -> Result<(), Error> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.takes.fetch_add(1, Ordering::Relaxed).is_multiple_of(TAKES_PER_SWEEP) {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(key).map_err(|until| too_soon(&until, limiter.clock()))
    }

    fn known(&self) -> usize {
        self.limiter.as_ref().map_or(0, RateLimiter::len)
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for Allowances<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowances").field("known", &self.known()).finish_non_exhaustive()
    }
}

/// No quota where there is no limit.
pub(crate) fn per_second(count: u32, burst: u32) -> Option<Quota> {
    (count != u32::MAX).then(|| Quota::per_second(least(count)).allow_burst(least(burst)))
}

pub(crate) fn per_minute(count: u32) -> Option<Quota> {
    (count != u32::MAX).then(|| Quota::per_minute(least(count)))
}

/// Who allows nothing at all wants a policy, not a rate.
const fn least(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

pub(crate) fn too_soon(until: &NotUntil<Nanos>, clock: &TokioClock) -> Error {
    let retry_after = until.wait_time_from(clock.now()).max(Duration::from_millis(1));
    Error::RateLimited { retry_after }
}

/// tokio's clock, so that a paused clock pauses the limits too; it never runs backwards.
#[derive(Clone, Debug)]
pub(crate) struct TokioClock(Instant);

impl TokioClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everybody_has_a_burst_and_then_a_rate_and_is_forgotten_after_a_silence() {
        let sends = Allowances::per_second(20, 100);
        for _ in 0..100 {
            assert_eq!(sends.take(&"ada"), Ok(()));
        }
        let retry_after = Duration::from_millis(50);
        assert_eq!(sends.take(&"ada"), Err(Error::RateLimited { retry_after }));
        assert_eq!(sends.take(&"bob"), Ok(()), "everybody has an allowance of their own");
        tokio::time::advance(retry_after).await;
        assert_eq!(sends.take(&"ada"), Ok(()));
        assert_eq!(sends.known(), 2);
        tokio::time::advance(Duration::from_secs(6)).await;
        for _ in 0..TAKES_PER_SWEEP {
            let _ = sends.take(&"bob");
        }
        assert_eq!(sends.known(), 1, "ada is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_number_is_no_limit_and_none_is_the_least() {
        let (boundless, least) =
            (Allowances::per_second(u32::MAX, 1), Allowances::per_second(0, 0));
        assert!((0..10_000).all(|_| boundless.take(&"ada").is_ok()));
        assert_eq!(least.take(&"ada"), Ok(()));
        assert!(least.take(&"ada").is_err());
    }
}
