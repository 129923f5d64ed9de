//! The host's store, watched: what it takes, and what goes wrong in it, whoever asked.

use std::{
    error::Error,
    fmt::Debug,
    pin::{Pin, pin},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::{
    Appended, Budget, Cluster, Draft, Epoch, Life, MessageStore, Opened, Page, Redaction, RoomName,
    StoreError, UserName,
    allowances::per_second,
    metrics::Metrics,
    rates::Rate,
    sync::{Arc, Begun, begun, guarded, in_a_task, millis, timed},
};

/// A store that takes longer than this over one call is told of.
const SLOW: Duration = Duration::from_secs(1);

/// Times every call, tells the log of those that fail, panic or are slow, and makes an error of a panic.
///
/// It has the methods of a [`MessageStore`] without being one, so that a call costs no more boxed futures than the store's own.
#[derive(Debug)]
pub(crate) struct ObservedStore {
    store: Arc<dyn MessageStore>,
    /// What is behind the store, where that is a cluster.
    cluster: Option<Arc<dyn Cluster>>,
    metrics: Arc<Metrics>,
    /// What goes wrong may go wrong for everybody at once: all of it is counted, and the log is told of so much.
    told: Rate,
}

/// Of what goes wrong, the log is told so often in a second in the long run, and of as many at once as a person reads.
const TOLD_PER_SECOND: u32 = 1;
const TOLD_AT_ONCE: u32 = 20;

impl ObservedStore {
    pub(crate) fn new(
        store: Arc<dyn MessageStore>,
        cluster: Option<Arc<dyn Cluster>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let told = Rate::new(per_second(TOLD_PER_SECOND, TOLD_AT_ONCE));
        Self { store, cluster, metrics, told }
    }

    /// Whether the log is told of what has gone wrong now.
    pub(crate) fn is_told(&self) -> bool {
        self.told.check().is_ok()
    }

    /// The store itself, where the `Arc` around it would be one too.
    fn store(&self) -> &dyn MessageStore {
        &*self.store
    }

    /// `None` where the store panicked.
    async fn timed<'a, T>(
        &self,
        operation: &'static str,
        room: Option<&RoomName>,
        call: impl FnOnce() -> BoxFuture<'a, T>,
    ) -> Option<T> {
        let stopwatch = self.metrics.store.start();
        let answer = match begun(call) {
            Some(Begun::Done(answer)) => Some(answer),
            Some(Begun::Pending(call)) => {
                Box::pin(self.told_when_slow(operation, room, pin!(guarded(call)))).await
            }
            None => None,
        };
        self.metrics.store.record(operation, stopwatch);
        if answer.is_none() {
            self.metrics.store_failures.count(operation);
            if self.is_told() {
                tracing::error!(
                    name: "store_panicked",
                    target: "chatrooms_core",
                    operation,
                    room = room.map(tracing::field::debug),
                    "the store panicked"
                );
            }
        }
        answer
    }

    /// A call that does not answer at once. One that hangs is told of too: the log says so while it does.
    async fn told_when_slow<T>(
        &self,
        operation: &'static str,
        room: Option<&RoomName>,
        mut call: Pin<&mut impl Future<Output = T>>,
    ) -> T {
        in_a_task().await;
        if let Some(answer) = timed(SLOW, call.as_mut()).await {
            return answer;
        }
        if self.is_told() {
            tracing::warn!(
                name: "store_slow",
                target: "chatrooms_core",
                operation,
                room = room.map(tracing::field::debug),
                waited_ms = millis(SLOW),
                "the store has not answered yet"
            );
        }
        call.await
    }

    async fn call<'a, T>(
        &'a self,
        operation: &'static str,
        room: Option<&'a RoomName>,
        call: impl FnOnce() -> BoxFuture<'a, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let Some(answer) = self.timed(operation, room, call).await else { return Err(panicked()) };
        answer.inspect_err(|error| self.failed(operation, room, error))
    }

    fn failed(&self, operation: &'static str, room: Option<&RoomName>, error: &StoreError) {
        // Nothing has failed where somebody came too late.
        if matches!(error, StoreError::Closed) {
            return;
        }
        self.metrics.store_failures.count(operation);
        if self.is_told() {
            tracing::error!(
                name: "store_failed",
                target: "chatrooms_core",
                operation,
                room = room.map(tracing::field::debug),
                error = error as &(dyn Error + 'static),
                "the store failed"
            );
        }
    }
}

