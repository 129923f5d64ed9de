//! How often a user may do something, over all of their sessions and without one; and how often a session may ask for anything.

use std::fmt;

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::{
    Allowances, Config, Error, UserName,
    allowances::{TokioClock, per_minute, per_second, too_soon},
};

/// What each user may do so often, and each session.
#[derive(Debug)]
pub(crate) struct Rates {
    pub(crate) sends: Allowances<UserName>,
    pub(crate) joins: Allowances<UserName>,
    pub(crate) new_rooms: Allowances<UserName>,
    requests: Option<Quota>,
    abuses_of_user: Allowances<UserName>,
    abuses: Rate,
}

impl Rates {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            sends: Allowances::of(per_second(config.sends_per_second, config.send_burst)),
            joins: Allowances::of(per_second(config.joins_per_second, config.join_burst)),
            new_rooms: Allowances::of(per_minute(config.new_rooms_per_minute)),
            requests: per_second(config.requests_per_second, config.request_burst),
            abuses_of_user: Allowances::of(per_minute(1)),
            abuses: Rate::new(per_minute(100)),
        }
    }

    /// The rate of a session that is new.
    pub(crate) fn of_session(&self) -> Rate {
        Rate::new(self.requests)
    }

    /// Whether the log is told that this user abuses something: once a minute, and of all users together 100 times, so that whoever does it again and again fills no disk.
    pub(crate) fn is_abuse_told(&self, user: &UserName) -> bool {
        self.abuses_of_user.take(user).is_ok() && self.abuses.check().is_ok()
    }
}

/// The rate of one thing.
pub(crate) struct Rate(Option<Limiter>);

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>;

impl Rate {
    pub(crate) fn new(quota: Option<Quota>) -> Self {
        let limiter = |quota| RateLimiter::direct_with_clock(quota, TokioClock::new());
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::RoomRegistry;

    fn rates(change: impl FnOnce(&mut Config)) -> Rates {
        let mut config = Config::default();
        change(&mut config);
        Rates::new(&config)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_counted_per_minute_comes_back_over_a_minute() {
        let new_rooms = rates(|config| config.new_rooms_per_minute = 6).new_rooms;
        let ada = UserName::new("ada").unwrap();
        for _ in 0..6 {
            assert_eq!(new_rooms.take(&ada), Ok(()));
        }
        let retry_after = Duration::from_secs(10);
        assert_eq!(new_rooms.take(&ada), Err(Error::RateLimited { retry_after }));
        tokio::time::advance(retry_after).await;
        assert_eq!(new_rooms.take(&ada), Ok(()));
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
        let rooms = RoomRegistry::new();
        let users: Vec<_> = (0..200).map(|n| UserName::new(&format!("u{n}")).unwrap()).collect();
        let told = || users.iter().filter(|user| rooms.is_abuse_told(user)).count();
        assert!(rooms.is_abuse_told(&users[0]) && !rooms.is_abuse_told(&users[0]));
        assert_eq!(told(), 99);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(rooms.is_abuse_told(&users[0]));
        assert_eq!(told(), 99);
    }
}
