//! Two futures in one task, each polled only when it was woken itself.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::{future::Either, task::AtomicWaker};

/// Runs both until one ends. What is told to a session wakes the one that writes, many times a second: the one that reads has nothing to do then.
///
/// They take turns in going first: whichever came first every time could use up all that tokio grants a task, and a client that never stops asking would
/// keep its own time-outs from running out.
pub(crate) async fn first<A, B>(
    mut left: Pin<&mut impl Future<Output = A>>,
    mut right: Pin<&mut impl Future<Output = B>>,
) -> Either<A, B> {
    let task = Arc::new(AtomicWaker::new());
    let sides = [Side::new(&task), Side::new(&task)];
    let wakers = sides.each_ref().map(|side| Waker::from(Arc::clone(side)));
    let mut turn = 0;
    poll_fn(|context| {
        task.register(context.waker());
        turn = 1 - turn;
        for at in [turn, 1 - turn] {
            if !sides[at].is_woken.swap(false, Ordering::AcqRel) {
                continue;
            }
            let mut context = Context::from_waker(&wakers[at]);
            if at == 0 {
                if let Poll::Ready(ended) = left.as_mut().poll(&mut context) {
                    return Poll::Ready(Either::Left(ended));
                }
            } else if let Poll::Ready(ended) = right.as_mut().poll(&mut context) {
                return Poll::Ready(Either::Right(ended));
            }
        }
        Poll::Pending
    })
    .await
}

struct Side {
    is_woken: AtomicBool,
    task: Arc<AtomicWaker>,
}

impl Side {
    fn new(task: &Arc<AtomicWaker>) -> Arc<Self> {
        Arc::new(Self { is_woken: AtomicBool::new(true), task: Arc::clone(task) })
    }
}

impl Wake for Side {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.task.wake();
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
    async fn only_the_one_is_polled_that_was_woken() {
        let (news, polls) =
            ([Notify::new(), Notify::new()], [AtomicUsize::new(0), AtomicUsize::new(0)]);
        let mut left = pin!(counting(&polls[0], &news[0], 3));
        let mut right = pin!(counting(&polls[1], &news[1], 100));
        let wake = async {
            for at in [1, 0, 1, 1, 0] {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                news[at].notify_one();
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            let seen = [polls[0].load(Relaxed), polls[1].load(Relaxed)];
            news[0].notify_one();
            seen
        };
        let (ended, seen) = tokio::join!(first(left.as_mut(), right.as_mut()), wake);
        assert!(matches!(ended, Either::Left(())));
        assert_eq!(seen, [1 + 2, 1 + 3], "once to begin, and once for each time it was woken");
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
