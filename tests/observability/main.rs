//! What an operator sees: events, the span of a session and numbers, each held against `docs/observability.md`.

#![allow(clippy::future_not_send, reason = "each test runs on a thread of its own")]

mod counting;
mod events;
mod forging;
mod log;
mod numbers;
#[path = "../../chatrooms-redis/tests/redis/server.rs"]
#[allow(dead_code, reason = "the tests of the cluster itself ask it for more")]
mod redis;
mod secrets;
mod service;
mod source;
mod spans;
mod tables;
mod vanishing;
