//! What one kind of hostile client got.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::wire::Wrong;

/// Rounds, and how often it was not the documented answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Tally {
    pub(in super::super) name: String,
    pub(in super::super) rounds: u64,
    pub(in super::super) wrong: BTreeMap<String, u64>,
}

/// Different wrong answers that are told; there is one cause to find behind thousands.
const MOST_WRONG: usize = 5;

impl Tally {
    pub(in super::super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn panicked(name: &str) -> Self {
        let mut tally = Self::new(name);
        tally.add(Err(Wrong("it panicked".to_owned())));
        tally
    }

    pub(in super::super) fn add(&mut self, round: Result<(), Wrong>) {
        self.rounds += 1;
        let Err(Wrong(what)) = round else { return };
        let is_new = !self.wrong.contains_key(&what) && self.wrong.len() >= MOST_WRONG;
        let what = if is_new { "others".to_owned() } else { what };
        *self.wrong.entry(what).or_default() += 1;
    }

    /// How many rounds were wrong.
    pub(in super::super) fn failures(&self) -> u64 {
        self.wrong.values().sum()
    }

    pub(super) fn written(&self) -> Value {
        json!({"name": self.name, "rounds": self.rounds, "wrong": self.wrong})
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let wrong = value["wrong"].as_object()?.iter();
        let wrong = wrong.map(|(what, count)| Some((what.clone(), count.as_u64()?)));
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            rounds: value["rounds"].as_u64()?,
            wrong: wrong.collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_counts_and_every_wrong_one_is_told() {
        let mut tally = Tally::new("loris");
        tally.add(Ok(()));
        for what in 0..10 {
            tally.add(Err(Wrong(format!("wrong {what}"))));
        }
        assert_eq!((tally.rounds, tally.failures(), tally.wrong.len()), (11, 10, MOST_WRONG + 1));
        assert_eq!(Tally::read(&tally.written()), Some(tally));
        assert_eq!(Tally::panicked("loris").failures(), 1);
    }
}
