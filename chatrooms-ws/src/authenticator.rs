//! Who is on the other side: the host's answer.

use std::time::Duration;

use async_trait::async_trait;
use chatrooms_core::Identity;
use http::request::Parts;

/// Finds out who sends a request, before anything else happens with it.
///
/// [`credentials`](crate::credentials) finds the text of a cookie or a token in a request, and says what each way to carry it costs. A plain
/// function is an authenticator:
///
/// ```
/// use chatrooms_core::{Identity, UserName};
/// use chatrooms_ws::{Authenticator, Refusal};
///
/// fn by_header(request: &http::request::Parts) -> Result<Identity, Refusal> {
///     let user = request.headers.get("x-user").and_then(|value| value.to_str().ok());
///     let user = user.and_then(|user| UserName::new(user).ok()).ok_or(Refusal::Unauthorized)?;
///     Ok(Identity::new(user))
/// }
/// # fn check(_: impl Authenticator) {}
/// # check(by_header);
/// ```
///
/// # One that fails
/// An authenticator that does not answer within [`Options::authenticator_time`](crate::Options::authenticator_time) is answered for with 503,
/// one that panics with 500: it harms that one request. Its futures may be dropped at any `.await`.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Who sends this request? Cookies, headers, the query and the offered subprotocols are all in `request`.
    ///
    /// # Errors
    /// The [`Refusal`] that the client gets.
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal>;

    /// Do the credentials of this identity still hold?
    ///
    /// Asked before every answer over HTTP, and for a socket after its session stands in the registry, so that a logout which ran meanwhile
    /// has either ended the session or is seen here. Asked again and again while the socket is open, each time after
    /// [`Options::recheck`](crate::Options::recheck) at most: `false` ends the session with
    /// [`CloseReason::Unauthorized`](chatrooms_core::CloseReason::Unauthorized), which its client takes as the end and not as a lost connection. No answer
    /// in time, or a panic, ends nobody: it is logged, and asked again at the next turn.
    ///
    /// This is how a revocation that happened elsewhere is noticed. Whoever knows of one ends the sessions at once, by
    /// [`end_sessions`](chatrooms_core::RoomRegistry::end_sessions), or those of one device by
    /// [`end_sessions_where`](chatrooms_core::RoomRegistry::end_sessions_where): first the credentials become void, then the sessions end.
    ///
    /// A host that cannot tell at the moment, because its database is away, says `true`: it is asked again, and `false` would end everybody. Sessions
    /// that the host has let in itself, by [`Endpoint::accept`](crate::Endpoint::accept), are not asked about, and nobody is asked when
    /// credentials expire: [`Identity::expires_at`] says when that is.
    async fn still_valid(&self, _identity: &Identity) -> bool {
        true
    }
}

#[async_trait]
impl<F> Authenticator for F
where
    F: Fn(&Parts) -> Result<Identity, Refusal> + Send + Sync + 'static,
{
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        self(request)
    }
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is logged in, or the credentials have ended: 401.
    Unauthorized,
    /// This somebody may not: 403.
    Forbidden,
    /// They have as many of something as they may have, such as names or devices: 429, as for limits of the library's own.
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// It cannot be told right now: 503.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}
