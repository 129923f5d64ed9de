//! What SQLite is trusted with, tried on real files.

mod conformance;
mod kit;
