//! A session ends with its credentials: when their time is over, and when the host takes them back.

use std::time::Duration;

use chatrooms_core::{CloseReason, Session};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::{Endpoint, jitter::second_half, socket::after};

/// Ends the session when its credentials end. Said once: it never returns, because the session's loop goes on until the client has gone.
///
/// One timer serves both ends. It is polled beside reading and writing, so that neither waits for the host's answer.
pub(crate) async fn end_with_credentials(session: &Session, voucher: Option<&Endpoint>) {
    let expiry = session.expires();
    loop {
        let turn = voucher.map(|endpoint| next_turn(endpoint.options().recheck));
        let Some(next) = expiry.into_iter().chain(turn).min() else { break };
        sleep_until(next).await;
        let has_ended = expiry.is_some_and(|at| at <= Instant::now());
        // Boxed because it is asked seldom, and would lie in every session's task meanwhile.
        if has_ended || Box::pin(is_revoked(session, voucher, expiry)).await {
            session.close(CloseReason::Unauthorized);
            break;
        }
    }
    std::future::pending().await
}

/// Asks the authenticator, for as long as the credentials have. One that gives no answer has not taken anything back.
async fn is_revoked(
    session: &Session,
    voucher: Option<&Endpoint>,
    expiry: Option<Instant>,
) -> bool {
    let Some(endpoint) = voucher else { return false };
    let asked = endpoint.still_valid(session.identity());
    let answer = match expiry {
        Some(at) => timeout_at(at, asked).await,
        None => Ok(asked.await),
    };
    // Out of time are the credentials then, not the authenticator.
    answer.map_or(true, |answer| answer == Ok(false))
}

/// Those who came together do not ask together.
fn next_turn(recheck: Duration) -> Instant {
    after(Instant::now(), second_half(recheck))
}

#[cfg(test)]
mod tests;
