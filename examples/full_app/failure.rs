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
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_every_reason() {
        let inner = std::io::Error::other("no\nspace");
        let outer = std::io::Error::new(
            std::io::ErrorKind::Other,
            Box::new(inner) as Box<dyn Error + Send + Sync>,
        );
        assert_eq!(Failure::because("chat.db", &outer).to_string(), "chat.db: no space");
    }
}
