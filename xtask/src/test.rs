//! Every check and every test there is.

use std::process::ExitCode;

use crate::{
    features, includes, install, instructions, manifest, prove, siege,
    step::{Steps, cargo, program},
    workspace,
};

/// Installs, checks and tests; everything is run, whatever fails before.
pub(crate) fn run() -> ExitCode {
    let mut steps = Steps::default();
    install::everything(&mut steps);
    manifests(&mut steps);
    checks(&mut steps);
    tests(&mut steps);
    instructions::step(&mut steps, instructions::Then::Compare);
    steps.report()
}

fn manifests(steps: &mut Steps) {
    let packages = workspace::packages();
    steps.check("toolchain", || manifest::toolchain(&packages));
    let published = || packages.iter().filter(|package| package.is_published());
    steps.check("manifests", || published().flat_map(manifest::missing).collect());
    steps.check("included files", || published().flat_map(includes::left_behind).collect());
    // Not compiled again here, which takes minutes: `cargo xtask audit` does that.
    let mut package = cargo(&["package", "--workspace", "--no-verify", "--allow-dirty"]);
    steps.run("packages", package.args(workspace::only_published(&packages)));
    for package in published() {
        let name = format!("features of {}", package.name());
        steps.check(&name, || features::broken(package));
    }
}

fn checks(steps: &mut Steps) {
    steps.run("format", &mut cargo(&["fmt", "--all", "--check"]));
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"];
    steps.run("clippy", &mut cargo(&clippy));
    // `--all-targets` passes over what `cargo test` does.
    let as_root = ["clippy", "--all-features", "--test", "as_root", "--", "--deny", "warnings"];
    steps.run("clippy of what only root runs", &mut cargo(&as_root));
    let mut doc = cargo(&["doc", "--workspace", "--all-features", "--no-deps"]);
    steps.run("documentation", doc.env("RUSTDOCFLAGS", "--deny warnings"));
}

fn tests(steps: &mut Steps) {
    // The examples are what the end-to-end tests run.
    steps.run("build", &mut cargo(&["build", "--workspace", "--all-features", "--all-targets"]));
    // One that fails is not to hide the others.
    let all = ["test", "--workspace", "--all-features", "--no-fail-fast"];
    steps.run("tests", &mut cargo(&all));
    prove::stories(steps);
    steps.run("benches", &mut cargo(&["test", "--workspace", "--all-features", "--bench", "*"]));
    steps.run("client module", &mut program("node", &["--test"], "tests/client"));
    steps.run(
        "a client from elsewhere",
        &mut program(install::PYTHON, &["tests/foreign/check.py"], ""),
    );
    steps.run("browser", &mut program("npm", &["test", "--silent"], "tests/browser"));
    siege::step(steps);
    prove::clock(steps);
}
