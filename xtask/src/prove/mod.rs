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
mod threads;
mod tree;

use std::{collections::BTreeSet, mem::take, path::Path, process::ExitCode};

use self::{explored::Explored, tree::Tree};
use crate::{
    install, misused,
    step::{Steps, cargo},
    table::Table,
    workspace,
};

const HELP: &str = "\
cargo xtask prove                 how every promise is known: `models`, `sequences`, `planted`, and a table of them. Some twenty-five minutes. It leaves out what
                                  follows behind them, each of which is asked for by its name, or all of it by `everything`
cargo xtask prove everything      all of this in turn, as each is by itself, and a table: what held, and what did not. It goes on whatever fails. Some three hours;
                                  it needs root, or sudo, for `faults`, and nightly for `miri` and `threads`
cargo xtask prove models          the rooms under a scheduler that decides who goes on, in some million ways, judged by the oracle.
                                  Another seed for what is left to chance: SHUTTLE_RANDOM_SEED=2 cargo xtask prove models
cargo xtask prove sequences       the rooms on every store against a model of them, in some thousand random sequences, and histories of real threads against
                                  one order. Others: PROPTEST_RNG_SEED=2 PROPTEST_CASES=100000 cargo xtask prove sequences
cargo xtask prove planted         plants bugs, one by one, in a copy of the tree: each has to be caught by the test that is there for its promise.
                                  Options: --only TEXT (bugs with this in their name)
cargo xtask prove mutants         changes the rooms in all the ways that cargo-mutants knows, and shows that tests fail. An hour.
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
    let mut steps = Steps::default();
    match proof(arguments) {
        Ok(prove) => prove(&mut steps),
        Err(problem) => return misused(&problem, &help()),
    }
    steps.report()
}

/// What takes the steps that are asked for.
type Proof = Box<dyn FnOnce(&mut Steps)>;

fn proof(arguments: &[&str]) -> Result<Proof, String> {
    let not_known = || Err(format!("{}: not known", arguments.join(" ")));
    Ok(match *arguments {
        [] => Box::new(|steps| {
            rooms(steps);
            println!(
                "This is not all: `cargo xtask prove everything` is. See `cargo xtask prove --help`."
            );
        }),
        ["everything"] => Box::new(everything),
        ["models"] => Box::new(|steps| {
            in_a_copy(steps, |steps, tree, place| {
                steps.check("models", || models::run(tree, place).problems);
            });
        }),
        ["sequences"] => Box::new(|steps| {
            in_a_copy(steps, |steps, tree, place| {
                steps.check("sequences", || sequences::run(tree, place).problems);
            });
        }),
        ["planted", ref options @ ..] => {
            let only = only(options)?.unwrap_or_default();
            if planted::named(&only).next().is_none() {
                return not_known();
            }
            Box::new(move |steps| {
                install::redis(steps);
                in_a_copy(steps, |steps, tree, place| {
                    steps.check("planted", || planted::run(tree, place, &only, None).problems);
                });
            })
        }
        ["clock"] => Box::new(clock_alone),
        ["crashes", ref options @ ..] => {
            let options = crashes::Options::parse(options)?;
            Box::new(move |steps| {
                install::redis(steps);
                steps.check("crashes", || crashes::run(&options));
            })
        }
        ["faults"] => Box::new(faults::run),
        ["fuzz"] => Box::new(|steps| fuzz::run(steps, fuzz::MINUTES)),
        ["fuzz", "--minutes", minutes] => match minutes.parse() {
            Ok(minutes @ 1..) => Box::new(move |steps| fuzz::run(steps, minutes)),
            _ => return Err(format!("{minutes}: not a number of minutes")),
        },
        ["miri"] => Box::new(miri::run),
        ["mutants", ref options @ ..] => {
            let only = only(options)?;
            Box::new(move |steps| mutants::run(steps, only.as_deref()))
        }
        ["threads"] => Box::new(threads::run),
        _ => return not_known(),
    })
}

