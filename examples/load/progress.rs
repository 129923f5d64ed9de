//! What is to be seen meanwhile, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::run::Shared;

/// A bar; none where nobody looks.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Over so many of something.
    pub(crate) fn over(length: usize) -> Self {
        let style = ProgressStyle::with_template("{prefix:>8} {wide_bar} {pos}/{len} {msg}");
        let bar = ProgressBar::new(length as u64);
        Self(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)))
    }

    pub(crate) fn called(self, name: &'static str) -> Self {
        self.0.set_prefix(name);
        self
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// Seconds of talk.
    pub(crate) fn tell(&self, elapsed: Duration, shared: &Shared) {
        self.0.set_position(elapsed.as_secs());
        let (asked, copies) = (shared.counts.asked.get(), shared.counts.copies.get());
        self.0.set_message(format!("s, {asked} messages, {copies} copies"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
