//! Changes of the rooms that a program makes of the code, each of which a test has to notice: what planted bugs are by choice, these are without one.
//!
//! `.cargo/mutants.toml` says in which files, by which tests, and which changes no test can notice, each with its reason.

use std::process::ExitCode;

use super::HELP;
use crate::{install, misused, step::Steps};

/// Has all of them made, or those with something in their name, which begins with their file.
pub(super) fn run(options: &[&str]) -> ExitCode {
    let only = match options {
        [] => None,
        ["--only", text] => Some(text),
        _ => return misused(&format!("{}: not known", options.join(" ")), HELP),
    };
    let mut steps = Steps::default();
    install::tool(&mut steps, "cargo-mutants@27.1.0");
    let mut mutants = install::installed("cargo-mutants", "");
    mutants.args(["mutants", "--package", "chatrooms-core", "--output", "target/prove"]);
    mutants.args(only.iter().flat_map(|text| ["--re", text]));
    steps.run("mutants", &mut mutants);
    steps.report()
}
