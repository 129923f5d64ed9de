//! What keeps the application from running, in one line.

use std::{error::Error, fmt};

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

/// An error with its sources.
pub(crate) fn reasons(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let reason = error.to_string();
        // Some wrappers say what their source says.
        if !line.ends_with(&reason) {
            line = format!("{line}: {reason}");
        }
        source = error.source();
    }
    line
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let said = error.to_string();
        let line = said.lines().next().unwrap_or_default();
        let line = line.strip_prefix("error: ").unwrap_or(line);
        Self(format!("{line}; see --help"))
    }
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

    use super::*;

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
