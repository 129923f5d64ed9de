//! What SQLite is trusted with, tried on real files.

mod batching;
mod cancellation;
mod conformance;
mod deleted;
mod full;
mod kit;
mod locked;
mod opening;
mod purging;
mod restart;
