//! The rooms on several threads, watched by a sanitizer that finds data races, in the crates beneath them too.

use std::process::Command;

use super::nightly;
use crate::{
    step::{Steps, program},
    workspace,
};

/// Runs all tests of the rooms.
pub(super) fn run(steps: &mut Steps) {
    steps.attempt("threads", || {
        let mut test = nightly::cargo("rust-src")?;
        // The standard library is watched as well, or what it does between threads would be taken for a race.
        test.args(["test", "--package", "chatrooms-core", "--lib", "--tests", "-Zbuild-std"]);
        test.arg("--target").arg(host()?);
        test.env("CARGO_TARGET_DIR", workspace::target().join("prove/threads"));
        // By itself a race is only told, and the test passes.
        test.env("RUSTFLAGS", "-Zsanitizer=thread").env("TSAN_OPTIONS", "halt_on_error=1");
        Ok(test)
    });
}

/// What this machine is called by Rust.
fn host() -> Result<String, String> {
    let mut ask: Command = program("rustc", &["--version", "--verbose"], "");
    let told = ask.output().map_err(|error| format!("rustc: {error}"))?;
    let told = String::from_utf8_lossy(&told.stdout);
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(Into::into).ok_or_else(|| "rustc does not say which machine this is".into())
}
