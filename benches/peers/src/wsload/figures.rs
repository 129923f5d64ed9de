//! What a run has come to.

use serde_json::{Map, Value};

/// Figures by name, and a line for the terminal.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) values: Map<String, Value>,
    pub(super) line: String,
}

impl Figures {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }
}

/// A figure by the second, or by whatever else was spent; 0 where nothing was.
pub(super) fn per(count: u64, spent: f64) -> f64 {
    if spent > 0.0 { count as f64 / spent } else { 0.0 }
}
