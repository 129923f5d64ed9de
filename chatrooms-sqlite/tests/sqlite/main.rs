//! What SQLite is trusted with, tried on real files.

mod batching;
mod cancellation;
mod conformance;
mod deleted;
mod full;
mod kit;
mod locked;
#[path = "../../../chatrooms-core/tests/model/mod.rs"]
mod model;
mod opening;
mod purging;
mod restart;
mod sequences;
