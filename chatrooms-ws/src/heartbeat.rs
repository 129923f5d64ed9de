//! When the client is to be pinged.

use std::{
    future::{Future as _, poll_fn},
    pin::Pin,
    task::{Poll, Waker},
    time::Duration,
};

use tokio::{
    task::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use crate::{jitter::second_half, socket::after};

/// A timer that is asked whenever something is told, and then costs no more than a look at the clock.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    every: Duration,
    next: Instant,
    timer: Pin<Box<Sleep>>,
    /// Whom the timer will wake.
    wakes: Waker,
}

impl Heartbeat {
    /// The first one comes earlier, by chance, so that not all are pinged at once who came at once, such as after a restart.
    pub(crate) fn new(every: Duration) -> Self {
        let timer = Box::pin(sleep_until(after(Instant::now(), second_half(every))));
        Self { every, next: timer.deadline(), timer, wakes: Waker::noop().clone() }
    }

    /// Waits until it is time for the next one.
    ///
    /// # Cancel safety
    /// The timer goes on.
    pub(crate) async fn due(&mut self) {
        poll_fn(|context| {
            if self.wakes.will_wake(context.waker()) && Instant::now() < self.next {
                return Poll::Pending;
            }
            self.wakes.clone_from(context.waker());
            // A timer that tokio has put off, because the task has done enough for now, would wake nobody.
            Pin::new(&mut unconstrained(self.timer.as_mut())).poll(context)
        })
        .await;
        self.next = after(Instant::now(), self.every);
        self.timer.as_mut().reset(self.next);
        self.wakes = Waker::noop().clone();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        task::{Context, Wake},
    };

    use futures_util::FutureExt as _;
    use tokio::time::advance;

    use super::*;

    const EVERY: Duration = Duration::from_secs(25);

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_beats_again_and_again_however_often_it_is_asked() {
        let mut heartbeat = Heartbeat::new(EVERY);
        let began = Instant::now();
        heartbeat.due().await;
        assert!((EVERY / 2..=EVERY).contains(&began.elapsed()));
        for _ in 0..3 {
            for _ in 0..5 {
                advance(EVERY / 5 - Duration::from_millis(1)).await;
                assert!(heartbeat.due().now_or_never().is_none());
            }
            let asked = Instant::now();
            heartbeat.due().await;
            assert_eq!(asked.elapsed(), Duration::from_millis(5));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_came_together_are_not_pinged_together() {
        let first = Heartbeat::new(EVERY).next;
        assert!((0..100).any(|_| Heartbeat::new(EVERY).next != first));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asked_last_is_woken() {
        let mut heartbeat = Heartbeat::new(EVERY);
        let [first, last] = [(); 2].map(|()| Arc::new(Woken::default()));
        for woken in [&first, &last] {
            let waker = Waker::from(Arc::clone(woken));
            assert!(pin!(heartbeat.due()).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        advance(EVERY).await;
        assert_eq!([first, last].map(|woken| woken.0.load(Ordering::Relaxed)), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_has_done_enough_for_now_is_woken_too() {
        let mut heartbeat = Heartbeat::new(EVERY);
        let asked = Instant::now();
        poll_fn(|context| {
            while pin!(tokio::task::consume_budget()).poll(context).is_ready() {}
            let _ = pin!(heartbeat.due()).poll(context);
            Poll::Ready(())
        })
        .await;
        heartbeat.due().await;
        assert!(asked.elapsed() <= EVERY);
    }
}
