//! What is let in of more than may be.

use std::time::Instant;

use crate::wire::{Answer, Wrong};

/// What a browser may ask of `full_app`'s pages and forms at once, and per second.
pub(super) const PAGES: (u64, u64) = (100, 10);

/// How often it was not too fast, of what may come so often at once and per second.
#[derive(Debug)]
pub(super) struct Granted {
    burst: u64,
    per_second: u64,
    since: Instant,
    count: u64,
}

impl Granted {
    pub(super) fn new((burst, per_second): (u64, u64)) -> Self {
        Self { burst, per_second, since: Instant::now(), count: 0 }
    }

    /// It has to be too fast, or what it is otherwise.
    pub(super) fn count(
        &mut self,
        answer: &Answer,
        otherwise: impl FnOnce(&Answer) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        if answer.too_fast().is_none() {
            self.count += 1;
            otherwise(answer)?;
        }
        Ok(())
    }

    pub(super) fn is_bounded(&self) -> Result<(), Wrong> {
        let most = self.burst + self.per_second * (self.since.elapsed().as_secs() + 1);
        let told = || Wrong(format!("{} were let in where {most} may be", self.count));
        if self.count <= most { Ok(()) } else { Err(told()) }
    }
}
