//! Handles of whatever recorder the host has installed. They are made once, so that counting is an atomic addition and no search.

use std::cell::Cell;

use tokio::time::Instant;

use super::Description;

/// Something that only grows.
#[derive(Clone, Debug)]
pub struct Counter(metrics::Counter);

impl Counter {
    /// The counter, at 0 where nobody has counted yet.
    #[must_use]
    pub fn new(described: Description) -> Self {
        metrics::describe_counter!(described.name, described.help);
        Self(metrics::counter!(described.name))
    }

    /// Counts so many more.
    pub fn add(&self, count: u64) {
        if count > 0 {
            self.0.increment(count);
        }
    }
}

/// Something that grows and shrinks.
#[derive(Clone, Debug)]
pub struct Gauge(metrics::Gauge);

impl Gauge {
    /// The gauge, at 0 where nobody has changed it yet.
    #[must_use]
    pub fn new(described: Description) -> Self {
        metrics::describe_gauge!(described.name, described.help);
        Self(metrics::gauge!(described.name))
    }

    /// Changes it by so much.
    pub fn add(&self, change: i64) {
        if change != 0 {
            self.0.increment(change as f64);
        }
    }
}

/// One counter for each value of a label that has only these values.
#[derive(Clone, Debug)]
pub struct Counters(Vec<(&'static str, Counter)>);

impl Counters {
    /// The counters, all of them at 0 where nobody has counted yet: a first event is a change then, and no new series.
    #[must_use]
    pub fn new(described: Description, label: &'static str, values: &[&'static str]) -> Self {
        metrics::describe_counter!(described.name, described.help);
        let counter = |value| Counter(metrics::counter!(described.name, label => value));
        Self(values.iter().map(|value| (*value, counter(*value))).collect())
    }

    /// Counts one more of this value.
    pub fn count(&self, value: &str) {
        self.add(value, 1);
    }

    /// Counts so many more of this value.
    pub fn add(&self, value: &str, count: u64) {
        if count > 0
            && let Some((_, counter)) = self.0.iter().find(|(known, _)| *known == value)
        {
            counter.add(count);
        }
    }
}

/// How long something takes, for each value of a label that has only these values.
#[derive(Clone, Debug)]
pub struct Timers {
    histograms: Vec<(&'static str, metrics::Histogram)>,
    are_heard: bool,
}

impl Timers {
    /// The histograms, in seconds.
    #[must_use]
    pub fn new(described: Description, label: &'static str, values: &[&'static str]) -> Self {
        metrics::describe_histogram!(described.name, metrics::Unit::Seconds, described.help);
        let histogram = |value| metrics::histogram!(described.name, label => value);
        let histograms: Vec<_> = values.iter().map(|value| (*value, histogram(*value))).collect();
        let are_heard = histograms.iter().any(|(_, histogram)| is_heard(histogram));
        Self { histograms, are_heard }
    }

    /// Starts a stopwatch. The clock is read only where there is a recorder: that costs more than much of what is timed.
    #[must_use]
    pub fn start(&self) -> Stopwatch {
        Stopwatch(self.are_heard.then(Instant::now))
    }

    /// Records that it took as long as the stopwatch has run.
    pub fn record(&self, value: &str, Stopwatch(started): Stopwatch) {
        if let Some(started) = started
            && let Some((_, histogram)) = self.histograms.iter().find(|(known, _)| *known == value)
        {
            histogram.record(started.elapsed());
        }
    }
}

/// Runs from its start on.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Option<Instant>);

/// Whether a recorder stands behind this. A handle without one never asks for the value of what it is given.
fn is_heard(histogram: &metrics::Histogram) -> bool {
    let is_asked = Cell::new(false);
    histogram.record_many(Probe(&is_asked), 0);
    is_asked.get()
}

struct Probe<'a>(&'a Cell<bool>);

impl metrics::IntoF64 for Probe<'_> {
    fn into_f64(self) -> f64 {
        self.0.set(true);
        0.0
    }
}
