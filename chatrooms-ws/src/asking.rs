//! How the host's authenticator is asked: one that hangs or panics harms nobody but who asks.

use std::{panic::AssertUnwindSafe, time::Duration};

use chatrooms_core::Error;
use futures_util::FutureExt as _;
use tokio::time::timeout;

use crate::{
    Refusal,
    answer::{Problem, some_time},
    metrics::Metrics,
};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    Late,
    Panicked,
}

/// Waits for an answer of the authenticator. The call itself belongs into the block that is given here, so that one that panics before it
/// has made its future is caught too.
pub(crate) async fn ask<T>(
    question: &'static str,
    limit: Duration,
    metrics: &Metrics,
    asked: impl Future<Output = T>,
) -> Result<T, Unanswered> {
    let stopwatch = metrics.authenticator.start();
    let answer = timeout(limit, AssertUnwindSafe(asked).catch_unwind()).await;
    metrics.authenticator.record(question, stopwatch);
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => {
            metrics.authenticator_failures.count("panicked");
            tracing::error!(
                name: "authenticator_panicked",
                target: "chatrooms_ws",
                question,
                "the authenticator panicked"
            );
            Err(Unanswered::Panicked)
        }
        Err(_) => {
            metrics.authenticator_failures.count("timed_out");
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            tracing::error!(
                name: "authenticator_timed_out",
                target: "chatrooms_ws",
                question,
                limit_ms = limit_ms,
                "the authenticator did not answer in time"
            );
            Err(Unanswered::Late)
        }
    }
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Late => Refusal::Unavailable { retry_after: some_time() }.into(),
            Unanswered::Panicked => Error::Internal.into(),
        }
    }
}
