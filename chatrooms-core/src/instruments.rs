//! The one place that knows whether metrics are recorded: with the feature `metrics` by the facade crate of that name, without it by nobody, and
//! then nothing of it is compiled in.
//!
//! No part of the public API: it is public for `chatrooms-ws`, which counts with it too.

#[cfg(feature = "metrics")]
mod recorded;
#[cfg(not(feature = "metrics"))]
mod silent;

#[cfg(feature = "metrics")]
pub use recorded::*;
#[cfg(not(feature = "metrics"))]
pub use silent::*;

/// What a metric is: everything about it that does not change.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its documented name.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
}

/// Describes a metric.
#[must_use]
pub const fn describe(name: &'static str, help: &'static str) -> Description {
    Description { name, help }
}
