//! The examples, run as a reader runs them: each does what it says.

mod existing_service;
mod minimal;
