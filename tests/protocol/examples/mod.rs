//! The examples, run as a reader runs them: each does what it says.

mod custom_store;
mod existing_service;
mod minimal;
