//! Every promise, and how it is known: bugs that are planted and have to be caught.

mod planted;
mod suite;
mod table;
mod tree;

use std::process::ExitCode;

use self::tree::Tree;
use crate::{misused, step::Steps, workspace};

pub(crate) const HELP: &str = "\
cargo xtask prove planted         plants bugs, one by one, in a copy of the tree: each has to be caught by the test that is there for its promise.
                                  Options: --only TEXT (bugs with this in their name)";

/// Proves what is asked for, and succeeds where all of it held.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let only = match arguments {
        ["planted"] => "",
        ["planted", "--only", text] if planted::named(text).next().is_some() => text,
        _ => return misused(&format!("{}: not known", arguments.join(" ")), HELP),
    };
    let mut steps = Steps::default();
    let place = workspace::target().join("prove");
    steps.check("planted bugs", || match Tree::copied(place.join("tree")) {
        Ok(tree) => planted::run(&tree, &place, only).problems,
        Err(problem) => vec![problem],
    });
    steps.report()
}
