//! The rooms in an interpreter that finds undefined behaviour, in the crates beneath them too.

use std::process::ExitCode;

use super::nightly;
use crate::{step::Steps, workspace};

/// Runs the unit tests that take no long time there.
pub(super) fn run() -> ExitCode {
    let mut steps = Steps::default();
    steps.attempt("miri", || {
        let mut test = nightly::cargo("miri")?;
        test.args(["miri", "test", "--package", "chatrooms-core", "--lib"]);
        test.env("CARGO_TARGET_DIR", workspace::target().join("prove/miri"));
        // The clock and the random bytes are those of the machine.
        test.env("MIRIFLAGS", "-Zmiri-disable-isolation");
        Ok(test)
    });
    steps.report()
}
