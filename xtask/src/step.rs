//! One step of a chore: a command, shown, run and timed.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

/// Steps, in their order, and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    passed: usize,
    failed: Vec<String>,
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
        let ok = step();
        eprintln!("=== {name}: {} after {:.0?}", if ok { "ok" } else { "FAILED" }, began.elapsed());
        if ok {
            self.passed += 1;
        } else {
            self.failed.push(name.to_owned());
        }
    }

    /// Prints what became of the steps; succeeds if all of them have.
    pub(crate) fn report(&self) -> ExitCode {
        for name in &self.failed {
            println!("failed: {name}");
        }
        println!("{} passed, {} failed", self.passed, self.failed.len());
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
