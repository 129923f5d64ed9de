//! The rooms under a scheduler that decides who goes on: see `chatrooms-core/src/models.rs`.

use std::path::{Path, PathBuf};

use super::{
    explored::{Explored, shown},
    suite::{Outcome, Suite, Target},
    tree::Tree,
};
use crate::{
    step::{Steps, cargo},
    workspace,
};

pub(super) const SUITE: Suite = Suite { package: "chatrooms-core", target: Target::Models };

/// What became of the stories.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) explored: Vec<Explored>,
    pub(super) outcome: Outcome,
    pub(super) problems: Vec<String>,
}

/// Has all stories happen in all ways.
pub(super) fn run(tree: &Tree, target: &Path) -> Report {
    eprintln!("stories in all orders: some minutes");
    let run = |program: PathBuf| SUITE.run_all(tree, &program, "models::", &[]);
    match SUITE.build(tree, target).and_then(run) {
        Ok(outcome) => {
            let (explored, problems) = shown(&outcome);
            Report { explored, outcome, problems }
        }
        Err(problem) => Report { problems: vec![problem], ..Report::default() },
    }
}

/// In the short form, so many rounds by each kind of chance.
const FEWER: &str = "200";

/// A short form of all stories, for the tests. They are compiled as fast as they can be, in a folder of their own: what is not optimized runs long enough for this.
pub(super) fn step(steps: &mut Steps) {
    let mut test = cargo(&["test", "--package", "chatrooms-core", "--lib", "--", "models::"]);
    test.env("RUSTFLAGS", "--cfg shuttle").env("MODEL_ROUNDS", FEWER);
    test.env("CARGO_PROFILE_DEV_DEBUG", "none").env("CARGO_INCREMENTAL", "0");
    test.env("CARGO_TARGET_DIR", workspace::target().join("prove/stories"));
    steps.run("stories in some orders", &mut test);
}
