//! The rooms in an interpreter that finds undefined behaviour, in the crates beneath them too.

use super::nightly;
use crate::{step::Steps, workspace};

/// What takes minutes there and touches nothing that the others do not: thousands of messages, users or names one after the other, traces that are judged
/// by one thread, and a store behind a pointer where there is the store itself.
const LONG: [&str; 13] = [
    "a_burst_leaves_no_buffer_behind",
    "a_closed_life_stays_closed",
    "a_name_that_is_made_of_a_name_is_the_same",
    "abuse_is_told_once_a_minute_of_a_user_and_a_hundred_times_of_all",
    "allowances::",
    "conformance::memory::shared",
    "neighbours_differ_in_their_highest_and_in_their_lowest_bits",
    "nothing_remains_of_lives_that_have_ended",
    "oracle::",
    "pages_are_gap_free",
    "the_bounds_count_after_normalising",
    "trimming_takes_the_oldest",
    "writes::tests::a_batch_has_a_bound",
];

/// Runs all other unit tests.
pub(super) fn run(steps: &mut Steps) {
    steps.attempt("miri", || {
        let mut test = nightly::cargo("miri")?;
        test.args(["miri", "test", "--package", "chatrooms-core", "--lib", "--"]);
        test.args(LONG.iter().flat_map(|name| ["--skip", name]));
        test.env("CARGO_TARGET_DIR", workspace::target().join("prove/miri"));
        // The clock and the random bytes are those of the machine.
        test.env("MIRIFLAGS", "-Zmiri-disable-isolation");
        Ok(test)
    });
}