/// Those that are meant, where not all are.
fn only(options: &[&str]) -> Result<Option<String>, String> {
    match options {
        [] => Ok(None),
        ["--only", text] => Ok(Some((*text).to_owned())),
        _ => Err(format!("{}: not known", options.join(" "))),
    }
}

/// The parts that `prove` by itself leaves out, in the order in which they are told to hold.
const OTHERS: [&str; 7] = ["clock", "faults", "crashes", "miri", "threads", "fuzz", "mutants"];

/// All parts, each as it is by itself.
fn everything(steps: &mut Steps) {
    rooms(steps);
    for part in OTHERS {
        match proof(&[part]) {
            Ok(prove) => prove(steps),
            Err(problem) => steps.check(part, || vec![problem]),
        }
    }
    println!("{}", verdicts(steps));
}

/// What became of each step.
fn verdicts(steps: &Steps) -> Table<3> {
    let mut table = Table::new(["part", "verdict", "minutes"]);
    for step in steps.taken() {
        let verdict = if step.has_passed { "holds" } else { "DOES NOT HOLD" };
        table.row([&step.name, verdict, &format!("{:.1}", step.time.as_secs_f64() / 60.0)]);
    }
    table
}

fn clock_alone(steps: &mut Steps) {
    install::faketime(steps);
    steps.run("build", &mut cargo(&["build", "--example", "full_app"]));
    clock(steps);
}

/// The stories of the models, in a short form.
pub(crate) fn stories(steps: &mut Steps) {
    models::step(steps);
}

/// A clock that jumps, beside what the tests have built.
pub(crate) fn clock(steps: &mut Steps) {
    clock::step(steps);
}

/// What plants bugs, or compiles for a scheduler, does so in a copy of the tree.
fn in_a_copy(steps: &mut Steps, prove: impl FnOnce(&mut Steps, &Tree, &Path)) {
    let place = workspace::target().join("prove");
    match Tree::copied(place.join("tree")) {
        Ok(tree) => prove(steps, &tree, &place),
        Err(problem) => steps.check("a copy of the tree", || vec![problem]),
    }
}

/// The rooms in all orders, in sequences that chance makes and with bugs in them; and what is known of each promise by that.
fn rooms(steps: &mut Steps) {
    install::redis(steps);
    in_a_copy(steps, |steps, tree, place| {
        let (mut models, mut sequences) = (models::Report::default(), sequences::Report::default());
        let mut planted = planted::Report::default();
        steps.check("models", || {
            models = models::run(tree, place);
            take(&mut models.problems)
        });
        steps.check("sequences", || {
            sequences = sequences::run(tree, place);
            take(&mut sequences.problems)
        });
        steps.check("planted", || {
            planted = planted::run(tree, place, "", Some(&models.outcome));
            take(&mut planted.problems)
        });
        let explored = [models.explored, sequences.explored].concat();
        println!("{}", summary(&explored, &planted));
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    /// So that none is forgotten where all are proved.
    #[test]
    fn everything_is_all_that_the_help_names() {
        let help = help();
        let named = help.lines().filter_map(|line| line.strip_prefix("cargo xtask prove "));
        let named = named.filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
        let mut parts: Vec<_> = ["everything", "models", "sequences", "planted"].into();
        parts.extend(OTHERS);
        assert_eq!(named.collect::<BTreeSet<_>>(), parts.iter().copied().collect());
        for part in parts {
            assert!(proof(&[part]).is_ok(), "{part}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for arguments in [
            &["all"][..],
            &["models", "--only", "x"],
            &["planted", "--only", "nothing is called so"],
            &["planted", "--all"],
            &["mutants", "--only"],
            &["fuzz", "--minutes", "0"],
            &["everything", "--quick"],
        ] {
            assert!(proof(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn a_table_says_what_became_of_each_part() {
        let mut steps = Steps::default();
        steps.check("good", Vec::new);
        steps.check("bad", || vec!["wrong".to_owned()]);
        let table = verdicts(&steps).to_string();
        assert!(table.contains("| good | holds         | 0.0"), "{table}");
        assert!(table.contains("| bad  | DOES NOT HOLD | 0.0"), "{table}");
    }
}
