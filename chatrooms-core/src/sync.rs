//! The one place that says how this crate locks, tells the time and calls foreign code.

use std::{future::poll_fn, panic::AssertUnwindSafe, pin::Pin, task::Poll, time::Duration};

use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout};

pub(crate) use std::sync::{Arc, Mutex, MutexGuard};

/// Locks, whatever happened to an earlier holder.
///
/// No code of a host runs under a lock of this crate, so that a panic cannot leave a half-made change behind, and
/// going on is right where `std` would spread the panic to everybody else in the room.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The moment after so long; for a time that no clock can hold, one that nobody will see.
pub(crate) fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + NEVER)
}

/// Whole milliseconds; for a time that no number can hold, the largest.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Runs the code of a store or a host; `None` where it panicked.
///
/// The call itself belongs into the block that is given here, so that one that panics before it has made its future is caught too.
pub(crate) async fn guarded<T>(call: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(call).catch_unwind().await.ok()
}

/// Waits so long at most; `None` where that was too short. What is there at once costs no timer.
pub(crate) async fn in_time<T>(
    limit: Duration,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    if let Some(done) = work.as_mut().now_or_never() {
        return Some(done);
    }
    timeout(limit, work).await.ok()
}

/// Goes on in a task of its own. The first poll of detached work happens wherever the work was caused, such as where the last session is
/// dropped, and the runtime there may have less time left than the one that the task runs on.
pub(crate) async fn in_a_task() {
    yield_once().await;
}

/// Lets others run.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
