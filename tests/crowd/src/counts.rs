//! What has happened so far, to everybody.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chatrooms_core::oracle::Judged;
use serde_json::{Value, json};

/// So many problems are told; there is one cause to find behind thousands.
const MOST_PROBLEMS: usize = 20;

/// Shared by all tasks.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<Tally>);

#[derive(Debug, Default)]
struct Tally {
    events: BTreeMap<&'static str, u64>,
    /// Requests that were refused, by code.
    refused: BTreeMap<String, u64>,
    judged: Judged,
    problems: Vec<String>,
    more_problems: u64,
}

impl Counts {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, what: &'static str) {
        *self.tally().events.entry(what).or_default() += 1;
    }

    pub(crate) fn refused(&self, code: &str) {
        *self.tally().refused.entry(code.to_owned()).or_default() += 1;
    }

    /// Something that must not happen.
    pub(crate) fn problem(&self, what: String) {
        eprintln!("crowd: {what}");
        let mut tally = self.tally();
        if tally.problems.len() < MOST_PROBLEMS {
            tally.problems.push(what);
        } else {
            tally.more_problems += 1;
        }
    }

    /// An episode that was judged, and is as it should be.
    pub(crate) fn judged(&self, episode: Judged) {
        let judged = &mut self.tally().judged;
        judged.clients += episode.clients;
        judged.lives += episode.lives;
        judged.connections += episode.connections;
        judged.messages += episode.messages;
        judged.presences += episode.presences;
    }

    pub(crate) fn written(&self) -> Value {
        let tally = self.tally();
        let judged = tally.judged;
        json!({
            "events": tally.events,
            "refused": tally.refused,
            "judged": {
                "sockets": judged.clients,
                "lives": judged.lives,
                "connections": judged.connections,
                "messages": judged.messages,
                "presences": judged.presences,
            },
            "problems": tally.problems,
            "more_problems": tally.more_problems,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_adds_up() {
        let counts = Counts::default();
        let mut judged = Judged::default();
        (judged.clients, judged.messages) = (2, 3);
        for _ in 0..2 {
            counts.add("resets");
            counts.refused("busy");
            counts.judged(judged);
        }
        let written = counts.written();
        assert_eq!(written["events"], json!({"resets": 2}));
        assert_eq!(written["refused"], json!({"busy": 2}));
        assert_eq!(
            (&written["judged"]["sockets"], &written["judged"]["messages"]),
            (&json!(4), &json!(6))
        );
    }

    #[test]
    fn all_problems_count_and_the_first_are_told() {
        let counts = Counts::default();
        for number in 0..MOST_PROBLEMS + 5 {
            counts.problem(number.to_string());
        }
        let written = counts.written();
        assert_eq!(written["problems"].as_array().map(Vec::len), Some(MOST_PROBLEMS));
        assert_eq!((&written["problems"][0], &written["more_problems"]), (&json!("0"), &json!(5)));
    }
}
