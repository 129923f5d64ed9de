//! The same without anything behind it.

use super::Description;

/// Something that only grows.
#[derive(Clone, Debug)]
pub struct Counter;

impl Counter {
    /// The counter.
    #[must_use]
    pub const fn new(_: Description) -> Self {
        Self
    }

    /// Counts nothing.
    pub const fn add(&self, _: u64) {}
}

/// Something that grows and shrinks.
#[derive(Clone, Debug)]
pub struct Gauge;

impl Gauge {
    /// The gauge.
    #[must_use]
    pub const fn new(_: Description) -> Self {
        Self
    }

    /// Changes nothing.
    pub const fn add(&self, _: i64) {}
}

/// One counter for each value of a label.
#[derive(Clone, Debug)]
pub struct Counters;

impl Counters {
    /// The counters.
    #[must_use]
    pub const fn new(_: Description, _: &'static str, _: &[&'static str]) -> Self {
        Self
    }

    /// Counts nothing.
    pub const fn count(&self, _: &str) {}

    /// Counts nothing.
    pub const fn add(&self, _: &str, _: u64) {}
}

/// How long something takes, for each value of a label.
#[derive(Clone, Debug)]
pub struct Timers;

impl Timers {
    /// The histograms.
    #[must_use]
    pub const fn new(_: Description, _: &'static str, _: &[&'static str]) -> Self {
        Self
    }

    /// Starts nothing.
    #[must_use]
    pub const fn start(&self) -> Stopwatch {
        Stopwatch
    }

    /// Records nothing.
    pub const fn record(&self, _: &str, _: Stopwatch) {}
}

/// No clock at all.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch;
