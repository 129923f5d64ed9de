//! Random sequences against the model of the rooms on every store, and histories of real threads against one order: many more than among the tests.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    explored::{Explored, shown},
    suite::{Suite, Target},
    tree::Tree,
};

/// The tests that try them.
const TRIED: [(Suite, &str); 3] = [
    (Suite { package: "chatrooms-core", target: Target::Test("rooms") }, "sequences::"),
    (Suite { package: "chatrooms-sqlite", target: Target::Test("sqlite") }, "sequences::"),
    (Suite { package: "chatrooms-core", target: Target::Test("rooms") }, "histories::"),
];
/// How many of each, where nobody asks for another number: the name that proptest gives it, which the histories look at, too.
const MANY: (&str, &str) = ("PROPTEST_CASES", "3000");

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) explored: Vec<Explored>,
    pub(super) problems: Vec<String>,
}

/// Tries all of them.
pub(super) fn run(tree: &Tree, target: &Path) -> Report {
    eprintln!("random sequences and histories: some minutes");
    let (name, many) = MANY;
    let many = env::var(name).unwrap_or_else(|_| many.into());
    let mut report = Report::default();
    for (suite, tests) in TRIED {
        let run = |program: PathBuf| suite.run_all(tree, &program, tests, &[(name, &many)]);
        match suite.build(tree, target).and_then(run) {
            Ok(outcome) => {
                let (explored, problems) = shown(&outcome);
                report.explored.extend(explored);
                report.problems.extend(problems);
            }
            Err(problem) => report.problems.push(problem),
        }
    }
    report
}
