//! The key that signs cookies.

use std::ffi::OsStr;

use cookie::Key;

use crate::{failure::Failure, ledger::Ledger};

const LEAST: usize = 32;
const KEY: usize = 64;

/// The key of a secret. What is refused is not repeated: it may be a good secret's beginning.
pub(crate) fn given(secret: &OsStr) -> Result<Key, Failure> {
    let secret = secret.as_encoded_bytes();
    if secret.len() < LEAST {
        return Err(Failure::new(format!(
            "the secret is too short: it needs at least {LEAST} bytes"
        )));
    }
    Ok(Key::derive_from(secret))
}

/// A key that ends with the process.
pub(crate) fn of_this_process() -> Result<Key, Failure> {
    Ok(Key::from(&random()?))
}

/// A key that was random once, and is kept.
pub(crate) async fn kept_in(ledger: &Ledger) -> Result<Key, Failure> {
    let kept = ledger.key_or(&random()?).await;
    let kept = kept.map_err(|error| Failure::because("the cookie key cannot be kept", &error))?;
    if kept.len() < KEY {
        return Err(Failure::new("the cookie key in the database is damaged"));
    }
    Ok(Key::from(&kept))
}

fn random() -> Result<[u8; KEY], Failure> {
    let mut key = [0; KEY];
    getrandom::fill(&mut key)
        .map_err(|error| Failure::because("there is no randomness to be had", &error))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_and_always_gives_the_same_key() {
        let secret = OsStr::new("0123456789abcdef0123456789abcdef");
        assert!(given(secret).is_ok_and(|key| key == given(secret).unwrap()));
        let short = given(OsStr::new("0123456789abcdef0123456789abcde"))
            .err()
            .map(|failure| failure.to_string());
        assert_eq!(short.as_deref(), Some("the secret is too short: it needs at least 32 bytes"));
    }

    #[test]
    fn random_keys_differ() {
        assert!(of_this_process().unwrap() != of_this_process().unwrap());
    }
}
