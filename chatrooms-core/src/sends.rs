//! How much a user may say, over all of their sessions and without one.

use std::{
    fmt,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use tokio::time::Instant;

use crate::{Config, Error, UserName};

type Limiter =
    RateLimiter<UserName, DashMapStateStore<UserName>, TokioClock, NoOpMiddleware<Nanos>>;

/// The rate at which each user sends. Who has been silent for as long as their allowance takes to fill up is forgotten.
pub(crate) struct SendLimits {
    limiter: Limiter,
    checks: AtomicU32,
}

/// After so many checks it is seen who can be forgotten.
const CHECKS_PER_SWEEP: u32 = 4096;

impl SendLimits {
    pub(crate) fn new(config: &Config) -> Self {
        let rate = NonZeroU32::new(config.sends_per_second).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(config.send_burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate).allow_burst(burst);
        let clock = TokioClock(Instant::now());
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock);
        Self { limiter, checks: AtomicU32::new(0) }
    }

    /// Counts one send.
    pub(crate) fn check(&self, user: &UserName) -> Result<(), Error> {
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHECKS_PER_SWEEP) {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(user).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.limiter.clock().now());
            Error::RateLimited { retry_after: wait.max(Duration::from_millis(1)) }
        })
    }
}

impl fmt::Debug for SendLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendLimits").field("users", &self.limiter.len()).finish_non_exhaustive()
    }
}

/// tokio's clock, so that a paused clock pauses the limits too; it never runs backwards.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

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
    async fn a_user_has_a_burst_and_then_a_rate_and_is_forgotten_after_a_silence() {
        let limits = SendLimits::new(&Config::default());
        let [ada, bob] = ["ada", "bob"].map(|name| UserName::new(name).unwrap());
        for _ in 0..100 {
            assert_eq!(limits.check(&ada), Ok(()));
        }
        let retry_after = Duration::from_millis(50);
        assert_eq!(limits.check(&ada), Err(Error::RateLimited { retry_after }));
        assert_eq!(limits.check(&bob), Ok(()), "everybody has an allowance of their own");
        tokio::time::advance(retry_after).await;
        assert_eq!(limits.check(&ada), Ok(()));
        assert_eq!(limits.limiter.len(), 2);
        tokio::time::advance(Duration::from_secs(6)).await;
        for _ in 0..CHECKS_PER_SWEEP {
            let _ = limits.check(&bob);
        }
        assert_eq!(limits.limiter.len(), 1, "ada is forgotten");
    }
}
