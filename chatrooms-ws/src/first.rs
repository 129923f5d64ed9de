//! Two futures in one task, one of which is polled only when it was woken itself.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::Either;

/// Runs both until one ends. What is told to a session wakes the one that writes, on the right, many times a second: the one that reads, on the left, has
/// nothing to do then and is not polled.
///
/// They take turns in going first: whichever came first every time could use up all that tokio grants a task, and a client that never stops asking would
/// keep its own time-outs from running out.
pub(crate) async fn first<A, B>(
    mut left: Pin<&mut impl Future<Output = A>>,
    mut right: Pin<&mut impl Future<Output = B>>,
) -> Either<A, B> {
    let lefts = Arc::new(Left::new());
    let waker = Waker::from(Arc::clone(&lefts));
    let mut known = Waker::noop().clone();
    // The right one begins: what it has to write may wait for a turn, in which the left one adds to it.
    let mut left_first = true;
    poll_fn(|context| {
        if !known.will_wake(context.waker()) {
            known.clone_from(context.waker());
            lefts.wakes(context.waker());
        }
        left_first = !left_first;
        for is_left in [left_first, !left_first] {
            if !is_left {
                if let Poll::Ready(ended) = right.as_mut().poll(context) {
                    return Poll::Ready(Either::Right(ended));
                }
            } else if lefts.is_woken.swap(false, Ordering::AcqRel)
                && let Poll::Ready(ended) = left.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return Poll::Ready(Either::Left(ended));
            }
        }
        Poll::Pending
    })
    .await
}

/// Notes that the left one was woken, and wakes the task.
struct Left {
    is_woken: AtomicBool,
    task: Mutex<Waker>,
}

impl Left {
    fn new() -> Self {
        Self { is_woken: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) }
    }

    fn wakes(&self, task: &Waker) {
        self.task().clone_from(task);
    }

    fn task(&self) -> MutexGuard<'_, Waker> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Left {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the task is woken: a task that changes its waker meanwhile looks here after that.
        self.is_woken.store(true, Ordering::Release);
        // Out of the lock: what wakes a task is the host's code.
        let task = self.task().clone();
        task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
    };

    use tokio::sync::Notify;

    use super::*;

    /// Counts how often it is polled, and ends after so many wake-ups.
    async fn counting(polls: &AtomicUsize, news: &Notify, wakes: usize) {
        let mut woken = pin!(async {
            for _ in 0..wakes {
                news.notified().await;
            }
        });
        poll_fn(|context| {
            polls.fetch_add(1, Relaxed);
            woken.as_mut().poll(context)
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_left_one_is_polled_only_when_it_was_woken() {
        let news = [Notify::new(), Notify::new()];
        let (polls, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut left = pin!(counting(&polls, &news[0], 3));
        let mut right = pin!(counting(&others, &news[1], 100));
        let wake = async {
            for at in [1, 0, 1, 1, 0] {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                news[at].notify_one();
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let seen = polls.load(Relaxed);
            news[0].notify_one();
            seen
        };
        let (ended, seen) = tokio::join!(first(left.as_mut(), right.as_mut()), wake);
        assert!(matches!(ended, Either::Left(())));
        assert_eq!(seen, 1 + 2, "once to begin, and once for each time it was woken");
        assert!(others.load(Relaxed) > 3);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_always_ready_to_go_on_does_not_keep_the_other_from_ending() {
        let mut busy = pin!(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let mut timer = pin!(tokio::time::sleep(std::time::Duration::from_millis(1)));
        let waits = first::<(), ()>(busy.as_mut(), timer.as_mut());
        let advance = tokio::time::advance(std::time::Duration::from_millis(2));
        let (ended, ()) = tokio::join!(waits, advance);
        assert!(matches!(ended, Either::Right(())));
    }
}
