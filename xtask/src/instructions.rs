//! How many instructions the hot operations take: counted by valgrind, which knows no noise of the machine, and held to what was committed.

mod compare;
mod count;

use std::{collections::BTreeMap, fs, process::ExitCode};

use crate::{
    install,
    step::{Steps, cargo, root},
};

/// What was counted when somebody last looked, by operation.
const COMMITTED: &str = "benches/instructions/counts.json";

/// Instructions per round, by operation.
type Counts = BTreeMap<String, u64>;

/// What is done with what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is held to what was committed.
    Compare,
    /// It is what is to be committed.
    Update,
}

/// Installs valgrind where it is missing, and counts.
pub(crate) fn run(then: Then) -> ExitCode {
    let mut steps = Steps::default();
    install::valgrind(&mut steps);
    step(&mut steps, then);
    steps.report()
}

/// Counts, with valgrind where it is.
pub(crate) fn step(steps: &mut Steps, then: Then) {
    steps.run(
        "instructions: build",
        &mut cargo(&["build", "--release", "--package", "instructions"]),
    );
    steps.check("instructions", || match count::everything() {
        Err(problem) => vec![problem],
        Ok(counts) if then == Then::Update => write(&counts).err().into_iter().collect(),
        Ok(counts) => compare(&counts),
    });
}

fn compare(counts: &Counts) -> Vec<String> {
    let comparison = match read() {
        Ok(committed) => compare::compare(&committed, counts),
        Err(problem) => return vec![problem],
    };
    comparison.table.iter().for_each(|line| println!("{line}"));
    if !comparison.shrunk.is_empty() {
        println!(
            "{}: commit what is better, by cargo xtask instructions --update",
            comparison.shrunk.join(", ")
        );
    }
    comparison.problems
}

fn read() -> Result<Counts, String> {
    let file = fs::read(root().join(COMMITTED)).map_err(|error| format!("{COMMITTED}: {error}"))?;
    serde_json::from_slice(&file).map_err(|error| format!("{COMMITTED}: {error}"))
}

fn write(counts: &Counts) -> Result<(), String> {
    let json = serde_json::to_string_pretty(counts).map_err(|error| error.to_string())?;
    println!("{json}");
    fs::write(root().join(COMMITTED), json + "\n").map_err(|error| format!("{COMMITTED}: {error}"))
}
