//! How long things took.

use std::{fmt, time::Duration};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// Of the longest bar.
const LENGTH: u64 = 40;

/// Microseconds, three digits of each.
#[derive(Debug)]
pub(crate) struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Latency {
    pub(crate) fn add(&mut self, time: Duration) {
        // A histogram that grows by itself takes every number.
        let _ = self.0.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn join(&mut self, other: &Self) {
        let _ = self.0.add(&other.0);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn to_json(&self) -> Value {
        let times = self.times().map(|(name, time)| (name.to_owned(), time.into()));
        let mut value: serde_json::Map<String, Value> = times.collect();
        value.insert("count".into(), json!(self.count()));
        let bars = self.bars().map(|(up_to, count)| json!({ "up_to": up_to, "count": count }));
        value.insert("histogram".into(), bars.collect());
        Value::Object(value)
    }

    /// How many took up to how many milliseconds, and more than those before; each bound is twice the one before.
    fn bars(&self) -> impl Iterator<Item = (f64, u64)> {
        let bars = self.0.iter_log(1, 2.0);
        let bars = bars
            .map(|bar| (bar.value_iterated_to() as f64 / 1000.0, bar.count_since_last_iteration()));
        bars.skip_while(|(_, count)| *count == 0)
    }

    /// The same as a picture.
    pub(crate) fn histogram(&self) -> String {
        let most = self.bars().map(|(_, count)| count).max().unwrap_or(1);
        let bar = |(up_to, count): (f64, u64)| {
            let length = usize::try_from((count * LENGTH).div_ceil(most)).unwrap_or_default();
            format!("  up to {up_to:>10.3} ms {count:>10} {}\n", "#".repeat(length))
        };
        self.bars().map(bar).collect()
    }

    /// In milliseconds.
    fn times(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0;
        QUANTILES.into_iter().map(move |(name, quantile)| (name, at(quantile)))
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count() == 0 {
            return f.write_str("     (none)");
        }
        self.times().try_for_each(|(_, time)| write!(f, "{time:>11.2}"))
    }
}

/// The heads of the columns.
pub(crate) fn heads() -> String {
    QUANTILES.iter().map(|(name, _)| format!("{name:>11}")).collect()
}
