//! Latencies.

use std::time::Duration;

use serde_json::{Value, json};

/// Nanoseconds, three digits of each.
#[derive(Debug)]
pub(super) struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        Self(hdrhistogram::Histogram::new(3).expect("three digits are allowed"))
    }
}

impl Histogram {
    #[inline]
    pub(super) fn add(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        // A histogram that grows by itself takes every number.
        let _ = self.0.record(nanoseconds);
    }

    /// In milliseconds.
    pub(super) fn quantile(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1e6
    }

    /// In microseconds, with one decimal.
    pub(super) fn to_json(&self) -> Value {
        let microseconds = |nanoseconds: f64| (nanoseconds / 100.0).round() / 10.0;
        let at = |quantile| microseconds(self.0.value_at_quantile(quantile) as f64);
        json!({
            "n": self.0.len(), "mean": microseconds(self.0.mean()), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999),
            "max": microseconds(self.0.max() as f64),
        })
    }
}
