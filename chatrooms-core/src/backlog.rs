//! What waits in all outboxes together.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use crate::{Config, instruments::Gauge};

/// Counts and bounds the bytes that wait in all outboxes, and those of answers by themselves: where they are more than may be in all, each session may have no more than its
/// share.
///
/// All atomics are relaxed: they decide when somebody is too slow, and nothing is read by them. What waits is changed after the outbox's lock is free, so that it may lag behind by
/// what is being told right now.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: AtomicI64,
    most: usize,
    gauge: Gauge,
    pub(crate) answers: Answers,
    outboxes: AtomicUsize,
}

/// The answers that are there. What is told to many is shared by them, and answers are not: of these, the bytes are what the memory holds.
///
/// No gauge, because answers go wherever they are dropped, under locks too.
#[derive(Debug)]
pub(crate) struct Answers {
    bytes: AtomicUsize,
    most: usize,
}

impl Answers {
    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Backlog {
    pub(crate) const fn new(config: &Config, gauge: Gauge) -> Self {
        let answers = Answers { bytes: AtomicUsize::new(0), most: config.answer_bytes_in_all };
        Self {
            bytes: AtomicI64::new(0),
            most: config.outbox_bytes_in_all,
            gauge,
            answers,
            outboxes: AtomicUsize::new(0),
        }
    }

    pub(crate) fn enter(&self) {
        self.outboxes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn exit(&self) {
        self.outboxes.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts by how many bytes more is waiting.
    pub(crate) fn change(&self, bytes: i64) {
        if bytes != 0 {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.gauge.add(bytes);
        }
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The most bytes that may wait for one session as things stand, beside its own bound.
    pub(crate) fn share(&self) -> usize {
        let waiting = usize::try_from(self.bytes.load(Ordering::Relaxed)).unwrap_or(0);
        self.share_of(waiting, self.most)
    }

    /// The same of its answers.
    pub(crate) fn answer_share(&self) -> usize {
        self.share_of(self.answers.bytes.load(Ordering::Relaxed), self.answers.most)
    }

    fn share_of(&self, bytes: usize, most: usize) -> usize {
        if bytes <= most {
            return usize::MAX;
        }
        most / self.outboxes.load(Ordering::Relaxed).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn over_the_bound_everybody_has_an_equal_share() {
        let config = Config { outbox_bytes_in_all: 1000, ..Config::default() };
        let backlog = Backlog::new(&config, Metrics::new().outbox_bytes);
        (0..4).for_each(|_| backlog.enter());
        backlog.change(1000);
        assert_eq!(backlog.share(), usize::MAX);
        backlog.change(1);
        assert_eq!(backlog.share(), 250);
        backlog.exit();
        assert_eq!(backlog.share(), 333);
        backlog.change(-1);
        assert_eq!(backlog.share(), usize::MAX);
    }

    #[test]
    fn answers_are_shared_by_themselves() {
        let config = Config { answer_bytes_in_all: 100, ..Config::default() };
        let backlog = Backlog::new(&config, Metrics::new().outbox_bytes);
        (0..4).for_each(|_| backlog.enter());
        backlog.change(1000);
        backlog.answers.add(100);
        assert_eq!((backlog.share(), backlog.answer_share()), (usize::MAX, usize::MAX));
        backlog.answers.add(1);
        assert_eq!((backlog.share(), backlog.answer_share()), (usize::MAX, 25));
        backlog.answers.subtract(1);
        assert_eq!(backlog.answer_share(), usize::MAX);
    }
}
