//! Every promise, and how it is known: the rooms in all the ways in which things can happen at the same time, and bugs that are planted and have to be caught.

mod faults;
mod fuzz;
mod miri;
mod models;
mod nightly;
mod planted;
mod promises;
mod suite;
mod table;
mod threads;
mod tree;

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use self::{table::Table, tree::Tree};
use crate::{misused, step::Steps, workspace};

pub(crate) const HELP: &str = "\
cargo xtask prove                 how every promise is known: `models`, then `planted`, and a table of both. Some twenty minutes
cargo xtask prove models          the rooms under a scheduler that decides who goes on, in some million ways, judged by the oracle.
                                  Another seed for what is left to chance: SHUTTLE_RANDOM_SEED=2 cargo xtask prove models
cargo xtask prove planted         plants bugs, one by one, in a copy of the tree: each has to be caught by the test that is there for its promise.
                                  Options: --only TEXT (bugs with this in their name)
cargo xtask prove faults          faults that only root can cause: disks that are full or read-only. Through sudo where this is not root
cargo xtask prove fuzz            looks for bytes by which a client breaks what holds of its frames, names, queries and places to resume; each for
                                  ten minutes. Options: --minutes N
cargo xtask prove miri            the unit tests of the rooms in an interpreter that finds undefined behaviour. Needs nightly
cargo xtask prove threads         all tests of the rooms under a sanitizer that finds data races. Needs nightly";

/// Proves what is asked for, and succeeds where all of it held.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    match arguments {
        ["faults"] => faults::run(),
        ["fuzz"] => fuzz::run(fuzz::MINUTES),
        ["fuzz", "--minutes", minutes] => match minutes.parse() {
            Ok(minutes @ 1..) => fuzz::run(minutes),
            _ => misused(&format!("{minutes}: not a number of minutes"), HELP),
        },
        ["miri"] => miri::run(),
        ["threads"] => threads::run(),
        _ => in_a_copy(arguments),
    }
}

/// What plants bugs, or compiles for a scheduler, does so in a copy of the tree.
fn in_a_copy(arguments: &[&str]) -> ExitCode {
    let prove: fn(&Tree, &Path, &str) -> Vec<String> = match arguments {
        [] => everything,
        ["models"] => |tree, place, _| models::run(tree, place).problems,
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
    let planted = planted::run(tree, place, "", Some(&models.outcome));
    println!("{}", summary(&models, &planted));
    [models.problems, planted.problems].concat()
}

/// What is known of each promise.
fn summary(models: &models::Report, planted: &planted::Report) -> Table<4> {
    let mut table = Table::new(["promise", "tests", "rounds explored", "planted bugs caught"]);
    for promise in promises::ALL {
        let stories: Vec<_> =
            models.explored.iter().filter(|story| story.promise == promise).collect();
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
