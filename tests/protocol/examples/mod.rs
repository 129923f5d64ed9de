//! The examples, run as a reader runs them: each does what it says.

mod minimal;
