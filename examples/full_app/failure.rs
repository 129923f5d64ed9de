//! What keeps the application from running, in one line.

use std::{error::Error, fmt};

use clap::error::{ContextKind, ContextValue};

use crate::reasons::reasons;

/// The line that the operator gets.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// What was tried, and each reason beneath why it failed.
    pub(crate) fn because(what: impl fmt::Display, error: &dyn Error) -> Self {
        Self(format!("{what}: {}", reasons(error)))
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let mut said = error.to_string();
        for value in given(&error).filter(|value| may_hold_a_password(value)) {
            said = said.replace(value, "(not repeated)");
        }
        let line = said.lines().next().unwrap_or_default();
        let line = line.strip_prefix("error: ").unwrap_or(line);
        Self(format!("{line}; see --help"))
    }
}

/// What was written on the command line, as far as the error repeats it.
fn given(error: &clap::Error) -> impl Iterator<Item = &str> {
    error.context().filter_map(|(kind, value)| match (kind, value) {
        (ContextKind::InvalidValue | ContextKind::InvalidArg, ContextValue::String(value)) => {
            Some(value.as_str())
        }
        _ => None,
    })
}

/// An address with a user and a password has both before an `@`. What is taken for an address may be one where that has been forgotten.
fn may_hold_a_password(value: &str) -> bool {
    value.contains('@') || value.contains("://")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path or an option may hold anything, a line break included.
        self.0
            .chars()
            .try_for_each(|c| if c.is_control() { f.write_str(" ") } else { write!(f, "{c}") })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use clap::Parser as _;

    use super::*;
    use crate::options::Options;

    #[test]
    fn what_may_be_a_password_is_not_repeated() {
        for arguments in [
            ["full_app", "--public-url=https://carol:hunter2@chat.example.org"],
            ["full_app", "--public-url=https:carol:hunter2@chat.example.org"],
            ["full_app", "--public-url=https://carol:hunter2"],
            ["full_app", "--public-url=https://carol:two\nlines: hunter2@chat.example.org"],
            ["full_app", "--store=postgres://carol:hunter2@localhost/chat"],
            ["full_app", "https://carol:hunter2@chat.example.org"],
            ["full_app", "--publik-url=https://carol:hunter2@chat.example.org"],
        ] {
            let error = Options::try_parse_from(arguments).err().expect("it is refused");
            let line = Failure::from(error).to_string();
            assert!(!line.contains("carol") && !line.contains("hunter2"), "{line}");
        }
        let error = Options::try_parse_from(["full_app", "--store=stone"]).err().unwrap();
        assert!(Failure::from(error).to_string().contains("'stone'"), "it helps to see it");
    }

    #[derive(Debug)]
    struct NotOpened(io::Error);

    impl fmt::Display for NotOpened {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("it is not open")
        }
    }

    impl Error for NotOpened {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_failure_is_one_line_with_every_reason() {
        let failure = Failure::because("chat.db", &NotOpened(io::Error::other("no\nspace")));
        assert_eq!(failure.to_string(), "chat.db: it is not open: no space");
        let same_twice = io::Error::other(io::Error::other("no space"));
        assert_eq!(Failure::because("chat.db", &same_twice).to_string(), "chat.db: no space");
    }
}
