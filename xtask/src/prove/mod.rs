//! Every promise, and how it is known: the rooms in all the ways in which things can happen at the same time, in sequences and histories that chance makes, and
//! bugs that are planted and have to be caught.

mod clock;
mod crashes;
mod explored;
mod faults;
mod fuzz;
mod miri;
mod models;
mod mutants;
mod nightly;
mod planted;
mod promises;
mod sequences;
mod suite;
mod table;
mod threads;
mod tree;

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use self::{explored::Explored, table::Table, tree::Tree};
use crate::{
    install, misused,
    step::{Steps, cargo},
    workspace,
};

const HELP: &str = "\
cargo xtask prove                 how every promise is known: `models`, `sequences`, `planted`, and a table of them. Some twenty-five minutes
cargo xtask prove models          the rooms under a scheduler that decides who goes on, in some million ways, judged by the oracle.
                                  Another seed for what is left to chance: SHUTTLE_RANDOM_SEED=2 cargo xtask prove models
cargo xtask prove sequences       the rooms on every store against a model of them, in some thousand random sequences, and histories of real threads against
                                  one order. Others: PROPTEST_RNG_SEED=2 PROPTEST_CASES=100000 cargo xtask prove sequences
cargo xtask prove planted         plants bugs, one by one, in a copy of the tree: each has to be caught by the test that is there for its promise.
                                  Options: --only TEXT (bugs with this in their name)
cargo xtask prove mutants         changes the rooms in all the ways that cargo-mutants knows, and shows that tests fail. An hour, and no part of `prove`.
                                  Options: --only TEXT (those with this in their name, such as `room.rs`)
cargo xtask prove faults          faults that only root can cause: disks that are full or read-only. Through sudo where this is not root
cargo xtask prove fuzz            looks for bytes by which a client breaks what holds of its frames, names, queries and places to resume; each for
                                  ten minutes. Options: --minutes N
cargo xtask prove miri            the unit tests of the rooms in an interpreter that finds undefined behaviour. Needs nightly
cargo xtask prove threads         all tests of the rooms under a sanitizer that finds data races. Needs nightly";

pub(crate) fn help() -> String {
    [HELP, crashes::HELP, clock::HELP].join("\n")
}

/// Proves what is asked for, and succeeds where all of it held.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    match arguments {
        ["crashes", options @ ..] => crash(options),
        ["clock"] => alone(|steps| {
            install::faketime(steps);
            steps.run("build", &mut cargo(&["build", "--example", "full_app"]));
            clock(steps);
        }),
        ["faults"] => faults::run(),
        ["fuzz"] => fuzz::run(fuzz::MINUTES),
        ["fuzz", "--minutes", minutes] => match minutes.parse() {
            Ok(minutes @ 1..) => fuzz::run(minutes),
            _ => misused(&format!("{minutes}: not a number of minutes"), &help()),
        },
        ["miri"] => miri::run(),
        ["mutants", options @ ..] => mutants::run(options),
        ["threads"] => threads::run(),
        _ => in_a_copy(arguments),
    }
}

fn crash(options: &[&str]) -> ExitCode {
    match crashes::Options::parse(options) {
        Ok(options) => alone(|steps| steps.check("crashes", || crashes::run(&options))),
        Err(problem) => misused(&problem, &help()),
    }
}

/// A clock that jumps, beside what the tests have built.
pub(crate) fn clock(steps: &mut Steps) {
    clock::step(steps);
}

fn alone(step: impl FnOnce(&mut Steps)) -> ExitCode {
    let mut steps = Steps::default();
    step(&mut steps);
    steps.report()
}

/// What plants bugs, or compiles for a scheduler, does so in a copy of the tree.
fn in_a_copy(arguments: &[&str]) -> ExitCode {
    let prove: fn(&Tree, &Path, &str) -> Vec<String> = match arguments {
        [] => everything,
        ["models"] => |tree, place, _| models::run(tree, place).problems,
        ["sequences"] => |tree, place, _| sequences::run(tree, place).problems,
        ["planted", ..] => |tree, place, only| planted::run(tree, place, only, None).problems,
        _ => return misused(&format!("{}: not known", arguments.join(" ")), &help()),
    };
    let only = match arguments {
        [_, "--only", text] if planted::named(text).next().is_some() => text,
        [_] | [] => "",
        _ => return misused(&format!("{}: not known", arguments.join(" ")), &help()),
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
