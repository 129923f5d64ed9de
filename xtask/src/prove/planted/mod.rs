//! Bugs that are planted one by one, each in the place of a line that matters: a test has to fail that names the promise which it breaks.

mod cluster;
mod races;
mod rooms;
mod sessions;
mod store;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Instant,
};

use super::{
    models,
    suite::{Outcome, Suite, Target},
    tree::Tree,
};
use crate::table::Table;

/// A line that matters, broken.
#[derive(Debug)]
pub(super) struct Bug {
    pub(super) name: &'static str,
    pub(super) promise: &'static str,
    changes: &'static [Change],
    caught_by: Test,
}

/// What a file says, which has to stand there exactly once, and what it says instead.
#[derive(Debug)]
struct Change {
    file: &'static str,
    text: &'static str,
    instead: &'static str,
}

#[derive(Clone, Copy, Debug)]
struct Test {
    suite: Suite,
    name: &'static str,
}

const fn change(file: &'static str, text: &'static str, instead: &'static str) -> Change {
    Change { file, text, instead }
}

const fn test(package: &'static str, target: Target, name: &'static str) -> Test {
    Test { suite: Suite { package, target }, name }
}

/// Tests of the rooms as their users see them.
const fn rooms(name: &'static str) -> Test {
    test("chatrooms-core", Target::Test("rooms"), name)
}

const fn core(name: &'static str) -> Test {
    test("chatrooms-core", Target::Units, name)
}

/// Stories that are tried in all ways.
const fn model(name: &'static str) -> Test {
    Test { suite: models::SUITE, name }
}

const fn sqlite(name: &'static str) -> Test {
    test("chatrooms-sqlite", Target::Test("sqlite"), name)
}

const fn sqlite_units(name: &'static str) -> Test {
    test("chatrooms-sqlite", Target::Units, name)
}

const fn redis(name: &'static str) -> Test {
    test("chatrooms-redis", Target::Test("redis"), name)
}

const fn ws(name: &'static str) -> Test {
    test("chatrooms-ws", Target::Units, name)
}

/// Those whose names have this in them.
pub(super) fn named(text: &str) -> impl Iterator<Item = &'static Bug> {
    let all = [rooms::BUGS, sessions::BUGS, store::BUGS, wire::BUGS, cluster::BUGS, races::BUGS];
    all.into_iter().flatten().filter(move |bug| bug.name.contains(text))
}

/// What became of the planted bugs.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Each, and whether it was caught.
    pub(super) planted: Vec<(&'static Bug, bool)>,
    pub(super) problems: Vec<String>,
}

/// Plants all that are asked for in turn. First their tests have to pass without them, as those of the models may have done already.
pub(super) fn run(tree: &Tree, target: &Path, only: &str, models: Option<&Outcome>) -> Report {
    let mut report = Report::default();
    let bugs: Vec<_> = named(only).collect();
    let sound = sound(tree, target, &bugs, models, &mut report.problems);
    let mut table = Table::new(["planted bug", "promise", "caught by", "seconds"]);
    for bug in bugs {
        let test = bug.caught_by;
        if !sound.contains(&(test.suite, test.name)) {
            continue;
        }
        let began = Instant::now();
        let caught = bug.is_caught(tree, target);
        let seconds = format!("{:.0}", began.elapsed().as_secs_f64());
        let outcome = if caught.is_ok() { "caught" } else { "NOT CAUGHT" };
        eprintln!("{}: {outcome} after {seconds} s", bug.name);
        table.row([bug.name, bug.promise, test.name, &seconds]);
        report.planted.push((bug, caught.is_ok()));
        report.problems.extend(caught.err().map(|problem| format!("{}: {problem}", bug.name)));
    }
    println!("{table}");
    report
}

/// The tests that pass where nothing is planted.
fn sound(
    tree: &Tree,
    target: &Path,
    bugs: &[&Bug],
    models: Option<&Outcome>,
    problems: &mut Vec<String>,
) -> BTreeSet<(Suite, &'static str)> {
    let mut suites: BTreeMap<Suite, BTreeSet<&str>> = BTreeMap::new();
    for bug in bugs {
        suites.entry(bug.caught_by.suite).or_default().insert(bug.caught_by.name);
    }
    let mut sound = BTreeSet::new();
    for (suite, names) in suites {
        eprintln!("without a bug: {} tests of {} ({:?})", names.len(), suite.package, suite.target);
        let tests: Vec<_> = names.iter().copied().collect();
        let run = match models.filter(|_| suite == models::SUITE) {
            Some(outcome) => Ok(outcome.clone()),
            None => suite.build(tree, target).and_then(|program| suite.run(tree, &program, &tests)),
        };
        match run {
            Ok(outcome) => {
                for name in names {
                    if outcome.passed.contains(name) {
                        sound.insert((suite, name));
                    } else {
                        problems.push(format!("{name}: without a bug it fails or is not there"));
                    }
                }
            }
            Err(problem) => problems.push(format!("{}: {problem}", suite.package)),
        }
    }
    sound
}

impl Bug {
    pub(super) const fn test(&self) -> &'static str {
        self.caught_by.name
    }

    /// Plants it, and has its test fail; the copy is as it was afterwards, whatever the working tree says by then.
    fn is_caught(&self, tree: &Tree, target: &Path) -> Result<(), String> {
        let mut sound = Vec::new();
        let planted = self.plant(tree, &mut sound);
        let caught = planted.and_then(|()| self.fails_its_test(tree, target));
        for (file, content) in sound.into_iter().rev() {
            tree.write(file, &content)?;
        }
        caught
    }

    /// Notes what each file said before.
    fn plant(&self, tree: &Tree, sound: &mut Vec<(&str, String)>) -> Result<(), String> {
        for Change { file, text, instead } in self.changes {
            let content = tree.read(file)?;
            let count = content.matches(text).count();
            if count != 1 {
                return Err(format!("{file}: this stands there {count} times: {text}"));
            }
            tree.write(file, &content.replacen(text, instead, 1))?;
            sound.push((file, content));
        }
        Ok(())
    }

    fn fails_its_test(&self, tree: &Tree, target: &Path) -> Result<(), String> {
        let Test { suite, name } = self.caught_by;
        let program = suite.build(tree, target)?;
        let outcome = suite.run(tree, &program, &[name])?;
        if outcome.is_success || outcome.passed.contains(name) {
            return Err(format!("{name} passes all the same"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::{prove::promises, step::root};

    /// So that a change of the code that a bug is planted in is told of by the tests, and not only when everything is proved.
    #[test]
    fn every_bug_has_its_place_and_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for bug in named("") {
            assert!(names.insert(bug.name), "{}", bug.name);
            assert!(promises::ALL.contains(&bug.promise), "{}", bug.promise);
            for Change { file, text, instead } in bug.changes {
                let content = fs::read_to_string(root().join(file)).unwrap();
                assert_eq!(content.matches(text).count(), 1, "{}: {file}: {text}", bug.name);
                assert_ne!(text, instead, "{}", bug.name);
            }
        }
        assert!(names.len() >= 15);
    }
}
