//! Every check and every test there is.

use std::process::ExitCode;

use crate::{
    install,
    step::{Steps, cargo, program},
};

/// The features of the facade: every combination has to compile.
const FEATURES: [&str; 3] = ["axum", "sqlite", "warp"];

/// Installs, checks and tests; everything is run, whatever fails before.
pub(crate) fn run() -> ExitCode {
    let mut steps = Steps::default();
    install::everything(&mut steps);
    checks(&mut steps);
    tests(&mut steps);
    if steps.report() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn checks(steps: &mut Steps) {
    steps.run("format", &mut cargo(&["fmt", "--all", "--check"]));
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
    steps.run("clippy", &mut cargo(&clippy));
    let mut doc = cargo(&["doc", "--workspace", "--all-features", "--no-deps"]);
    steps.run("documentation", doc.env("RUSTDOCFLAGS", "--deny warnings"));
    for combination in powerset(&FEATURES) {
        let check = ["check", "--package", "chatrooms", "--lib", "--features", &combination];
        steps.run(&format!("features: {combination:?}"), &mut cargo(&check));
    }
    steps.run(
        "features: core without any",
        &mut cargo(&["check", "--package", "chatrooms-core", "--lib"]),
    );
}

fn tests(steps: &mut Steps) {
    // The examples are what the end-to-end tests run.
    steps.run("build", &mut cargo(&["build", "--workspace", "--all-features", "--all-targets"]));
    steps.run("tests", &mut cargo(&["test", "--workspace", "--all-features"]));
    steps.run("client module", &mut program("node", &["--test"], "tests/client"));
    steps.run(
        "a client from elsewhere",
        &mut program(install::PYTHON, &["tests/foreign/check.py"], ""),
    );
    steps.run("browser", &mut program("npm", &["test", "--silent"], "tests/browser"));
}

/// All subsets, as cargo takes them.
fn powerset(features: &[&str]) -> Vec<String> {
    let mut subsets = vec![Vec::new()];
    for feature in features {
        let with = subsets.iter().map(|subset| [subset.as_slice(), &[*feature]].concat());
        subsets = subsets.iter().cloned().chain(with).collect();
    }
    subsets.into_iter().map(|subset: Vec<&str>| subset.join(",")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_powerset_has_every_combination() {
        assert_eq!(super::powerset(&["a", "b"]), ["", "a", "b", "a,b"]);
    }
}
