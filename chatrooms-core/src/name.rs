//! Checked names: a [`RoomName`] or a [`UserName`] that exists is a good one.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use unicode_normalization::UnicodeNormalization;

/// The most Unicode scalar values a name may have.
pub const MAX_NAME_CHARS: usize = 64;
/// The most UTF-8 bytes a name may have.
pub const MAX_NAME_BYTES: usize = 256;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing but white space.
    #[error("a name must not be empty")]
    Empty,
    /// Over [`MAX_NAME_CHARS`] or [`MAX_NAME_BYTES`].
    #[error("a name has at most {MAX_NAME_CHARS} characters and {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// A control, bidi-override or zero-width character.
    #[error("a name must not contain the invisible character U+{:04X}", u32::from(*.0))]
    Forbidden(char),
    /// `.` or `..`, which a URL path cannot carry.
    #[error("a name must not be \".\" or \"..\"")]
    Dots,
}

/// Brings a name into the one form in which names are compared: NFC, trimmed, every run of inner
/// white space squeezed into one space. Applying it twice gives the same as once.
fn normalise(text: &str) -> Result<Arc<str>, NameError> {
    // A longer text cannot become short enough by anything but white space; do not normalise a novel.
    if text.len() > 16 * MAX_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    if text.len() <= MAX_NAME_CHARS && is_plain(text.as_bytes()) {
        return Ok(text.into());
    }
    if let Some(character) = text.chars().find(|c| is_forbidden(*c)) {
        return Err(NameError::Forbidden(character));
    }
    let composed: String = text.nfc().collect();
    let mut name = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
    }
    match name.as_str() {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots),
        long if long.len() > MAX_NAME_BYTES || long.chars().count() > MAX_NAME_CHARS => {
            Err(NameError::TooLong)
        }
        _ => Ok(name.into()),
    }
}

/// Whether this is its own normal form for certain: the names that nearly all are, without asking Unicode.
fn is_plain(name: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.iter().all(is_word)
}

fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 1 to 64 Unicode scalar values and at most 256 bytes, in NFC, trimmed, inner white space
        /// squeezed; no control, bidi-override or zero-width character; not `.` or `..`. Case counts.
        /// Cloning is cheap.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Normalises and checks a name.
            ///
            /// # Errors
            /// Each [`NameError`] for what it says; a name is never truncated.
            pub fn new(text: &str) -> Result<Self, NameError> {
                normalise(text).map(Self)
            }

            /// The name in its normalised form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Sound because `Eq`, `Ord` and `Hash` are those of the text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a room.
    RoomName
}
name! {
    /// The name of a user: who somebody is to everybody else in a room.
    UserName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_squeezed_and_composed() {
        let name = RoomName::new("  Cafe\u{301}   bar\u{3000}\u{a0}x ").unwrap();
        assert_eq!(name.as_str(), "Café bar x");
        assert_eq!(RoomName::new(name.as_str()).unwrap(), name);
    }

    #[test]
    fn a_name_that_is_made_of_a_name_is_the_same() {
        // Each of them is changed in some place, and all of them are put together with all others.
        let parts = [
            "a",
            " ",
            "  ",
            "\u{3000}",
            "\u{a0}",
            "e\u{301}",
            "\u{e9}",
            "\u{212b}",
            "\u{1e9b}\u{323}",
            "\u{1100}\u{1161}\u{11a8}",
            "\u{ac00}",
            "\u{344}",
            "\u{958}",
            "\u{1F600}",
            ".",
            "\u{301}",
        ];
        let mut names = 0;
        for one in parts {
            for two in parts {
                for three in parts {
                    let Ok(name) = RoomName::new(&format!("{one}{two}{three}")) else { continue };
                    assert_eq!(RoomName::new(name.as_str()), Ok(name.clone()), "{name:?}");
                    names += 1;
                }
            }
        }
        assert!(names > 3000, "nearly all of them are names: {names}");
    }

    #[test]
    fn the_bounds_count_after_normalising() {
        assert!(UserName::new(&format!("  {}  ", "a".repeat(64))).is_ok());
        assert_eq!(UserName::new(&"a".repeat(65)), Err(NameError::TooLong));
        assert!(UserName::new(&"\u{1F600}".repeat(64)).is_ok(), "64 × 4 bytes");
        assert_eq!(UserName::new(&"a".repeat(5000)), Err(NameError::TooLong));
    }

    #[test]
    fn invisible_characters_and_dots_are_refused() {
        for bad in [
            '\0', '\n', '\t', '\u{7f}', '\u{85}', '\u{200b}', '\u{200f}', '\u{202a}', '\u{202e}',
            '\u{2060}', '\u{2069}', '\u{feff}',
        ] {
            assert_eq!(RoomName::new(&format!("a{bad}b")), Err(NameError::Forbidden(bad)));
        }
        for dots in [".", "..", " .. "] {
            assert_eq!(RoomName::new(dots), Err(NameError::Dots));
        }
        for empty in ["", "   ", "\u{3000}"] {
            assert_eq!(RoomName::new(empty), Err(NameError::Empty));
        }
        assert!(RoomName::new("...").is_ok());
        assert!(RoomName::new("__proto__").is_ok());
        assert_ne!(RoomName::new("Lobby"), RoomName::new("lobby"));
    }
}
