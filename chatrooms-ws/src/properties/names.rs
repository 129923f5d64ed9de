//! Names of rooms and users.

use chatrooms_core::{MAX_NAME_BYTES, MAX_NAME_CHARS, NameError, RoomName, UserName};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// A text is a name or refused for what is in it; a name is its own normal form, keeps its bounds, and is the same however it was written.
///
/// # Panics
/// Where this does not hold.
pub fn names(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let name = RoomName::new(text);
    let user = UserName::new(text);
    assert_eq!(name.as_ref().map(RoomName::as_str), user.as_ref().map(UserName::as_str));
    match &name {
        Ok(name) => is_good(name),
        Err(NameError::Forbidden(character)) => assert!(text.contains(*character)),
        Err(NameError::Empty) => assert_eq!(text.trim(), ""),
        Err(NameError::Dots) => assert!(matches!(text.trim(), "." | "..")),
        Err(error) => {
            assert_eq!(*error, NameError::TooLong);
            assert!(text.len() > MAX_NAME_CHARS, "{} bytes are not too long", text.len());
        }
    }
    // Far below where a text is too long to be looked at, however much of it is white space.
    if text.len() <= 4 * MAX_NAME_BYTES {
        let taken_apart: String = text.nfd().collect();
        for same in [format!("  {text}\u{3000}"), taken_apart] {
            let other = RoomName::new(&same);
            assert!(other == name || is_refused_either_way(&other, &name), "{other:?} {name:?}");
        }
    }
}

fn is_good(name: &RoomName) {
    let text = name.as_str();
    assert_eq!(RoomName::new(text).as_ref(), Ok(name), "it is its own normal form");
    assert!(is_nfc(text) && text.trim() == text && !text.contains("  "));
    assert!(text.chars().all(|character| character == ' ' || !character.is_whitespace()));
    assert!((1..=MAX_NAME_CHARS).contains(&text.chars().count()) && text.len() <= MAX_NAME_BYTES);
    assert!(!matches!(text, "." | ".."));
    let is_invisible = |character: char| {
        character.is_control()
            || ('\u{200B}'..='\u{200F}').contains(&character)
            || ('\u{202A}'..='\u{202E}').contains(&character)
            || ('\u{2060}'..='\u{2069}').contains(&character)
            || character == '\u{FEFF}'
    };
    assert!(!text.contains(is_invisible), "{name:?}");
}

/// Which of several reasons is told may depend on how a text is written.
const fn is_refused_either_way<T>(one: &Result<T, NameError>, two: &Result<T, NameError>) -> bool {
    one.is_err() && two.is_err()
}
