//! Waiting for what is promised, never for time to pass: each wait ends when its condition holds, and fails when it hangs.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// How long anything may take before it counts as hung. Far above what a slow machine needs.
pub(crate) const HANG: Duration = Duration::from_secs(15);

/// The future's output, or a panic that names what did not come.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(HANG, future).await {
        Ok(output) => output,
        Err(_) => panic!("hung while waiting for {what}"),
    }
}

/// Asks again and again until the answer is yes.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + HANG;
    while !condition().await {
        assert!(Instant::now() < deadline, "never happened: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
