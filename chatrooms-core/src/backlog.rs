//! What waits in all outboxes together.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use crate::{Config, instruments::Gauge};

/// Counts and bounds the bytes that wait in all outboxes: where they are more than may wait in all, each session may have no more than its share.
///
/// All atomics are relaxed: they decide when somebody is too slow, and nothing is read by them. They are changed after the outbox's lock is free, so that they may lag behind by
/// what is being told right now.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: AtomicI64,
    outboxes: AtomicUsize,
    most: usize,
    gauge: Gauge,
}

impl Backlog {
    pub(crate) const fn new(config: &Config, gauge: Gauge) -> Self {
        let most = config.outbox_bytes_in_all;
        Self { bytes: AtomicI64::new(0), outboxes: AtomicUsize::new(0), most, gauge }
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

    /// The most bytes that may wait for one session as things stand, beside its own bound.
    pub(crate) fn share(&self) -> usize {
        let waiting = usize::try_from(self.bytes.load(Ordering::Relaxed)).unwrap_or(0);
        if waiting <= self.most {
            return usize::MAX;
        }
        self.most / self.outboxes.load(Ordering::Relaxed).max(1)
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
}
