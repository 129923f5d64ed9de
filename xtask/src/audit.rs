//! What is looked at before a release. The tools take minutes to install, which is why this is no part of the tests.

use std::{
    fs,
    process::{Command, ExitCode},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    install,
    step::{Steps, cargo, root},
    workspace::{self, Package},
};

/// The advisories of RustSec: fetching them needs GitHub, all the rest only crates.io.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advisories {
    Fetch,
    Leave,
}

/// Installs the tools, then looks at everything, whatever fails before.
pub(crate) fn run(advisories: Advisories) -> ExitCode {
    let mut steps = Steps::default();
    dependencies(&mut steps, advisories);
    public_types(&mut steps);
    documentation(&mut steps);
    packages(&mut steps);
    steps.report()
}

/// By the rules of `deny.toml`.
fn dependencies(steps: &mut Steps, advisories: Advisories) {
    install::tool(steps, "cargo-deny@0.20.2");
    let mut deny = install::installed("cargo-deny", "");
    deny.args(["--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    if advisories == Advisories::Fetch {
        deny.arg("advisories");
    }
    steps.run("dependencies", &mut deny);
}

/// Which types of other crates stand in public APIs: each manifest lists those that may, in `package.metadata.cargo_check_external_types`.
fn public_types(steps: &mut Steps) {
    install::tool(steps, "cargo-check-external-types@0.5.0");
    for package in workspace::packages().iter().filter(|package| lists_types(package)) {
        let mut check =
            install::installed("cargo-check-external-types", &package.folder().to_string_lossy());
        check.args(["check-external-types", "--all-features"]);
        steps.run(&format!("public types of {}", package.name()), unstable(&mut check));
    }
}

fn lists_types(package: &Package) -> bool {
    package.tool("cargo_check_external_types").is_object()
}

/// As docs.rs builds it, where a feature's items say so.
fn documentation(steps: &mut Steps) {
    let mut doc = cargo(&["doc", "--workspace", "--all-features", "--no-deps"]);
    doc.args(workspace::only_published(&workspace::packages()));
    doc.env("RUSTDOCFLAGS", "--cfg docsrs --deny warnings");
    steps.run("documentation for docs.rs", unstable(&mut doc));
}

/// What is released is what is committed, hence no `--allow-dirty`. Cargo lets packages find each other in a registry below the target
/// folder, and takes what it once unpacked from there for unchanged as long as the version is: a folder that never was knows no old ones.
fn packages(steps: &mut Steps) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let folder = root().join(format!("target/packages-{now}"));
    let mut package = cargo(&["package", "--workspace", "--all-features"]);
    package.args(workspace::only_published(&workspace::packages()));
    package.env("CARGO_TARGET_DIR", &folder);
    steps.run("packages, compiled from their own files", &mut package);
    // What is left of it harms nobody but the disk.
    let _ = fs::remove_dir_all(&folder);
}

/// With what only nightly has otherwise: rustdoc's JSON and `doc_cfg`. Dependencies compile differently then, hence a folder of its own.
fn unstable(command: &mut Command) -> &mut Command {
    command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", root().join("target/audit"))
}
