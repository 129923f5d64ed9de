//! The nightly toolchain, which alone has what watches memory and threads.

use std::process::Command;

use crate::step::program;

/// Its cargo, to be told what to do; or how to install what it lacks.
pub(super) fn cargo(component: &str) -> Result<Command, String> {
    let missing = |why: &str| {
        format!(
            "this needs Rust's nightly toolchain with {component}, and {why}. Install it by\n\
             rustup toolchain install nightly --profile minimal --component {component}"
        )
    };
    let list = ["component", "list", "--toolchain", "nightly", "--installed"];
    let listed = program("rustup", &list, "")
        .output()
        .map_err(|error| missing(&format!("rustup: {error}")))?;
    if !listed.status.success() {
        return Err(missing("there is no such toolchain"));
    }
    let installed = String::from_utf8_lossy(&listed.stdout);
    if !installed.lines().any(|line| line.starts_with(component)) {
        return Err(missing(&format!("{component} is not installed")));
    }
    Ok(program("rustup", &["run", "nightly", "cargo"], ""))
}
