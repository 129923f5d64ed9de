//! What an endpoint counts beside what its rooms count. Names and meanings stand in `docs/observability.md`.

use chatrooms_core::instruments::{Counters, Timers, describe};
use http::StatusCode;

/// The metrics of an endpoint: handles of the recorder that was there when the endpoint was made.
#[derive(Debug)]
pub(crate) struct Metrics {
    handshakes: Counters,
    pub(crate) http_rate_limited: Counters,
    pub(crate) authenticator: Timers,
    pub(crate) authenticator_failures: Counters,
}

/// Every status that the protocol has for a handshake.
const STATUSES: [&str; 8] = ["101", "400", "401", "403", "405", "429", "500", "503"];

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            handshakes: Counters::new(
                describe("chatrooms_handshakes_total", "Handshakes answered, by status."),
                "status",
                &STATUSES,
            ),
            http_rate_limited: Counters::new(
                describe(
                    "chatrooms_http_rate_limited_total",
                    "Requests over HTTP that came too fast, handshakes included, by whose allowance was used up.",
                ),
                "of",
                &["user", "address"],
            ),
            authenticator: Timers::new(
                describe(
                    "chatrooms_authenticator_seconds",
                    "How long the host's authenticator took, failures included.",
                ),
                "question",
                &["authenticate", "still_valid"],
            ),
            authenticator_failures: Counters::new(
                describe(
                    "chatrooms_authenticator_failures_total",
                    "Questions to the host's authenticator that got no answer.",
                ),
                "failure",
                &["panicked", "timed_out"],
            ),
        }
    }

    pub(crate) fn handshake(&self, status: StatusCode) {
        self.handshakes.count(status.as_str());
    }
}
