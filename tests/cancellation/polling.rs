//! Futures that are polled so often, and no more.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt as _;

/// Polls so many times, with time for others in between, and drops; `None` where that was too early.
pub(crate) async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Some(done) = future.as_mut().now_or_never() {
            return Some(done);
        }
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    None
}

/// Tells a story for every number of polls until its future completes; the story returns whether it did. Returns how many that takes.
pub(crate) async fn for_every_poll(story: impl AsyncFn(usize) -> bool) -> usize {
    let mut polls = 0;
    while !story(polls).await {
        polls += 1;
        assert!(polls < 300, "it never completes");
    }
    polls
}
