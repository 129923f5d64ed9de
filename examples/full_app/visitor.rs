//! Who is on the other side of a request: a browser, and the name it goes by.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use chatrooms::UserName;

/// What a signed cookie says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    pub(crate) browser: BrowserId,
    pub(crate) user: UserName,
    pub(crate) issued: SystemTime,
}

impl Visitor {
    /// How long a cookie is good.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    pub(crate) fn expires(&self) -> SystemTime {
        self.issued + Self::LIFETIME
    }
}

/// A browser, from its first entry until its logout. Knowing it, or guessing it, is no credential: only the signature is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BrowserId(pub(crate) [u8; 16]);

impl BrowserId {
    /// Reads what [`Display`](fmt::Display) writes, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = Self(u128::from_str_radix(text, 16).ok()?.to_be_bytes());
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for BrowserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for BrowserId {
    // Part of a cookie, so not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = BrowserId([0xab; 16]);
        assert_eq!(BrowserId::parse(&id.to_string()), Some(id));
        for other in ["", "ab", "+b000000000000000000000000000000b", &id.to_string().to_uppercase()]
        {
            assert_eq!(BrowserId::parse(other), None, "{other}");
        }
    }
}
