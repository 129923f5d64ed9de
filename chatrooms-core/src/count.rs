//! How many of something there are, for those who bound them or wait for the last.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A count that can be bounded, and waited for until it is 0.
#[derive(Debug, Default)]
pub(crate) struct Count {
    /// With [`WAITED_FOR`] once somebody has waited. Nobody does in nearly all of a registry's life, and telling nobody costs more than the counting.
    now: AtomicUsize,
    /// Told whenever a count that is waited for comes to 0.
    none: Notify,
}

const WAITED_FOR: usize = 1 << (usize::BITS - 1);

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.now.load(Ordering::SeqCst) & !WAITED_FOR
    }

    /// Counts one more.
    pub(crate) fn add(&self) {
        self.now.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts one more, unless there are as many as there may be; says whether it did.
    pub(crate) fn add_below(&self, most: usize) -> bool {
        let more = |now| (now & !WAITED_FOR < most).then_some(now + 1);
        self.now.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Counts one less.
    pub(crate) fn remove(&self) {
        if self.now.fetch_sub(1, Ordering::SeqCst) == WAITED_FOR + 1 {
            self.none.notify_waiters();
        }
    }

    /// Waits until there are none.
    pub(crate) async fn none(&self) {
        loop {
            // Made before the look at the count: it is told of a change after that, polled or not. The look and the mark are one step, so that the last one is
            // seen here, or whoever waits is seen there.
            let none = self.none.notified();
            if self.now.fetch_or(WAITED_FOR, Ordering::SeqCst) & !WAITED_FOR == 0 {
                return;
            }
            none.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_none_is_told_at_the_last() {
        let count = Count::default();
        assert!(count.none().now_or_never().is_some());
        count.add();
        assert!(count.add_below(2) && !count.add_below(2));
        assert_eq!(count.get(), 2);
        let mut none = Box::pin(count.none());
        count.remove();
        assert!(none.as_mut().now_or_never().is_none());
        count.remove();
        assert!(none.now_or_never().is_some());
    }
}
