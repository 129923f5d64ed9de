//! Answers over HTTP.

use std::time::Duration;

use bytes::Bytes;
use chatrooms_core::Error;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{Refusal, jitter::second_half, request::Invalid};

/// What every route of an endpoint answers with.
pub type Answer = Response<Bytes>;

/// Why a request over HTTP is not done.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    message: String,
    retry_after: Option<Duration>,
    /// A header that the status asks for.
    header: Option<(header::HeaderName, &'static str)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            retry_after: None,
            header: None,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    pub(crate) fn method(allowed: &'static str) -> Self {
        let problem =
            Self::new(StatusCode::METHOD_NOT_ALLOWED, "bad_request", format!("use {allowed}"));
        problem.with(header::ALLOW, allowed)
    }

    pub(crate) fn foreign_origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "this page's origin is not allowed")
    }

    pub(crate) fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn answer(&self) -> Answer {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
        }
        let body = Body { error: Inner { code: &self.code, message: &self.message } };
        let mut answer = json(self.status, &body);
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        if let Some((name, value)) = &self.header {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

/// How long somebody is to wait where nobody knows how long it takes: five to ten seconds, so that not all who are refused at the same time are back at the same time.
pub(crate) fn some_time() -> Duration {
    second_half(Duration::from_secs(10))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::NotFound | Error::NotInRoom => StatusCode::NOT_FOUND,
            // What a policy finds malformed, such as an event of the application's own.
            Error::Refused { code, .. } if code == "bad_request" => StatusCode::BAD_REQUEST,
            Error::Forbidden | Error::Banned | Error::Muted | Error::Refused { .. } => {
                StatusCode::FORBIDDEN
            }
            Error::SessionEnded => StatusCode::UNAUTHORIZED,
            Error::RateLimited { .. } | Error::SlowMode { .. } | Error::TooManySessions => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Error::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let may_be_tried_again =
            [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
        let retry_after = may_be_tried_again.then(|| match &error {
            // These come to many at once.
            Error::ServerFull | Error::ShuttingDown => some_time(),
            error => error.retry_after().unwrap_or_else(some_time),
        });
        Self { retry_after, ..Self::new(status, error.code(), error.to_string()) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthorized => {
                Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "log in first")
            }
            Refusal::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", "not allowed"),
            Refusal::TooMany { retry_after } => Self {
                retry_after: Some(retry_after),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    Error::TooManySessions.code(),
                    "as many as there may be",
                )
            },
            Refusal::Unavailable { retry_after } => Self {
                retry_after: Some(retry_after),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "server_full", "try again later")
            },
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::new(StatusCode::BAD_REQUEST, invalid.code, invalid.message)
    }
}

pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // What this crate writes can always be written.
    let mut answer = Response::new(serde_json::to_vec(body).unwrap_or_default().into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What a room says is for those who ask now, and for nobody's cache.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_refusal_has_the_status_of_its_kind() {
        let retry_after = Duration::from_millis(1500);
        let refused = |code: &'static str| Error::Refused { code: code.into(), message: "".into() };
        for (error, status, seconds) in [
            (Error::Muted, 403, None),
            (Error::Banned, 403, None),
            (refused("x-no-links"), 403, None),
            (refused("bad_request"), 400, None),
            (Error::SlowMode { retry_after }, 429, Some("2")),
            (Error::RateLimited { retry_after }, 429, Some("2")),
            (Error::StoreUnavailable, 503, Some("1")),
            (Error::Internal, 500, None),
        ] {
            let answer = Problem::from(error.clone()).answer();
            let told = answer.headers().get(header::RETRY_AFTER).map(HeaderValue::as_bytes);
            let seconds = seconds.map(str::as_bytes);
            assert_eq!((answer.status().as_u16(), told), (status, seconds), "{error:?}");
        }
    }

    #[test]
    fn who_is_refused_together_is_not_back_together() {
        for (error, status) in
            [(Error::TooManySessions, 429), (Error::ServerFull, 503), (Error::ShuttingDown, 503)]
        {
            let waits: BTreeSet<u64> = (0..200)
                .map(|_| {
                    let answer = Problem::from(error.clone()).answer();
                    assert_eq!(answer.status().as_u16(), status, "{error:?}");
                    let wait = answer.headers()[header::RETRY_AFTER].to_str().unwrap();
                    wait.parse().unwrap()
                })
                .collect();
            assert!(waits.iter().all(|wait| (5..=10).contains(wait)), "{waits:?}");
            assert!(waits.len() >= 3, "{waits:?}");
        }
    }

    #[test]
    fn what_an_authenticator_says_has_its_status() {
        let retry_after = Duration::from_secs(2);
        for (refusal, status, code, seconds) in [
            (Refusal::Unauthorized, 401, "unauthorized", None),
            (Refusal::Forbidden, 403, "forbidden", None),
            (Refusal::TooMany { retry_after }, 429, "too_many_sessions", Some(&2.into())),
            (Refusal::Unavailable { retry_after }, 503, "server_full", Some(&2.into())),
        ] {
            let problem = Problem::from(refusal);
            let answer = problem.answer();
            assert_eq!((answer.status().as_u16(), problem.code()), (status, code));
            assert_eq!(answer.headers().get(header::RETRY_AFTER), seconds);
        }
    }

    #[test]
    fn a_time_to_wait_is_told_in_whole_seconds_and_never_too_short() {
        for (retry_after, seconds) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_secs(2), 2),
            (Duration::from_nanos(2_000_000_001), 3),
            (Duration::MAX, u64::MAX),
        ] {
            let answer = Problem::from(Refusal::Unavailable { retry_after }).answer();
            let told = answer.headers().get(header::RETRY_AFTER);
            assert_eq!(told, Some(&HeaderValue::from(seconds)), "{retry_after:?}");
        }
    }
}
