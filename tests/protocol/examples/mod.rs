//! The examples, run as a reader runs them: each does what it says.

mod bench_server;
mod bot;
mod custom_store;
mod existing_service;
mod load;
mod minimal;
mod moderation;
mod three_nodes;
mod typed_events;
