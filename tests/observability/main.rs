//! What an operator sees: events, the span of a session and numbers, each held against `docs/observability.md`.

#![allow(clippy::future_not_send, reason = "each test runs on a thread of its own")]

mod counting;
mod events;
mod forging;
mod log;
mod numbers;
mod secrets;
mod service;
mod source;
mod spans;
mod tables;
mod vanishing;
