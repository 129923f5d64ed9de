//! Ends the lives of emptied rooms in the store, and tries again until it has succeeded.

use std::{collections::VecDeque, panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt as _, future::join_all};
use tokio::sync::watch;

use crate::{
    Life, MessageStore, StoreError,
    sync::{Arc, Mutex, lock},
};

/// How many lives are being ended at a time.
const AT_A_TIME: usize = 64;
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The lives that have ended and whose messages the store still has to remove.
///
/// A life is over for everybody before it comes here; this is the broom, not the decision.
#[derive(Debug)]
pub(crate) struct Sweeper {
    store: Arc<dyn MessageStore>,
    /// Held for a push or a take, never over an await.
    state: Mutex<State>,
    /// How many lives are not done.
    pending: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Life>,
    /// Whether somebody sweeps; the sweep ends when it finds nothing to do.
    running: bool,
    swept: u64,
    failed: u64,
}

/// What the sweeper has done so far.
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
    pub(crate) fn new(store: Arc<dyn MessageStore>) -> Self {
        Self { store, state: Mutex::default(), pending: watch::Sender::new(0) }
    }

    /// Queues a life; says whether the caller has to start a [`sweep`](Self::sweep).
    pub(crate) fn submit(&self, life: Life) -> bool {
        let mut state = lock(&self.state);
        state.queue.push_back(life);
        self.pending.send_modify(|pending| *pending += 1);
        !std::mem::replace(&mut state.running, true)
    }

    /// Ends lives until none is left.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let mut retry = FIRST_RETRY;
        while let Some(lives) = self.next() {
            let outcomes = join_all(lives.iter().map(|life| self.close(life))).await;
            let failed: Vec<_> = lives
                .into_iter()
                .zip(&outcomes)
                .filter(|(_, ok)| !**ok)
                .map(|(life, _)| life)
                .collect();
            let all_done = failed.is_empty();
            self.note(outcomes.len() - failed.len(), failed);
            if all_done {
                retry = FIRST_RETRY;
            } else {
                tokio::time::sleep(retry).await;
                retry = (retry * 2).min(LAST_RETRY);
            }
        }
    }

    fn next(&self) -> Option<Vec<Life>> {
        let mut state = lock(&self.state);
        let count = state.queue.len().min(AT_A_TIME);
        state.running = count > 0;
        (count > 0).then(|| state.queue.drain(..count).collect())
    }

    async fn close(&self, life: &Life) -> bool {
        match AssertUnwindSafe(self.store.close(life)).catch_unwind().await {
            Ok(Ok(_) | Err(StoreError::Closed)) => true,
            Ok(Err(error)) => {
                tracing::error!(room = ?life.room, epoch = %life.epoch, %error, "a purge failed and will be tried again");
                false
            }
            Err(_) => {
                tracing::error!(room = ?life.room, epoch = %life.epoch, "the store panicked in a purge, which will be tried again");
                false
            }
        }
    }

    fn note(&self, done: usize, failed: Vec<Life>) {
        let mut state = lock(&self.state);
        state.swept += done as u64;
        state.failed += failed.len() as u64;
        state.queue.extend(failed);
        self.pending.send_modify(|pending| *pending -= done);
    }

    /// Waits until every purge is done.
    pub(crate) async fn idle(&self) {
        // The sender lives as long as this future.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }

    pub(crate) fn purges(&self) -> Purges {
        let state = lock(&self.state);
        Purges { done: state.swept, pending: *self.pending.borrow(), failed: state.failed }
    }
}
