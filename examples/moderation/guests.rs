//! Who comes: guests, who are who they say they are, and moderators, who know the key.
//!
//! A service that has accounts asks them who is a moderator. The key in the query is for trying it: addresses are logged.

use std::fmt;

use axum::http::request::Parts;
use chatrooms::{
    Identity, UserName,
    ws::{Refusal, credentials},
};

/// In the claims of a moderator's identity.
pub(crate) struct Moderator;

pub(crate) fn is_moderator(who: &Identity) -> bool {
    who.claim::<Moderator>().is_some()
}

/// What moderators know and others do not.
#[derive(Clone)]
pub(crate) struct Key(String);

impl Key {
    /// One that nobody can guess.
    pub(crate) fn random() -> Self {
        let part = || getrandom::u64().expect("the operating system gives random bytes");
        Self(format!("{:016x}{:016x}", part(), part()))
    }

    /// Looks at every byte, so that the time this takes tells nothing of where they differ.
    pub(crate) fn is(&self, given: &str) -> bool {
        let (given, key) = (given.as_bytes(), self.0.as_bytes());
        let difference = given.iter().zip(key).fold(0, |all, (one, other)| all | (one ^ other));
        given.len() == key.len() && difference == 0
    }

    pub(crate) fn authenticator(self) -> impl Fn(&Parts) -> Result<Identity, Refusal> {
        move |request| {
            let user = credentials::query(request, "user");
            let user = user.and_then(|user| UserName::new(&user).ok());
            let identity = Identity::new(user.ok_or(Refusal::Unauthorized)?);
            match credentials::query(request, "key") {
                None => Ok(identity),
                Some(given) if self.is(&given) => Ok(identity.claims(Moderator)),
                Some(_) => Err(Refusal::Forbidden),
            }
        }
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
