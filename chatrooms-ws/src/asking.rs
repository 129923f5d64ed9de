//! How the host's authenticator is asked: one that hangs or panics harms nobody but who asks.

use std::{panic::AssertUnwindSafe, time::Duration};

use chatrooms_core::Error;
use futures_util::FutureExt as _;
use tokio::time::timeout;

use crate::{Refusal, answer::Problem};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    Late,
    Panicked,
}

/// Waits for an answer of the authenticator. The call itself belongs into the block that is given here, so that one that panics before it
/// has made its future is caught too.
pub(crate) async fn ask<T>(
    limit: Duration,
    asked: impl Future<Output = T>,
) -> Result<T, Unanswered> {
    match timeout(limit, AssertUnwindSafe(asked).catch_unwind()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => {
            tracing::error!("the authenticator panicked");
            Err(Unanswered::Panicked)
        }
        Err(_) => {
            tracing::error!(?limit, "the authenticator did not answer in time");
            Err(Unanswered::Late)
        }
    }
}

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Late => Refusal::Unavailable { retry_after: Duration::from_secs(5) }.into(),
            Unanswered::Panicked => Error::Internal.into(),
        }
    }
}
