//! Every promise, and how it is known: the rooms in all the ways in which things can happen at the same time, in sequences and histories that chance makes, and
//! bugs that are planted and have to be caught.

mod explored;
mod models;
mod mutants;
mod planted;
mod promises;
mod sequences;
mod suite;
mod table;
mod tree;

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use self::{explored::Explored, table::Table, tree::Tree};
use crate::{misused, step::Steps, workspace};

pub(crate) const HELP: &str = "\
cargo xtask prove                 how every promise is known: `models`, `sequences`, `planted`, and a table of them. Some twenty-five minutes
cargo xtask prove models          the rooms under a scheduler that decides who goes on, in some million ways, judged by the oracle.
                                  Another seed for what is left to chance: SHUTTLE_RANDOM_SEED=2 cargo xtask prove models
cargo xtask prove sequences       the rooms on every store against a model of them, in some thousand random sequences, and histories of real threads against
                                  one order. Others: PROPTEST_RNG_SEED=2 PROPTEST_CASES=100000 cargo xtask prove sequences
cargo xtask prove planted         plants bugs, one by one, in a copy of the tree: each has to be caught by the test that is there for its promise.
                                  Options: --only TEXT (bugs with this in their name)
cargo xtask prove mutants         changes the rooms in all the ways that cargo-mutants knows, and shows that tests fail. It takes hours, and is no part of `prove`.
                                  Options: --only TEXT (those with this in their name, such as `outbox.rs`)";

/// Proves what is asked for, and succeeds where all of it held.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    if let ["mutants", ref options @ ..] = arguments[..] {
        return mutants::run(options);
    }
    let prove: fn(&Tree, &Path, &str) -> Vec<String> = match arguments {
        [] => everything,
        ["models"] => |tree, place, _| models::run(tree, place).problems,
        ["sequences"] => |tree, place, _| sequences::run(tree, place).problems,
        ["planted", ..] => |tree, place, only| planted::run(tree, place, only, None).problems,
        _ => return misused(&format!("{}: not known", arguments.join(" ")), HELP),
    };
    let only = match arguments {
        [_, "--only", text] if planted::named(text).next().is_some() => text,
        [_] | [] => "",
        _ => return misused(&format!("{}: not known", arguments.join(" ")), HELP),
    };
    let place = workspace::target().join("prove");
    let mut steps = Steps::default();
    steps.check("prove", || match Tree::copied(place.join("tree")) {
        Ok(tree) => prove(&tree, &place, only),
        Err(problem) => vec![problem],
    });
    steps.report()
}

fn everything(tree: &Tree, place: &Path, _: &str) -> Vec<String> {
    let models = models::run(tree, place);
    let sequences = sequences::run(tree, place);
    let planted = planted::run(tree, place, "", Some(&models.outcome));
    let explored = [models.explored, sequences.explored].concat();
    println!("{}", summary(&explored, &planted));
    [models.problems, sequences.problems, planted.problems].concat()
}

/// What is known of each promise.
fn summary(explored: &[Explored], planted: &planted::Report) -> Table<4> {
    let mut table = Table::new(["promise", "tests", "rounds explored", "planted bugs caught"]);
    for promise in promises::ALL {
        let stories: Vec<_> = explored.iter().filter(|story| story.promise == promise).collect();
        let bugs: Vec<_> =
            planted.planted.iter().filter(|(bug, _)| bug.promise == promise).collect();
        let mut tests: BTreeSet<&str> = bugs.iter().map(|(bug, _)| bug.test()).collect();
        tests.extend(stories.iter().map(|story| &*story.story));
        let rounds: usize = stories.iter().map(|story| story.rounds).sum();
        let caught = bugs.iter().filter(|(_, is_caught)| *is_caught).count();
        table.row([
            promise,
            &tests.len().to_string(),
            &rounds.to_string(),
            &format!("{caught} of {}", bugs.len()),
        ]);
    }
    table
}
