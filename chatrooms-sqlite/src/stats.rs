//! Counters of what the writer has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteStats {
    /// Messages stored.
    pub appended: u64,
    /// Transactions committed for appends, redactions and ends of lives.
    pub batches: u64,
    /// Messages removed, because their life ended or because they were trimmed.
    pub removed: u64,
    /// Transactions committed for removals, of at most 1,000 messages each.
    pub slices: u64,
    /// Times that the log was emptied so that nothing removed is left in it.
    pub checkpoints: u64,
    /// Transactions that failed.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    appended: AtomicU64,
    batches: AtomicU64,
    removed: AtomicU64,
    slices: AtomicU64,
    checkpoints: AtomicU64,
    failures: AtomicU64,
}

impl Counters {
    pub(crate) fn batch(&self, appended: u64) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.appended.fetch_add(appended, Ordering::Relaxed);
    }

    pub(crate) fn slice(&self, removed: u64) {
        self.slices.fetch_add(1, Ordering::Relaxed);
        self.removed.fetch_add(removed, Ordering::Relaxed);
    }

    pub(crate) fn checkpoint(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> SqliteStats {
        SqliteStats {
            appended: self.appended.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            removed: self.removed.load(Ordering::Relaxed),
            slices: self.slices.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}
