//! What was tried, as those tell who have tried it.

use super::{promises, suite::Outcome};
use crate::table::Table;

/// In how many ways one story has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explored {
    pub(super) story: String,
    pub(super) promise: String,
    how: String,
    pub(super) rounds: usize,
}

/// Shows what a program has told, and says what is wrong with it.
pub(super) fn shown(outcome: &Outcome) -> (Vec<Explored>, Vec<String>) {
    let explored = explored(&outcome.said);
    let mut table = Table::new(["story", "promise", "rounds"]);
    for Explored { story, promise, how, .. } in &explored {
        table.row([story, promise, how]);
    }
    println!("{table}");
    let mut problems: Vec<_> = explored
        .iter()
        .filter(|one| !promises::ALL.contains(&&*one.promise))
        .map(|one| format!("{}: nobody has promised {}", one.story, one.promise))
        .collect();
    if !outcome.is_success {
        problems.push(outcome.said.clone());
    }
    (explored, problems)
}

/// What the stories have told, each behind a line with its name.
fn explored(said: &str) -> Vec<Explored> {
    let (mut explored, mut story) = (Vec::new(), "");
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----"))
        {
            story = name;
        }
        let parts: Vec<_> = line.split('\t').collect();
        if let ["explored", promise, how, rounds] = parts[..]
            && let Ok(rounds) = rounds.parse()
        {
            let (story, promise) = (story.into(), promise.into());
            explored.push(Explored { story, promise, how: how.into(), rounds });
        }
    }
    explored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_stories_tell_is_read() {
        let said = "test models::a ... ok\n\nsuccesses:\n\n---- models::a stdout ----\nexplored\tP1 x\tin all ways\t12\n";
        let expected = Explored {
            story: "models::a".into(),
            promise: "P1 x".into(),
            how: "in all ways".into(),
            rounds: 12,
        };
        assert_eq!(explored(said), [expected]);
    }
}
