//! How many of something there are, for those who bound them or wait for the last.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A count that can be bounded, and waited for until it is 0.
#[derive(Debug, Default)]
pub(crate) struct Count {
    now: AtomicUsize,
    /// How many wait for the last. Hardly ever does anybody, and telling nobody costs more than the counting.
    waiting: AtomicUsize,
    /// Told whenever the count comes to 0 while somebody waits.
    none: Notify,
}

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    /// Counts one more.
    pub(crate) fn add(&self) {
        self.now.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts one more, unless there are as many as there may be; says whether it did.
    pub(crate) fn add_below(&self, most: usize) -> bool {
        let more = |now| (now < most).then_some(now + 1);
        self.now.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Counts one less.
    pub(crate) fn remove(&self) {
        // In the one order of all of these, either whoever waits is seen here, or they see there what has just been counted.
        if self.now.fetch_sub(1, Ordering::SeqCst) == 1 && self.waiting.load(Ordering::SeqCst) > 0 {
            self.none.notify_waiters();
        }
    }

    /// Waits until there are none.
    pub(crate) async fn none(&self) {
        let _waiting = Waiting::new(&self.waiting);
        loop {
            // Made before the look at the count: it is told of a change after that, polled or not.
            let none = self.none.notified();
            if self.get() == 0 {
                return;
            }
            none.await;
        }
    }
}

/// Somebody who waits, for as long as this is there.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use futures_util::FutureExt as _;
    use tokio::{task::spawn_blocking, time::timeout};

    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_none_is_told_at_the_last() {
        let count = Count::default();
        assert!(count.none().now_or_never().is_some());
        count.add();
        assert!(count.add_below(2) && !count.add_below(2));
        let mut none = Box::pin(count.none());
        count.remove();
        assert!(none.as_mut().now_or_never().is_none());
        count.remove();
        assert!(none.now_or_never().is_some());
        assert_eq!(count.waiting.load(Ordering::SeqCst), 0, "who has gone is not told any more");
    }

    #[tokio::test]
    async fn whoever_begins_to_wait_while_the_last_goes_is_told() {
        for _ in 0..2000 {
            let count = Arc::new(Count::default());
            count.add();
            let last = Arc::clone(&count);
            let gone = spawn_blocking(move || last.remove());
            assert!(timeout(Duration::from_secs(60), count.none()).await.is_ok());
            gone.await.unwrap();
        }
    }
}
