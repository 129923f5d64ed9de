//! F03: random sequences of everything that users, hosts and operators do, against a model that knows nothing of locks, queues and stores. After every step
//! each client must have been told exactly what the model says, word for word.
//!
//! The tests of every store include this folder, and say how one process has the store after the other: all stores are given the same sequences.

mod host;
mod reference;
#[expect(clippy::future_not_send, reason = "a sequence runs on the thread that it began on")]
mod run;
mod step;

use std::sync::mpsc;

use chatrooms_core::MessageStore;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};

pub(crate) use host::Host;
use run::Run;
use step::{MOST, plan};

/// Which sequences are tried, where `PROPTEST_RNG_SEED` asks for no others; `PROPTEST_CASES` says how many.
const SEED: u64 = 1;
/// Those that have failed once: they are tried first, on every store.
const FAILED_ONCE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../chatrooms-core/tests/model/failed-once.txt");
/// What it takes for everybody to be told the right thing.
const PROMISES: [&str; 7] = [
    "P1 atomic membership",
    "P2 a life is purged once, and no other",
    "P3 a join is one cut",
    "P4 one order, the same for all",
    "P6 users, not tabs",
    "P8 no ghosts, and a deploy loses nothing",
    "R a resume is whole or none",
];

/// Tries all sequences on a store, or one part in so many where it takes its time. What `begin` returns gives a new store, and then to each process the one that
/// the process before has used.
pub(crate) fn hold<S: MessageStore + Clone, P: AsyncFn(Option<S>) -> S>(
    store: &str,
    part: u32,
    begin: impl Fn() -> P,
) {
    let config = config(part);
    let mut runner = TestRunner::new(config.clone());
    let held = runner.run(&plan(), |plan| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        runtime.map_err(|error| TestCaseError::fail(error.to_string()))?.block_on(async {
            let _held = hold_the_clock();
            Run::new(begin(), plan.lingers).await.through(plan.steps).await;
        });
        Ok(())
    });
    if let Err(failed) = held {
        panic!("{failed}\n{runner}");
    }
    let (cases, seed) = (config.cases, config.rng_seed);
    for promise in PROMISES {
        println!(
            "explored\t{promise}\t{cases} sequences of up to {MOST} steps, seed {seed}, on {store}\t{cases}"
        );
    }
}

fn config(part: u32) -> Config {
    let given = Config::default();
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        fixed => fixed,
    };
    let failed_once = FileFailurePersistence::Direct(FAILED_ONCE);
    Config {
        cases: given.cases / part,
        rng_seed,
        failure_persistence: Some(Box::new(failed_once)),
        // Where everything hangs, a shorter sequence is looked for only so long, in milliseconds.
        max_shrink_time: 20_000,
        ..given
    }
}

/// Has time pass only where a step says so: a paused clock that a blocking task runs beside stands still also while everybody waits for a thread of the store.
fn hold_the_clock() -> mpsc::Sender<()> {
    let (held, let_go) = mpsc::channel();
    tokio::task::spawn_blocking(move || let_go.recv());
    held
}
