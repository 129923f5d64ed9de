//! The rooms themselves under a scheduler that decides who goes on wherever that matters, and the oracle that judges what everybody saw. The code is the one that
//! is published; see `sync/modelled.rs` for what stands in for threads and locks.
//!
//! Compiled and run by `cargo xtask prove models`, and in a short form by `cargo xtask test`. `SHUTTLE_RANDOM_SEED` chooses other rounds.

mod bounded;
mod house;
mod stories;

use shuttle::{
    Config, MaxSteps, Runner,
    scheduler::{PctScheduler, RandomScheduler, Scheduler},
};

use bounded::Bounded;

/// So many rounds by each kind of chance.
const ROUNDS: usize = 10_000;
/// Says how many instead, for a short form, which has nothing else.
const FEWER: &str = "MODEL_ROUNDS";
/// The number of places at which a round goes another way than by priorities.
const DEPTH: usize = 3;
const SEED: u64 = 1;

/// Has a story happen in every way that is tried, and tells how many that were: rounds in which any task may go on at any point, rounds by probabilistic
/// concurrency testing, and all ways in which tasks are interrupted at most so many times.
fn explore(promise: &str, interruptions: usize, story: fn()) {
    let runtime = house::clock();
    let _entered = runtime.enter();
    let fewer = std::env::var(FEWER).ok().map(|rounds| rounds.parse().expect(FEWER));
    let rounds = fewer.unwrap_or(ROUNDS);
    let random = run(RandomScheduler::new_from_seed(SEED, rounds), story);
    let pct = run(PctScheduler::new_from_seed(SEED, DEPTH, rounds), story);
    if fewer.is_some() {
        return;
    }
    let all = run(Bounded::new(interruptions), story);
    let seed = std::env::var("SHUTTLE_RANDOM_SEED").unwrap_or_else(|_| SEED.to_string());
    println!(
        "explored\t{promise}\t{random} at random and {pct} by PCT of depth {DEPTH}, seed {seed}; all {all} with {interruptions} interruptions\t{}",
        random + pct + all
    );
}

fn run(scheduler: impl Scheduler + 'static, story: fn()) -> usize {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(story)
}
