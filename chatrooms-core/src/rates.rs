//! How often a user may do something, over all of their sessions and without one; and how often a session may ask for anything.

use std::{
    fmt,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, keyed::DashMapStateStore},
};
use tokio::time::Instant;

use crate::{Config, Error, UserName};

/// What each user may do so often, and each session.
#[derive(Debug)]
pub(crate) struct Rates {
    pub(crate) sends: UserRate,
    pub(crate) joins: UserRate,
    pub(crate) new_rooms: UserRate,
    requests: Option<Quota>,
    abuses_of_user: UserRate,
    abuses: Rate,
}

impl Rates {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            sends: UserRate::new(per_second(config.sends_per_second, config.send_burst)),
            joins: UserRate::new(per_second(config.joins_per_second, config.join_burst)),
            new_rooms: UserRate::new(per_minute(config.new_rooms_per_minute)),
            requests: per_second(config.requests_per_second, config.request_burst),
            abuses_of_user: UserRate::new(per_minute(1)),
            abuses: Rate::new(per_minute(100)),
        }
    }

    /// The rate of a session that is new.
    pub(crate) fn of_session(&self) -> Rate {
        Rate::new(self.requests)
    }

    /// Whether the log is told that this user abuses something: once a minute, and of all users together 100 times, so that whoever does it again and again fills no disk.
    pub(crate) fn is_abuse_told(&self, user: &UserName) -> bool {
        self.abuses_of_user.check(user).is_ok() && self.abuses.check().is_ok()
    }
}

/// No quota where there is no limit.
fn per_second(count: u32, burst: u32) -> Option<Quota> {
    (count != u32::MAX).then(|| Quota::per_second(least(count)).allow_burst(least(burst)))
}

fn per_minute(count: u32) -> Option<Quota> {
    (count != u32::MAX).then(|| Quota::per_minute(least(count)))
}

/// Who allows nothing at all wants a policy, not a rate.
const fn least(count: u32) -> NonZeroU32 {
    match NonZeroU32::new(count) {
        Some(count) => count,
        None => NonZeroU32::MIN,
    }
}

/// The rate of one thing, for each user. Who has been silent for as long as their allowance takes to fill up is forgotten.
pub(crate) struct UserRate {
    limiter: Option<UserLimiter>,
    checks: AtomicU32,
}

type UserLimiter =
    RateLimiter<UserName, DashMapStateStore<UserName>, TokioClock, NoOpMiddleware<Nanos>>;

/// After so many checks it is seen who can be forgotten.
const CHECKS_PER_SWEEP: u32 = 4096;

impl UserRate {
    fn new(quota: Option<Quota>) -> Self {
        let limiter = |quota| {
            RateLimiter::new(quota, DashMapStateStore::default(), TokioClock(Instant::now()))
        };
        Self { limiter: quota.map(limiter), checks: AtomicU32::new(0) }
    }

    /// Counts one.
    pub(crate) fn check(&self, user: &UserName) -> Result<(), Error> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHECKS_PER_SWEEP) {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(user).map_err(|until| too_soon(&until, limiter.clock()))
    }

    fn known(&self) -> usize {
        self.limiter.as_ref().map_or(0, RateLimiter::len)
    }
}

impl fmt::Debug for UserRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRate").field("users", &self.known()).finish_non_exhaustive()
    }
}

/// The rate of one thing.
pub(crate) struct Rate(Option<Limiter>);

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>;

impl Rate {
    fn new(quota: Option<Quota>) -> Self {
        let limiter = |quota| RateLimiter::direct_with_clock(quota, TokioClock(Instant::now()));
        Self(quota.map(limiter))
    }

    /// Counts one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check().map_err(|until| too_soon(&until, limiter.clock()))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rate").finish_non_exhaustive()
    }
}

fn too_soon(until: &NotUntil<Nanos>, clock: &TokioClock) -> Error {
    let retry_after = until.wait_time_from(clock.now()).max(Duration::from_millis(1));
    Error::RateLimited { retry_after }
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

    fn rates(change: impl FnOnce(&mut Config)) -> Rates {
        let mut config = Config::default();
        change(&mut config);
        Rates::new(&config)
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_has_a_burst_and_then_a_rate_and_is_forgotten_after_a_silence() {
        let sends = rates(|_| ()).sends;
        let [ada, bob] = ["ada", "bob"].map(|name| UserName::new(name).unwrap());
        for _ in 0..100 {
            assert_eq!(sends.check(&ada), Ok(()));
        }
        let retry_after = Duration::from_millis(50);
        assert_eq!(sends.check(&ada), Err(Error::RateLimited { retry_after }));
        assert_eq!(sends.check(&bob), Ok(()), "everybody has an allowance of their own");
        tokio::time::advance(retry_after).await;
        assert_eq!(sends.check(&ada), Ok(()));
        assert_eq!(sends.known(), 2);
        tokio::time::advance(Duration::from_secs(6)).await;
        for _ in 0..CHECKS_PER_SWEEP {
            let _ = sends.check(&bob);
        }
        assert_eq!(sends.known(), 1, "ada is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_per_minute_comes_back_over_a_minute() {
        let new_rooms = rates(|config| config.new_rooms_per_minute = 6).new_rooms;
        let ada = UserName::new("ada").unwrap();
        for _ in 0..6 {
            assert_eq!(new_rooms.check(&ada), Ok(()));
        }
        let retry_after = Duration::from_secs(10);
        assert_eq!(new_rooms.check(&ada), Err(Error::RateLimited { retry_after }));
        tokio::time::advance(retry_after).await;
        assert_eq!(new_rooms.check(&ada), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_has_a_burst_and_then_a_rate() {
        let rates = rates(|config| (config.requests_per_second, config.request_burst) = (10, 2));
        let (rate, other) = (rates.of_session(), rates.of_session());
        assert_eq!([rate.check(), rate.check()], [Ok(()), Ok(())]);
        let retry_after = Duration::from_millis(100);
        assert_eq!(rate.check(), Err(Error::RateLimited { retry_after }));
        assert_eq!(other.check(), Ok(()), "every session has an allowance of its own");
        tokio::time::advance(retry_after).await;
        assert_eq!(rate.check(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn abuse_is_told_once_a_minute_of_a_user_and_a_hundred_times_of_all() {
        let rates = rates(|_| ());
        let users: Vec<_> = (0..200).map(|n| UserName::new(&format!("u{n}")).unwrap()).collect();
        let told = || users.iter().filter(|user| rates.is_abuse_told(user)).count();
        assert!(rates.is_abuse_told(&users[0]) && !rates.is_abuse_told(&users[0]));
        assert_eq!(told(), 99);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(rates.is_abuse_told(&users[0]));
        assert_eq!(told(), 99);
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_number_is_no_limit_and_none_is_the_least() {
        let ada = UserName::new("ada").unwrap();
        let rates = rates(|config| {
            (config.sends_per_second, config.send_burst) = (u32::MAX, 1);
            config.new_rooms_per_minute = u32::MAX;
            (config.joins_per_second, config.join_burst) = (0, 0);
        });
        for _ in 0..10_000 {
            assert_eq!((rates.sends.check(&ada), rates.new_rooms.check(&ada)), (Ok(()), Ok(())));
        }
        assert_eq!(rates.joins.check(&ada), Ok(()));
        assert!(rates.joins.check(&ada).is_err());
    }
}
