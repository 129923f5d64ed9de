//! The test programs of the copy: built, and single tests of theirs run.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::tree::Tree;
use crate::step::cargo;

/// One test program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Suite {
    pub(super) package: &'static str,
    pub(super) target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// The unit tests of the library.
    Units,
    /// An integration test.
    Test(&'static str),
    /// The unit tests of the library, compiled for the scheduler of the models.
    Models,
}

/// What became of tests that were run.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) passed: BTreeSet<String>,
    /// Whether the program ended as one does of which no test has failed. One that aborts says of no test that it has.
    pub(super) is_success: bool,
    /// What all of it said.
    pub(super) said: String,
}

/// A test that takes longer hangs …
const PATIENCE: Duration = Duration::from_secs(60);
/// … but for those that try all ways there are, or many.
const LONG_PATIENCE: Duration = Duration::from_secs(3600);
const POLL: Duration = Duration::from_millis(20);

impl Suite {
    /// Compiles it; returns the program.
    pub(super) fn build(self, tree: &Tree, target: &Path) -> Result<PathBuf, String> {
        let mut build = cargo(&["test", "--no-run", "--quiet", "--message-format=json"]);
        build.current_dir(&tree.root).args(["--package", self.package]);
        // Nobody looks at a stack of these programs, and what is built once is not built again.
        build.env("CARGO_PROFILE_DEV_DEBUG", "none").env("CARGO_INCREMENTAL", "1");
        match self.target {
            Target::Units => build.arg("--lib"),
            Target::Test(name) => build.args(["--test", name]),
            // A minute more to compile them, and a tenth of the time to run them.
            Target::Models => build
                .arg("--lib")
                .env("RUSTFLAGS", "--cfg shuttle")
                .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
                // Optimized in pieces, what is compiled anew does not always link with what is not.
                .env("CARGO_INCREMENTAL", "0"),
        };
        let place = if self.target == Target::Models { "models" } else { "tests" };
        build.env("CARGO_TARGET_DIR", target.join(place));
        let built = build.output().map_err(|error| format!("cargo: {error}"))?;
        let messages = String::from_utf8_lossy(&built.stdout);
        let messages: Vec<Value> =
            messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if !built.status.success() {
            let errors = messages.iter().filter_map(|line| line["message"]["rendered"].as_str());
            return Err(format!("it does not compile\n{}", errors.collect::<String>()));
        }
        let program = messages.iter().rev().find_map(|line| line["executable"].as_str());
        program.map(PathBuf::from).ok_or_else(|| "cargo names no program".into())
    }

    /// Runs these tests of the program, as cargo would.
    pub(super) fn run(
        self,
        tree: &Tree,
        program: &Path,
        tests: &[&str],
    ) -> Result<Outcome, String> {
        let patience = if self.target == Target::Models { LONG_PATIENCE } else { PATIENCE };
        let command = self.command(tree, program, &[&["--exact"], tests].concat());
        run_for(command, &program.with_extension("output"), patience)
    }

    /// Runs all tests of the program that have this in their name, however long they take, and has them tell what they say.
    pub(super) fn run_all(
        self,
        tree: &Tree,
        program: &Path,
        name: &str,
        environment: &[(&str, &str)],
    ) -> Result<Outcome, String> {
        let mut command = self.command(tree, program, &["--show-output", name]);
        command.envs(environment.iter().copied());
        run_for(command, &program.with_extension("output"), LONG_PATIENCE)
    }

    fn command(self, tree: &Tree, program: &Path, arguments: &[&str]) -> Command {
        let folder = tree.root.join(self.package);
        let mut command = Command::new(program);
        command.args(arguments);
        command.current_dir(&folder).env("CARGO_MANIFEST_DIR", &folder);
        command
    }
}

/// Runs a program, unless it takes longer than that.
fn run_for(mut command: Command, output: &Path, time: Duration) -> Result<Outcome, String> {
    let told = |error| format!("{}: {error}", output.display());
    let file = File::create(output).map_err(told)?;
    command.stdin(Stdio::null()).stderr(file.try_clone().map_err(told)?).stdout(file);
    let mut child = command.spawn().map_err(told)?;
    let deadline = Instant::now() + time;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(told)? {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().and_then(|()| child.wait()).map_err(told)?;
            return Err(format!("it hangs for {} s", time.as_secs()));
        }
        sleep(POLL);
    };
    let said = String::from_utf8_lossy(&fs::read(output).map_err(told)?).into_owned();
    Ok(Outcome { passed: passed(&said), is_success: status.success(), said })
}

/// The tests that the program says have passed. What a test itself prints may stand between.
fn passed(said: &str) -> BTreeSet<String> {
    let passed =
        said.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"));
    passed.map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_test_is_read_from_what_the_program_says() {
        let said = "running 2 tests\ntest a::b ... ok\ntest c ... FAILED\n\nfailures:\n";
        assert_eq!(passed(said), BTreeSet::from(["a::b".to_owned()]));
    }
}
