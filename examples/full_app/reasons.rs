//! Why something failed, in words.

use std::error::Error;

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
