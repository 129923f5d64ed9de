//! Who is on the other side: the host's answer.

use std::time::Duration;

use async_trait::async_trait;
use chatrooms_core::Identity;
use http::request::Parts;

/// Finds out who sends a request, before anything else happens with it.
///
/// A plain function is an authenticator:
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
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Who sends this request? Cookies, headers, the query and the offered subprotocols are all in `request`.
    ///
    /// # Errors
    /// The [`Refusal`] that the client gets.
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal>;

    /// Do the credentials of this identity still hold? Asked once more after the session stands in the registry, so that a logout
    /// which ran meanwhile has either ended the session or is seen here.
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
    /// It cannot be told right now: 503.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}
