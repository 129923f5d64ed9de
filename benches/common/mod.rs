//! What the benches share: rooms and people without limits, stores to choose from, and times as they are spread.
#![allow(dead_code, reason = "no bench needs all of it")]

pub(crate) mod people;
pub(crate) mod spread;
pub(crate) mod store;

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// A runtime with so many threads for its tasks.
pub(crate) fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

/// How long so many tasks take that begin together, each with its number.
pub(crate) async fn together<F>(tasks: usize, work: impl Fn(usize) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let began = Instant::now();
    let tasks: Vec<_> = (0..tasks).map(|n| tokio::spawn(work(n))).collect();
    for task in tasks {
        task.await.expect("nobody panics");
    }
    began.elapsed()
}

/// A size to measure with, or a small one where criterion only tries whether everything works (`cargo test --bench NAME`).
pub(crate) fn sized(measured: usize, tried: usize) -> usize {
    if std::env::args().any(|argument| argument == "--bench") { measured } else { tried }
}
