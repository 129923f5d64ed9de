//! The smallest host that knows its users: a bearer token for each, which ends when it is revoked or when its time is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chatrooms::ws::{Authenticator, Refusal};
use chatrooms::{Identity, UserName, async_trait};
use tokio_tungstenite::tungstenite::http::request::Parts;

use super::{Header, unique};

#[derive(Clone, Default)]
pub(super) struct Tokens {
    /// Those that hold. The tests' threads and the servers' meet here, never over an await.
    valid: Arc<Mutex<HashMap<String, Identity>>>,
}

/// The token behind an identity, kept in its claims.
struct Bearer(String);

impl Tokens {
    /// A header that lets this user in, as the one that `known` makes of them.
    pub(super) fn issue(&self, user: &str, known: impl FnOnce(Identity) -> Identity) -> Header {
        let token = format!("Bearer {}", unique("token"));
        let user = UserName::new(user).expect("a valid name");
        let identity = known(Identity::new(user).claims(Bearer(token.clone())));
        self.valid().insert(token.clone(), identity);
        ("Authorization".to_owned(), token)
    }

    /// Makes all tokens of the bearer of this one void, and says who that is.
    pub(super) fn revoke(&self, (_, token): &Header) -> UserName {
        let mut valid = self.valid();
        let user = valid.get(token).expect("a token that holds").user().clone();
        valid.retain(|_, identity| *identity.user() != user);
        user
    }

    fn valid(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        let token = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        let identity = token.and_then(|token| self.valid().get(token).cloned());
        identity.filter(has_not_ended).ok_or(Refusal::Unauthorized)
    }

    async fn still_valid(&self, identity: &Identity) -> bool {
        let bearer = identity.claim::<Bearer>();
        bearer.is_some_and(|bearer| self.valid().contains_key(&bearer.0))
    }
}

fn has_not_ended(identity: &Identity) -> bool {
    identity.expiry().is_none_or(|end| SystemTime::now() < end)
}
