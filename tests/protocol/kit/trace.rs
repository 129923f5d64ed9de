//! What one client heard, in order, for what a test asks of it.

use serde_json::Value;

/// What came over one socket, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Vec<Value>);

impl Trace {
    pub(crate) fn received(&mut self, frame: Value) {
        self.0.push(frame);
    }

    /// All received frames of this type.
    pub(crate) fn of<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = &'t Value> {
        self.0.iter().filter(move |frame| frame["type"] == kind)
    }
}
