//! Each connection is an open file.

use std::fs;

use crate::{failure::Failure, options::Options};

/// Files beside connections.
const OTHERS: usize = 32;

/// How many files this run has open at most.
pub(crate) fn needed(options: &Options) -> usize {
    options.connections + options.churn + OTHERS
}

/// Fails before anything is begun that could not be completed. Where the limit cannot be read, the first connection too many says it.
pub(crate) fn check(options: &Options) -> Result<(), Failure> {
    let needed = needed(options);
    match allowed() {
        Some(allowed) if allowed < needed => Err(Failure::Files { needed, allowed: Some(allowed) }),
        _ => Ok(()),
    }
}

fn allowed() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
