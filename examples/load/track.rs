//! What one member has of one sender: numbers from 1, each once, in order. Refused ones never come.

use std::collections::BTreeSet;

/// How far back a repeat is told from a late one.
const KEPT: usize = 10_000;

/// What has come.
#[derive(Debug, Default)]
pub(crate) struct Track {
    highest: u64,
    /// Numbers that were passed over, and may come late.
    missing: BTreeSet<u64>,
    /// How many have come, each counted once.
    pub(crate) unique: u64,
}

/// What a copy is to the one who gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    InOrder,
    Late,
    Repeated,
}

impl Track {
    pub(crate) fn take(&mut self, number: u64) -> Copy {
        let copy = if number > self.highest {
            self.missing.extend(self.highest + 1..number);
            while self.missing.len() > KEPT {
                self.missing.pop_first();
            }
            self.highest = number;
            Copy::InOrder
        } else if self.missing.remove(&number) {
            Copy::Late
        } else {
            return Copy::Repeated;
        };
        self.unique += 1;
        copy
    }
}
