//! How what changes gets into the database: one task writes it down, and whoever has to know waits for that, for so long, and for nobody else.

use std::time::Duration;

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long somebody waits until what they have changed is written down. Less than the library waits for an authenticator.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// Between one thing that is written down and the next: the file has one writer at a time, and a flood of names is not to keep messages out. What comes
/// meanwhile is written together.
const APART: Duration = Duration::from_millis(50);
/// The same where it has just failed.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the end of the process waits.
const END: Duration = Duration::from_millis(400);

/// What was to be written down is not, and perhaps it will not be before this process ends. In this process it holds all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotKept;

/// Changes are numbered as they come, and this knows how far they have been written down.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    reached: watch::Sender<Reached>,
    wished: Notify,
    ending: CancellationToken,
    /// The task that writes.
    tasks: TaskTracker,
}

#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    /// All changes up to this one are written down.
    kept: u64,
    /// Up to this one nobody need wait any more: it was tried in vain, or not even tried in time.
    failed: u64,
}

impl Keeping {
    /// Starts the task that writes, which ends with [`end`](Self::end). It is to go on as [`is_wished`](Self::is_wished) says.
    pub(crate) fn start(&self, writing: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(writing);
    }

    /// Has whatever has changed written down soon.
    pub(crate) fn wish(&self) {
        self.wished.notify_one();
    }

    /// Waits until this change, and all before it, are written down.
    ///
    /// # Errors
    /// It failed, or takes too long. It is tried again until it succeeds.
    pub(crate) async fn kept(&self, change: u64) -> Result<(), NotKept> {
        if self.reached.borrow().kept < change {
            self.wish();
        }
        let mut reached = self.reached.subscribe();
        let is_settled = |to: &Reached| to.kept >= change || to.failed >= change;
        let settled = timeout(PATIENCE, reached.wait_for(is_settled)).await;
        match settled.map(|to| to.is_ok_and(|to| to.kept >= change)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotKept),
            Err(_) => {
                if !self.is_in_trouble() {
                    tracing::error!(
                        "what is to outlive the process cannot be written down in time"
                    );
                }
                self.reached.send_modify(|to| to.failed = to.failed.max(change));
                Err(NotKept)
            }
        }
    }

    /// Whether the newest that is known of the file is that nothing can be written to it.
    pub(crate) fn is_in_trouble(&self) -> bool {
        let to = self.reached.borrow();
        to.failed > to.kept
    }

    /// For the task that writes: waits until there is something to do; says whether that is for the last time.
    pub(crate) async fn is_wished(&self) -> bool {
        tokio::select! {
            biased;
            () = self.ending.cancelled() => true,
            () = self.wished.notified() => false,
        }
    }

    /// For the task that writes: all changes up to this one have been written down, or could not be. Waits until it is time for more.
    pub(crate) async fn wrote(&self, change: u64, outcome: Result<(), sqlx::Error>) {
        let pause = match outcome {
            Ok(()) => {
                self.reached.send_modify(|to| to.kept = change);
                APART
            }
            Err(error) => {
                if !self.is_in_trouble() {
                    tracing::error!(%error, "what is to outlive the process cannot be written down, and is tried again until it can");
                }
                self.reached.send_modify(|to| to.failed = to.failed.max(change));
                self.wish();
                AGAIN
            }
        };
        // Whose end has come waits for nothing.
        let _ = timeout(pause, self.ending.cancelled()).await;
    }

    /// Has everything written down that is not yet, as far as that is possible in time, and the task ended that does so.
    pub(crate) async fn end(&self) {
        self.ending.cancel();
        self.tasks.close();
        if timeout(END, self.tasks.wait()).await.is_err() {
            tracing::error!(
                "the process ends before everything is written down that was to outlive it"
            );
        }
    }
}
