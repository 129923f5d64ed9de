//! `full_app` killed and restarted under people who talk, many times: see `tests/protocol/full_app/{crashing,deploying,dying}.rs`.

use std::process::Command;

use super::table::Table;
use crate::step::cargo;

pub(super) const HELP: &str = "\
cargo xtask prove crashes         full_app killed, and ended by SIGTERM, at any moment while people talk and come back: with and without a linger,
                                  between storing and showing, and while it removes what has ended. Options: --rounds N (50), --seed N";

const ROUNDS: &str = "50";
/// Those that are repeated, and those that are tried until it happens where it has to.
const TESTS: [&str; 3] = ["full_app::crashing::", "full_app::deploying::", "full_app::dying::"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options<'a> {
    rounds: &'a str,
    seed: Option<&'a str>,
}

impl<'a> Options<'a> {
    pub(super) fn parse(arguments: &[&'a str]) -> Result<Self, String> {
        let mut options = Self { rounds: ROUNDS, seed: None };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(options),
                [name @ ("--rounds" | "--seed"), count, rest @ ..] => {
                    if !count.parse::<u64>().is_ok_and(|count| count > 0) {
                        return Err(format!("{name}: a number from 1"));
                    }
                    match *name {
                        "--rounds" => options.rounds = count,
                        _ => options.seed = Some(count),
                    }
                    rest
                }
                [other, ..] => return Err(format!("{other}: not known, or without its value")),
            }
        }
    }
}

/// Runs the tests, and tells what was survived.
pub(super) fn run(options: &Options<'_>) -> Vec<String> {
    let built = cargo(&["build", "--example", "full_app"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return vec!["full_app does not compile".to_owned()];
    }
    let output = match tests(options).output() {
        Ok(output) => output,
        Err(error) => return vec![format!("cargo: {error}")],
    };
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}", table(&said));
    for line in said.lines().filter(|line| line.starts_with("CRASH_SEED=")) {
        println!("{line}");
    }
    if output.status.success() {
        return Vec::new();
    }
    vec![format!("{said}{}", String::from_utf8_lossy(&output.stderr))]
}

fn tests(options: &Options<'_>) -> Command {
    let mut tests = cargo(&["test", "--test", "protocol", "--", "--show-output"]);
    tests.args(TESTS).env("ROUNDS", options.rounds);
    if let Some(seed) = options.seed {
        tests.env("CRASH_SEED", seed);
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
        assert_eq!(parsed, Ok(Options { rounds: "3", seed: Some("7") }));
        for arguments in [&["--rounds"][..], &["--rounds", "0"], &["--seed", "x"], &["--x"]] {
            assert!(Options::parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
