//! What a client may do wrong for a while, and when it is too much.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::Options;

/// How a frame goes against the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offence {
    /// No client sends it that keeps to the protocol.
    Malformed,
    /// It was asked too soon, and refused.
    Hasty,
}

impl Offence {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_frames",
            Self::Hasty => "hasty_requests",
        }
    }
}

/// Counts offences, each kind within a sliding window. Boxed because hardly any session has one, and it lies in the task of each.
#[derive(Debug, Default)]
pub(crate) struct Record(Option<Box<Offences>>);

#[derive(Debug, Default)]
struct Offences {
    malformed: VecDeque<Instant>,
    hasty: VecDeque<Instant>,
}

impl Record {
    /// Notes one; says whether it is more than is let pass.
    pub(crate) fn is_one_too_many(&mut self, offence: Offence, options: &Options) -> bool {
        let offences = self.0.get_or_insert_default();
        let (times, most) = match offence {
            Offence::Malformed => (&mut offences.malformed, options.malformed),
            Offence::Hasty => (&mut offences.hasty, options.hasty),
        };
        let now = Instant::now();
        while times.front().is_some_and(|at| now - *at >= options.malformed_window) {
            times.pop_front();
        }
        times.push_back(now);
        times.len() > most
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_counted_by_itself_within_a_window() {
        let options = Options { malformed: 2, hasty: 3, ..Options::default() };
        let mut record = Record::default();
        let mut note = |offence| record.is_one_too_many(offence, &options);
        let (malformed, hasty) = (Offence::Malformed, Offence::Hasty);
        assert_eq!([malformed, hasty, malformed, hasty, hasty].map(&mut note), [false; 5]);
        assert_eq!([malformed, hasty].map(&mut note), [true; 2]);
        advance(options.malformed_window).await;
        assert_eq!([malformed, malformed].map(&mut note), [false; 2]);
        advance(options.malformed_window / 2).await;
        assert!(note(malformed));
        advance(options.malformed_window / 2).await;
        assert!(!note(malformed), "the first two are forgotten");
    }
}
