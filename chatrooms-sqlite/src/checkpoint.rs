//! When the log is emptied, so that nothing that was removed stays in it.

use std::{error::Error, time::Duration};

use tokio::time::Instant;

use crate::backfill::Backfill;

/// How long there must be nothing to do before it is emptied …
const IDLE: Duration = Duration::from_millis(100);
/// … unless what was removed has been in it for so long.
const OVERDUE: Duration = Duration::from_secs(2);
/// From then on it is emptied although somebody reads from it, and whoever writes waits for them, for a moment.
const LATE: Duration = Duration::from_secs(3);
/// Between tries while another program reads from it.
const BUSY: Duration = Duration::from_millis(250);
/// Between tries after an error.
const FAILED: Duration = Duration::from_secs(2);

/// Whether and when the log has to be emptied.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    /// Since when something removed may be in it.
    wanted: Option<Instant>,
    not_before: Option<Instant>,
    /// What comes before it.
    pub(crate) backfill: Backfill,
    /// Whether the last try ended in an error, which is logged once.
    failing: bool,
}

impl Checkpoint {
    /// Something has been removed.
    pub(crate) fn want(&mut self) {
        self.wanted.get_or_insert_with(Instant::now);
    }

    /// The log has grown large. Were it left to SQLite, everybody would wait for the disk in the middle of a commit.
    pub(crate) fn want_at_once(&mut self) {
        let now = Instant::now();
        let overdue = now.checked_sub(OVERDUE).unwrap_or(now);
        // Never later than it was wanted already, or it would never be late.
        self.wanted = Some(self.wanted.map_or(overdue, |since| since.min(overdue)));
    }

    /// Whether it must not wait for an idle moment any more.
    pub(crate) fn is_overdue(&self) -> bool {
        if self.backfill.is_begun() {
            return self.backfill.has_ended();
        }
        let now = Instant::now();
        self.wanted.is_some_and(|since| since + OVERDUE <= now)
            && self.not_before.is_none_or(|at| at <= now)
    }

    /// Whether it has been put off for long enough.
    pub(crate) fn is_late(&self) -> bool {
        self.wanted.is_some_and(|since| since.elapsed() >= LATE)
    }

    /// When it is due if nothing else comes.
    pub(crate) fn when_idle(&self) -> Option<Instant> {
        if self.backfill.is_begun() {
            return None;
        }
        self.wanted?;
        let idle = Instant::now() + IDLE;
        Some(self.not_before.map_or(idle, |at| at.max(idle)))
    }

    /// Somebody else reads from the log.
    pub(crate) fn postpone(&mut self) {
        self.backfill = Backfill::NotBegun;
        self.not_before = Some(Instant::now() + BUSY);
    }

    pub(crate) fn failed(&mut self, error: &(dyn Error + 'static)) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(
                name: "checkpoint_failed",
                target: "chatrooms_sqlite",
                error,
                "what was removed cannot be taken from the database's log"
            );
        }
        self.backfill = Backfill::NotBegun;
        self.not_before = Some(Instant::now() + FAILED);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// The store promises five seconds: three until nothing is waited for any more, and two for the work.
    #[tokio::test(start_paused = true)]
    async fn what_was_removed_waits_for_an_idle_moment_for_two_seconds_and_for_readers_for_one_more()
     {
        let mut checkpoint = Checkpoint::default();
        assert_eq!(checkpoint.when_idle(), None, "nothing was removed");
        checkpoint.want();
        assert_eq!(checkpoint.when_idle(), Some(Instant::now() + Duration::from_millis(100)));
        advance(Duration::from_millis(1999)).await;
        // What is removed meanwhile does not put it off.
        checkpoint.want();
        assert!(!checkpoint.is_overdue());
        advance(Duration::from_millis(1)).await;
        assert!(checkpoint.is_overdue() && !checkpoint.is_late());
        checkpoint.postpone();
        assert!(!checkpoint.is_overdue());
        advance(Duration::from_millis(250)).await;
        assert!(checkpoint.is_overdue() && !checkpoint.is_late());
        advance(Duration::from_millis(750)).await;
        assert!(checkpoint.is_late());
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_goes_on_growing_is_late_in_the_end() {
        // A clock that has only begun holds no earlier time.
        advance(OVERDUE).await;
        let mut checkpoint = Checkpoint::default();
        checkpoint.want_at_once();
        assert!(checkpoint.is_overdue() && !checkpoint.is_late());
        for _ in 0..10 {
            advance((LATE - OVERDUE) / 10).await;
            checkpoint.want_at_once();
        }
        assert!(checkpoint.is_late());
    }
}
