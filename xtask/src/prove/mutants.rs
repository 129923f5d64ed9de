//! Changes of the rooms that a program makes of the code, each of which a test has to notice: what planted bugs are by choice, these are without one.
//!
//! `.cargo/mutants.toml` says in which files, by which tests, and which changes no test can notice, each with its reason.

use std::{fs, process::Command};

use crate::{
    install,
    step::{Steps, root},
};

const OUTPUT: &str = "target/prove";

/// Has all of them made, or those with something in their name, which begins with their file.
pub(super) fn run(steps: &mut Steps, only: Option<&str>) {
    install::tool(steps, "cargo-mutants@27.1.0");
    let mut mutants = install::installed("cargo-mutants", "");
    mutants.args(["mutants", "--package", "chatrooms-core", "--output", OUTPUT]);
    mutants.args(only.into_iter().flat_map(|text| ["--re", text]));
    steps.check("mutants", || missed(&mut mutants));
}

/// Which changes nothing has noticed. Tests that do not end any more have: some changes are an endless loop.
fn missed(mutants: &mut Command) -> Vec<String> {
    match mutants.status().map(|status| status.code()) {
        // All caught, some missed, some that did not end: the last of them hides the others.
        Ok(Some(0 | 2 | 3)) => {}
        ended => return vec![format!("cargo-mutants: {ended:?}")],
    }
    let list = root().join(OUTPUT).join("mutants.out/missed.txt");
    match fs::read_to_string(&list) {
        Ok(missed) => missed.lines().map(|change| format!("missed: {change}")).collect(),
        Err(error) => vec![format!("{}: {error}", list.display())],
    }
}
