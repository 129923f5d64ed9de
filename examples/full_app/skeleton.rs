//! What a name looks like.

use std::fmt;

use chatrooms::UserName;
use unicode_security::skeleton;

/// The skeleton of UTS #39, "Unicode Security Mechanisms": names look alike whose skeletons are equal, such as `scope` in Latin and in
/// Cyrillic letters, or `Ian` and `lan`. It is for comparing, and nothing to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Skeleton(Box<str>);

impl Skeleton {
    pub(crate) fn of(name: &UserName) -> Self {
        Self(skeleton(name.as_str()).collect::<String>().into())
    }
}

impl fmt::Display for Skeleton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        let skeleton = |name| Skeleton::of(&UserName::new(name).unwrap());
        skeleton(one) == skeleton(other)
    }

    #[test]
    fn what_looks_alike_is_alike() {
        for (one, other) in [
            ("scope", "\u{455}\u{441}\u{43e}\u{440}\u{435}"),
            ("Ian", "lan"),
            ("modern", "modem"),
            ("b0b 1", "bOb l"),
            ("ada", "\u{1d41a}\u{1d41d}\u{1d41a}"),
            ("ada", "\u{ff41}\u{ff44}\u{ff41}"),
            ("ada", "a\u{ad}d\u{34f}a\u{fe0f}"),
            ("ada", "ada\u{3164}"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_differs_to_the_eye_differs() {
        for (one, other) in
            [("ada", "Ada"), ("ada", "\u{e4}da"), ("ada", "adam"), ("guest 7", "guest 9")]
        {
            assert!(!alike(one, other), "{one} {other}");
        }
    }
}
