//! What the page says when it says no, and what people are told whom a creator moderates.

use std::time::Duration;

use chatrooms::NameError;

use crate::username::NoUserName;

pub(crate) const TAKEN: &str = "Somebody else goes by this name right now. Please choose another.";
pub(crate) const LOOKS_ALIKE: &str =
    "A name that looks the same is in use right now. Please choose one that nobody can mistake.";
pub(crate) const TOO_MANY_NAMES: &str = "From here, too many names are in use already. Please close a window, or try again in a minute.";
pub(crate) const FULL: &str = "All places are taken right now. Please try again in a minute.";
pub(crate) const NOT_KEPT: &str =
    "Nobody can be given a name right now. Please try again in a moment.";
pub(crate) const TOO_FAST: &str = "That was too fast. Please try again in a moment.";
pub(crate) const NOT_UTF8: &str = "This is not a name: its link is damaged.";
pub(crate) const NO_FORM: &str = "This form is damaged. Please try again.";

pub(crate) const NO_LOGOUT: &str =
    "Nobody can log out right now. You are still here; please try again later.";
pub(crate) const LOGOUT_NOT_KEPT: &str = "All your windows have left their rooms, but that cannot be written down right now. Please reload this page in a moment.";

pub(crate) const NOT_LOGGED_IN: &str = "You are not logged in.";
pub(crate) const NOT_CREATOR: &str = "Only whoever opened this room may do that.";
pub(crate) const ANOTHER_LIFE: &str = "That room is over. This is a new one of the same name.";
pub(crate) const ONESELF: &str = "That is you.";
pub(crate) const NOT_HERE: &str = "There is nobody of that name here any more.";
pub(crate) const LIFTED: &str = "That has been lifted already, or was over.";
pub(crate) const TOO_MANY_IMPOSED: &str =
    "As many people are banned or muted here as can be. Please lift something first.";
pub(crate) const UNAVAILABLE: &str = "That cannot be done right now. Please try again.";
pub(crate) const NO_ORDER: &str = "This is nothing that can be done in a room.";
pub(crate) const NO_TIME: &str = "This is not a time that one can choose.";

pub(crate) const KICKED: &str = "The creator of this room has sent you out. You may come in again.";
pub(crate) const CLOSED: &str = "The creator of this room has closed it. What was said is gone.";

pub(crate) fn banned(time: Option<Duration>) -> String {
    format!("The creator of this room keeps you out {}.", time.map_or_else(for_good, during))
}

fn for_good() -> String {
    "for as long as this room lives".to_owned()
}

fn during(time: Duration) -> String {
    match time.as_secs() / 60 {
        60 => "for an hour".to_owned(),
        minutes => format!("for {minutes} minutes"),
    }
}

pub(crate) fn slow(wait: Duration) -> String {
    match wait.as_secs() {
        0 => "The creator has ended slow mode: write as fast as you like.".to_owned(),
        wait => {
            format!("The creator has set slow mode: everybody can write once in {wait} seconds.")
        }
    }
}

pub(crate) fn about_user(error: NoUserName) -> String {
    match error {
        NoUserName::Bad(error) => about(error, "Please choose a name."),
        NoUserName::Unseen(character) => {
            format!("Please leave out U+{:04X}: not everybody can see it.", u32::from(character))
        }
        NoUserName::BareMark => {
            "Please begin with a letter: an accent needs something to stand on.".to_owned()
        }
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
