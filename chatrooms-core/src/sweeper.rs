//! Ends the lives of emptied rooms in the store, and tries again until it has succeeded.

use std::{
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::sleep,
};

use crate::{
    Life,
    count::Count,
    metrics::Metrics,
    observed_store::ObservedStore,
    sync::{Arc, in_a_task, millis, timed},
};

/// How many lives the store is asked to end at a time.
const AT_A_TIME: usize = 64;
/// A store that takes longer than this over one life does not hold up the others any more.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// Removes the messages of lives that have ended.
///
/// A life is over for everybody before it comes here; this is the broom, not the decision.
#[derive(Debug)]
pub(crate) struct Sweeper {
    store: Arc<ObservedStore>,
    slots: Semaphore,
    /// How many lives are not done.
    pending: Count,
    done: AtomicU64,
    failed: AtomicU64,
    metrics: Arc<Metrics>,
}

/// A life that has ended, whose messages are still to be removed.
#[derive(Debug)]
#[must_use = "it is pending until it is purged"]
pub(crate) struct Owed(Life);

/// What has become of the lives that have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purges {
    /// Lives whose messages are gone.
    pub done: u64,
    /// Lives whose messages still have to be removed. Nobody can read them.
    pub pending: usize,
    /// Tries that failed.
    pub failed: u64,
}

impl Sweeper {
    pub(crate) fn new(store: Arc<ObservedStore>, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            slots: Semaphore::new(AT_A_TIME),
            pending: Count::default(),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            metrics,
        }
    }

    /// Decides that a life's messages are to be removed. It counts as pending from here on, so that whoever waits for all purges waits for this one, too.
    pub(crate) fn owe(&self, life: Life) -> Owed {
        self.pending.add();
        Owed(life)
    }

    /// Removes a life's messages, however often that has to be tried.
    pub(crate) fn purge(
        self: &Arc<Self>,
        Owed(life): Owed,
    ) -> impl Future<Output = ()> + Send + use<> {
        self.metrics.purges_pending.add(1);
        let sweeper = Arc::clone(self);
        async move {
            let mut retry = FIRST_RETRY;
            while !sweeper.close(&life).await {
                sweeper.failed(&life, retry);
                in_a_task().await;
                Box::pin(sleep(retry)).await;
                retry = (retry * 2).min(LAST_RETRY);
            }
            sweeper.done.fetch_add(1, Ordering::Relaxed);
            sweeper.metrics.purges.count("done");
            sweeper.metrics.purges_pending.add(-1);
            sweeper.pending.remove();
        }
    }

    /// Asks the store once; says whether the life's messages are gone.
    async fn close(&self, life: &Life) -> bool {
        // What is free is taken at once, whatever else the task has done already. The semaphore is never closed.
        let slot = match self.slots.try_acquire() {
            Ok(slot) => Some(slot),
            Err(_) => self.slots.acquire().await.ok(),
        };
        unhurried(pin!(self.store.close(life)), slot).await.is_ok()
    }

    fn failed(&self, life: &Life, retry: Duration) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.metrics.purges.count("failed");
        if self.store.is_told() {
            tracing::warn!(
                name: "purge_failed",
                target: "chatrooms_core",
                room = ?life.room,
                epoch = %life.epoch,
                retry_ms = millis(retry),
                "a purge failed and will be tried again"
            );
        }
    }

    /// Waits until every purge is done.
    pub(crate) async fn idle(&self) {
        self.pending.none().await;
    }

    pub(crate) fn purges(&self) -> Purges {
        Purges {
            done: self.done.load(Ordering::Relaxed),
            pending: self.pending.get(),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

/// Waits for the end of something, and gives its slot away where that takes long.
async fn unhurried<T>(
    mut work: Pin<&mut impl Future<Output = T>>,
    slot: Option<SemaphorePermit<'_>>,
) -> T {
    if let Some(done) = work.as_mut().now_or_never() {
        return done;
    }
    in_a_task().await;
    if let Some(done) = timed(PATIENCE, work.as_mut()).await {
        return done;
    }
    drop(slot);
    work.await
}
