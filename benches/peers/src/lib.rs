//! What chatrooms is measured with and against. `cargo xtask bench` runs all of it; each program has a `--help` of its own.
//!
//! - `wsload` loads a broadcast server: one thread, epoll, plain TCP, frames of its own, so that it costs little beside the server.
//! - `floor` is the least that a broadcast can cost: one thread, epoll, no JSON, no names, no promises.
//! - `axum_broadcast` is the chat that one writes by hand, in axum over a tokio broadcast channel.
//!
//! They count on epoll and `/proc`, therefore on Linux.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

pub mod floor;
mod frame;
mod open_files;
mod poll;
pub mod wsload;
