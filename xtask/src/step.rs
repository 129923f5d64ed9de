//! One step of a chore: a command, shown, run and timed.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

/// Steps, in their order, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    taken: Vec<Taken>,
}

/// What became of a step.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) has_passed: bool,
    pub(crate) time: Duration,
}

impl Steps {
    /// Runs a command in a folder of the workspace.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) {
        self.take(name, || command.status().is_ok_and(|status| status.success()));
    }

    /// Runs a command that can only be made where everything it needs is there.
    pub(crate) fn attempt(&mut self, name: &str, make: impl FnOnce() -> Result<Command, String>) {
        match make() {
            Ok(mut command) => self.run(name, &mut command),
            Err(problem) => self.check(name, || vec![problem]),
        }
    }

    /// Looks for problems, shows them, and passes if there is none.
    pub(crate) fn check(&mut self, name: &str, problems: impl FnOnce() -> Vec<String>) {
        self.take(name, || {
            let problems = problems();
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            problems.is_empty()
        });
    }

    fn take(&mut self, name: &str, step: impl FnOnce() -> bool) {
        eprintln!("\n=== {name}");
        let began = Instant::now();
        let has_passed = step();
        let time = began.elapsed();
        eprintln!("=== {name}: {} after {time:.0?}", if has_passed { "ok" } else { "FAILED" });
        self.taken.push(Taken { name: name.to_owned(), has_passed, time });
    }

    /// What became of each so far.
    pub(crate) fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// Prints what became of the steps; succeeds if all of them have.
    pub(crate) fn report(&self) -> ExitCode {
        let failed: Vec<_> = self.taken.iter().filter(|step| !step.has_passed).collect();
        for step in &failed {
            println!("failed: {}", step.name);
        }
        println!("{} passed, {} failed", self.taken.len() - failed.len(), failed.len());
        if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// A program, to be run in a folder of the workspace.
pub(crate) fn program(name: &str, arguments: &[&str], folder: &str) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// The cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    program(&cargo, arguments, "")
}
