//! Bytes that nobody thought of: the properties of `chatrooms-ws/src/properties`, for some minutes each.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    install,
    step::{Steps, program, root},
    workspace,
};

/// The fuzz targets, a file each; beside them what earlier runs found worth keeping.
const FOLDER: &str = "chatrooms-ws/fuzz";
/// For each target.
pub(super) const MINUTES: u64 = 10;

/// Begins with what is kept, and leaves what it finds beside the build: a crash fails the run and says how to have it again.
pub(super) fn run(steps: &mut Steps, minutes: u64) {
    install::tool(steps, "cargo-fuzz@0.13.2");
    for target in targets() {
        steps.run(&format!("fuzz: {target}, {minutes} min"), &mut fuzz(&target, minutes));
    }
}

/// By the names of their files, in order.
fn targets() -> Vec<String> {
    let files = fs::read_dir(root().join(FOLDER).join("targets")).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.path().file_stem()?.to_str().map(str::to_owned));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

fn fuzz(target: &str, minutes: u64) -> Command {
    let place = workspace::target().join("prove/fuzz");
    let found = place.join("corpus").join(target);
    // Where it cannot be made, the fuzzer says so.
    let _ = fs::create_dir_all(&found);
    let tool = root().join("target/tools/bin/cargo-fuzz");
    // Without a sanitizer, because there is no `unsafe` here: it is many times faster, and needs no nightly toolchain.
    let mut command = program(&tool.to_string_lossy(), &["fuzz", "run", "--sanitizer", "none"], "");
    command.env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_TARGET_DIR");
    command.args(["--fuzz-dir", FOLDER, "--target-dir"]).arg(place).arg(target);
    command.args([found, kept(target)]);
    command.arg("--").arg(format!("-max_total_time={}", 60 * minutes));
    command.args(["-timeout=10", "-print_final_stats=1", "-verbosity=0"]);
    command
}

fn kept(target: &str) -> PathBuf {
    root().join(FOLDER).join("corpus").join(target)
}
