//! Lets visitors into the rooms: the application's part in the library.

use std::time::Duration;

use axum::http::{header, request::Parts};
use chatrooms::{
    Identity, async_trait,
    ws::{Authenticator, Refusal},
};

use crate::{app::App, names::NotAllowed, visitor::Visitor};

/// Knows visitors by their cookie.
pub(crate) struct ByCookie(pub(crate) App);

#[async_trait]
impl Authenticator for ByCookie {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        let visitor = self.0.signed_in(&request.headers).ok_or(Refusal::Unauthorized)?;
        // Only a connection makes a name one's own again: who merely asks may use what is nobody else's.
        let allowed = if request.headers.contains_key(header::UPGRADE) {
            self.0.names.claim(&visitor).await
        } else {
            self.0.names.check(&visitor).await
        };
        allowed.map_err(refusal)?;
        let expires = visitor.expires();
        Ok(Identity::new(visitor.user.clone()).claims(visitor).expires_at(expires))
    }

    async fn still_valid(&self, identity: &Identity) -> bool {
        match identity.claim::<Visitor>() {
            Some(visitor) => self.0.names.check(visitor).await.is_ok(),
            None => false,
        }
    }
}

const fn refusal(why: NotAllowed) -> Refusal {
    match why {
        NotAllowed::LoggedOut => Refusal::Unauthorized,
        NotAllowed::Taken => Refusal::Forbidden,
        NotAllowed::Full => Refusal::Unavailable { retry_after: Duration::from_secs(10) },
    }
}
