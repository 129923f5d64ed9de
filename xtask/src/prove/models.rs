//! The rooms under a scheduler that decides who goes on: see `chatrooms-core/src/models.rs`.

use std::path::{Path, PathBuf};

use super::{
    explored::{Explored, shown},
    suite::{Outcome, Suite, Target},
    tree::Tree,
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
