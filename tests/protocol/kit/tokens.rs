//! The smallest host that knows its users: a token for each, carried in any of four ways, which ends when it is revoked or when its time is over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chatrooms::ws::{Authenticator, Refusal, credentials};
use chatrooms::{Identity, UserName, async_trait};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::http::request::Parts;

use super::{Header, unique};

/// How the host's authenticator behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Doorkeeper {
    Awake,
    /// Never answers.
    Asleep,
    Panicking,
}

/// What a doorkeeper says who panics because a test wants it.
pub(crate) const ON_PURPOSE: &str = "it panics on purpose";

#[derive(Clone)]
pub(super) struct Tokens {
    /// Those that hold. The tests' threads and the servers' meet here, never over an await.
    valid: Arc<Mutex<HashMap<String, Identity>>>,
    doorkeeper: watch::Sender<Doorkeeper>,
    /// How often it was asked whether credentials still hold.
    asked: watch::Sender<usize>,
}

/// The token behind an identity, kept in its claims.
struct Token(String);

impl Default for Tokens {
    fn default() -> Self {
        let (doorkeeper, asked) = (watch::Sender::new(Doorkeeper::Awake), watch::Sender::new(0));
        Self { valid: Arc::default(), doorkeeper, asked }
    }
}

impl Tokens {
    /// A header that lets this user in, as the one that `known` makes of them.
    pub(super) fn issue(&self, user: &str, known: impl FnOnce(Identity) -> Identity) -> Header {
        let token = unique("token");
        let user = UserName::new(user).expect("a valid name");
        let identity = known(Identity::new(user).claims(Token(token.clone())));
        let header = ("Authorization".to_owned(), format!("Bearer {token}"));
        self.valid().insert(token, identity);
        header
    }

    /// Makes all tokens of the bearer of this one void, and says who that is.
    pub(super) fn revoke(&self, credential: &Header) -> UserName {
        let mut valid = self.valid();
        let user = valid.get(token(credential)).expect("a token that holds").user().clone();
        valid.retain(|_, identity| *identity.user() != user);
        user
    }

    pub(super) fn set(&self, doorkeeper: Doorkeeper) {
        self.doorkeeper.send_replace(doorkeeper);
    }

    /// Waits until somebody has been asked about so many times more.
    pub(super) async fn asked_again(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        let enough = *asked.borrow() + times;
        asked.wait_for(|asked| *asked >= enough).await.expect("the host lives");
    }

    async fn doorkeeper(&self) {
        let doorkeeper = *self.doorkeeper.borrow();
        match doorkeeper {
            Doorkeeper::Awake => {}
            Doorkeeper::Asleep => future::pending().await,
            Doorkeeper::Panicking => panic!("{ON_PURPOSE}"),
        }
    }

    fn valid(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token in a header that lets somebody in.
pub(crate) fn token((_, header): &Header) -> &str {
    header.strip_prefix("Bearer ").expect("a header that was issued here")
}

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        self.doorkeeper().await;
        let token = credentials::bearer(request)
            .or_else(|| credentials::cookie(request, "session"))
            .or_else(|| credentials::subprotocol(request, "token."))
            .map(Cow::Borrowed)
            .or_else(|| credentials::query(request, "token"));
        let identity = token.and_then(|token| self.valid().get(&*token).cloned());
        identity.filter(has_not_ended).ok_or(Refusal::Unauthorized)
    }

    async fn still_valid(&self, identity: &Identity) -> bool {
        self.asked.send_modify(|asked| *asked += 1);
        self.doorkeeper().await;
        let token = identity.claim::<Token>();
        token.is_some_and(|token| self.valid().contains_key(&token.0))
    }
}

fn has_not_ended(identity: &Identity) -> bool {
    identity.expiry().is_none_or(|end| SystemTime::now() < end)
}
