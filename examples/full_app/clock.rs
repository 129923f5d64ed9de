//! The time of day, as cookies need it: it never runs backwards.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Whole milliseconds, counted on from the time of day at the start, whatever is done to the machine's clock meanwhile: what was
/// issued after a moment also says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    at: SystemTime,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), at: SystemTime::now() }
    }

    /// The same, but not before this moment: what was written down before the machine's clock was put back stays in the past.
    pub(crate) fn no_earlier_than(self, moment: SystemTime) -> Self {
        Self { at: self.at.max(moment), ..self }
    }

    pub(crate) fn now(&self) -> SystemTime {
        whole(self.at + self.started.elapsed())
    }
}

/// A moment as it stands in a cookie and in the database.
pub(crate) fn to_millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `None` beyond all calendars.
pub(crate) fn from_millis(millis: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}

fn whole(at: SystemTime) -> SystemTime {
    from_millis(to_millis(at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_put_back_goes_on_where_it_was() {
        let later = Clock::start().now() + Duration::from_secs(3600);
        assert!(Clock::start().no_earlier_than(later).now() >= later);
    }

    #[test]
    fn a_moment_survives_being_written_down() {
        let now = Clock::start().now();
        assert_eq!(from_millis(to_millis(now)), Some(now));
    }
}
