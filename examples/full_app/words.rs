//! What the page says when it says no.

use chatrooms::NameError;

use crate::username::NoUserName;

pub(crate) const TAKEN: &str = "Somebody else goes by this name right now. Please choose another.";
pub(crate) const LOOKS_ALIKE: &str =
    "A name that looks the same is in use right now. Please choose one that nobody can mistake.";
pub(crate) const FULL: &str = "All places are taken right now. Please try again in a minute.";
pub(crate) const NOT_UTF8: &str = "This is not a name: its link is damaged.";
pub(crate) const NO_FORM: &str = "This form is damaged. Please try again.";

pub(crate) fn about_user(error: NoUserName) -> String {
    match error {
        NoUserName::Bad(error) => about(error, "Please choose a name."),
        NoUserName::MixedScripts => "Please stay with one alphabet: a name that mixes them, such as Latin and Cyrillic letters, \
            can look like somebody else's."
            .to_owned(),
    }
}

pub(crate) fn about_room(error: NameError) -> String {
    about(error, "Please name a room.")
}

fn about(error: NameError, empty: &str) -> String {
    match error {
        NameError::Empty => empty.to_owned(),
        NameError::TooLong => "At most 64 characters, please.".to_owned(),
        NameError::Forbidden(character) => {
            format!("Please leave out the invisible character U+{:04X}.", u32::from(character))
        }
        NameError::Dots => "Dots alone are no name.".to_owned(),
        other => format!("Not possible: {other}."),
    }
}
