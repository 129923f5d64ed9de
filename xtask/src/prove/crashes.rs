//! `full_app` killed and restarted under people who talk, many times: see `tests/protocol/full_app/{crashing,deploying,dying}.rs`, and `faults` there for three nodes of it and their Redis.

use std::process::Command;

use crate::{seed, step::cargo, table::Table};

pub(super) const HELP: &str = "\
cargo xtask prove crashes         full_app killed, and ended by SIGTERM, at any moment while people talk and come back: with and without a linger,
                                  between storing and showing, and while it removes what has ended; then twice as many faults of three nodes and their Redis.
                                  Options: --rounds N (50), --seed N";

const ROUNDS: u64 = 50;
/// Those that are repeated, and those that are tried until it happens where it has to.
const TESTS: [&str; 3] = ["full_app::crashing::", "full_app::deploying::", "full_app::dying::"];
/// By itself, because its nodes are taken for dead when they are silent for a second.
const FAULTS: [&str; 1] = ["full_app::faults::"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    rounds: u64,
    /// Of the moments.
    seed: u64,
}

impl Options {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let mut options = Self { rounds: ROUNDS, seed: seed::by_the_clock() };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(options),
                [name @ ("--rounds" | "--seed"), count, rest @ ..] => {
                    let count = count.parse().ok().filter(|count| *count > 0);
                    let count = count.ok_or_else(|| format!("{name}: a number from 1"))?;
                    match *name {
                        "--rounds" => options.rounds = count,
                        _ => options.seed = count,
                    }
                    rest
                }
                [other, ..] => return Err(format!("{other}: not known, or without its value")),
            }
        }
    }
}

/// Runs the tests, and tells what was survived.
pub(super) fn run(options: &Options) -> Vec<String> {
    let built = cargo(&["build", "--example", "full_app"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return vec!["full_app does not compile".to_owned()];
    }
    let Options { rounds, seed } = *options;
    let mut problems = Vec::new();
    for (names, rounds) in [(&TESTS[..], rounds), (&FAULTS[..], rounds.saturating_mul(2))] {
        eprintln!("{}: {rounds} rounds, seed {seed}", names.join(" "));
        problems.extend(survive(tests(names, rounds, seed)).err());
    }
    problems
}

fn survive(mut tests: Command) -> Result<(), String> {
    let output = tests.output().map_err(|error| format!("cargo: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}", table(&said));
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

fn tests(names: &[&str], rounds: u64, seed: u64) -> Command {
    let mut tests = cargo(&["test", "--test", "protocol", "--", "--show-output"]);
    tests.args(names);
    for (name, value) in [("ROUNDS", rounds), ("CRASH_SEED", seed)] {
        tests.env(name, value.to_string());
    }
    tests
}

/// What the tests have told.
fn table(said: &str) -> Table<2> {
    let mut table = Table::new(["survived", "and"]);
    for line in said.lines() {
        if let ["survived", what, and] = line.split('\t').collect::<Vec<_>>()[..] {
            table.row([what, and]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_survived_is_read() {
        let said = "test a ... ok\nsurvived\t50 crashes\t7 messages\nCRASH_SEED=3\n";
        assert!(table(said).to_string().contains("| 50 crashes | 7 messages |"));
    }

    #[test]
    fn rounds_and_seed_are_numbers() {
        let parsed = Options::parse(&["--seed", "7", "--rounds", "3"]);
        assert_eq!(parsed, Ok(Options { rounds: 3, seed: 7 }));
        for arguments in [&["--rounds"][..], &["--rounds", "0"], &["--seed", "x"], &["--x"]] {
            assert!(Options::parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