const NAME: &str = "the store";

fn panicked() -> StoreError {
    StoreError::unavailable(NAME, "it panicked")
}

fn panicked_half_way() -> StoreError {
    StoreError::outcome_unknown(NAME, "it panicked")
}

/// The methods of [`MessageStore`], each in one layer of a future fewer where nothing is made of the answer.
impl ObservedStore {
    pub(crate) fn open<'a>(
        &'a self,
        room: &'a RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> impl Future<Output = Result<Opened, StoreError>> {
        self.call("open", Some(room), move || self.store().open(room, kept, recent))
    }

    pub(crate) async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        let (room, count) = (Some(&life.room), drafts.len());
        let call = || self.store().append(life, drafts, deadline);
        let Some(results) = self.timed("append", room, call).await else {
            return std::iter::repeat_with(|| Err(panicked_half_way())).take(count).collect();
        };
        // What fails one draft most often fails all of them: told once.
        let errors = results.iter().filter_map(|result| result.as_ref().err());
        if let Some(error) = errors.into_iter().find(|error| !matches!(error, StoreError::Closed)) {
            self.failed("append", room, error);
        }
        results
    }

    pub(crate) fn read_before<'a>(
        &'a self,
        life: &'a Life,
        before: Option<u64>,
        budget: Budget,
    ) -> impl Future<Output = Result<Page, StoreError>> {
        self.call("read", Some(&life.room), move || self.store().read_before(life, before, budget))
    }

    pub(crate) fn read_after<'a>(
        &'a self,
        life: &'a Life,
        after: u64,
        budget: Budget,
    ) -> impl Future<Output = Result<Page, StoreError>> {
        self.call("read", Some(&life.room), move || self.store().read_after(life, after, budget))
    }

    pub(crate) async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
        by: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        let room = Some(&life.room);
        let call = || match &self.cluster {
            None => self.store().redact(life, seq, author),
            // The other nodes are to know by whom.
            Some(cluster) => cluster.redact(life, seq, author, by),
        };
        let Some(answer) = self.timed("redact", room, call).await else {
            return Err(panicked_half_way());
        };
        answer.inspect_err(|error| self.failed("redact", room, error))
    }

    pub(crate) fn trim<'a>(
        &'a self,
        life: &'a Life,
        up_to: u64,
    ) -> impl Future<Output = Result<(), StoreError>> {
        self.call("trim", Some(&life.room), move || self.store().trim(life, up_to))
    }

    /// What has become of one whose outcome is unknown does not matter: the next one replaces it.
    pub(crate) fn note<'a>(
        &'a self,
        life: &'a Life,
        note: &'a str,
    ) -> impl Future<Output = Result<(), StoreError>> {
        self.call("note", Some(&life.room), move || self.store().note(life, note))
    }

    pub(crate) fn close<'a>(
        &'a self,
        life: &'a Life,
    ) -> impl Future<Output = Result<u64, StoreError>> {
        self.call("close", Some(&life.room), move || self.store().close(life))
    }

    pub(crate) fn abandoned(&self) -> impl Future<Output = Result<Vec<Life>, StoreError>> {
        self.call("abandoned", None, || self.store().abandoned())
    }

    pub(crate) fn shutdown(&self) -> impl Future<Output = Result<(), StoreError>> {
        self.call("shutdown", None, || self.store().shutdown())
    }
}
