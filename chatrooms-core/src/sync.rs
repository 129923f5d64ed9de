//! The one place that says how this crate locks, runs tasks, tells the time and calls foreign code.

#[cfg(all(test, shuttle))]
mod modelled;

use std::{
    cell::Cell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::{Instant, timeout};

#[cfg(all(test, shuttle))]
pub(crate) use modelled::{
    AbortOnDropHandle, AtomicBool, Handle, Map, Mutex, RwLock, TaskTracker, lock, thread_local,
};
pub(crate) use std::sync::Arc;
#[cfg(not(all(test, shuttle)))]
pub(crate) use {
    aside::{Mutex, lock},
    dashmap::DashMap as Map,
    std::sync::{RwLock, atomic::AtomicBool},
    tokio::runtime::Handle,
    tokio_util::task::{AbortOnDropHandle, TaskTracker},
};

/// The locks of this crate; in a model they are those of whoever only looks on, such as a recorder.
pub(crate) mod aside {
    pub(crate) use std::sync::Mutex;
    use std::sync::{MutexGuard, PoisonError};

    /// Locks, whatever happened to an earlier holder.
    ///
    /// No code of a host runs under a lock of this crate, so that a panic cannot leave a half-made change behind, and
    /// going on is right where `std` would spread the panic to everybody else in the room.
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

/// How far a call has come that was polled once.
pub(crate) enum Begun<'a, T> {
    Done(T),
    Pending(BoxFuture<'a, T>),
}

/// Begins a call of a store's or a host's code; `None` where it panicked. What answers at once goes through no future of ours.
pub(crate) fn begun<'a, T>(call: impl FnOnce() -> BoxFuture<'a, T>) -> Option<Begun<'a, T>> {
    let begin = || {
        let mut answer = call();
        match (&mut answer).now_or_never() {
            Some(done) => Begun::Done(done),
            None => Begun::Pending(answer),
        }
    };
    catch_unwind(AssertUnwindSafe(begin)).ok()
}

/// Waits so long at most; `None` where that was too short. What is there at once needs no timer.
pub(crate) async fn in_time<T>(
    limit: Duration,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    if let Some(done) = work.as_mut().now_or_never() {
        return Some(done);
    }
    timed(limit, work).await
}

/// The same for what is not there at once. The timer has a box of its own: it is large, and what waits for a store or a host hardly ever needs it.
pub(crate) async fn timed<T>(
    limit: Duration,
    work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    Box::pin(timeout(limit, work)).await.ok()
}

thread_local! {
    /// Whether detached work is being polled where it was caused, and not in a task of its own.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// Polls detached work where it was caused; says whether it is done. Otherwise it has to be given a task.
pub(crate) fn is_done_in_place(work: &mut BoxFuture<'static, ()>) -> bool {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            IN_PLACE.with(|flag| flag.set(self.0));
        }
    }
    let _before = Before(IN_PLACE.with(|flag| flag.replace(true)));
    work.poll_unpin(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Goes on in a task of its own. The first poll of detached work happens wherever the work was caused, such as where the last session is
/// dropped, and the runtime there may have less time left than the one that the task runs on.
///
/// In a task it goes on at once: what waits for a store must not wait behind everybody whom the store's last answer has woken, too.
pub(crate) async fn in_a_task() {
    // Nobody need be woken: a task is polled when it begins.
    poll_fn(|_| if IN_PLACE.with(Cell::get) { Poll::Pending } else { Poll::Ready(()) }).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detached_work_goes_on_in_a_task_and_there_at_once() {
        let mut work = async {
            assert!(in_a_task().now_or_never().is_none(), "whoever polls it on the way");
            in_a_task().await;
        }
        .boxed();
        assert!(!is_done_in_place(&mut work));
        assert!(in_a_task().now_or_never().is_some());
    }

    #[test]
    fn work_that_causes_other_work_is_still_in_place_afterwards() {
        let mut work = async {
            assert!(is_done_in_place(&mut async {}.boxed()));
            in_a_task().await;
        }
        .boxed();
        assert!(!is_done_in_place(&mut work));
    }
}
