//! The counting.

use std::path::Path;

use super::Counts;
use crate::{step::program, workspace};

/// The operations, and how many rounds of them. With these the tables of a registry are far from growing when the rounds begin: where they grow, and when, is a matter of
/// random hashes.
const OPERATIONS: [(&str, u64); 8] = [
    ("join", 672),
    ("leave", 672),
    ("join_and_leave_alone", 1000),
    ("fill_a_room_of_100", 5),
    ("publish_to_100", 200),
    ("deliver", 2000),
    ("encode_message", 1000),
    ("decode_send", 1000),
];

/// The instructions of one round of each operation.
pub(super) fn everything() -> Result<Counts, String> {
    let binary = workspace::target().join("release/instructions");
    OPERATIONS
        .iter()
        .map(|&(operation, rounds)| {
            Ok((operation.to_owned(), of_one_round(&binary, operation, rounds)?))
        })
        .collect()
}

/// The same preparation with some rounds and with twice as many: what is more is the rounds'.
fn of_one_round(binary: &Path, operation: &str, rounds: u64) -> Result<u64, String> {
    let some = of_process(binary, operation, rounds, 2 * rounds)?;
    let twice = of_process(binary, operation, 2 * rounds, 2 * rounds)?;
    Ok(twice.saturating_sub(some) / rounds)
}

fn of_process(binary: &Path, operation: &str, rounds: u64, most: u64) -> Result<u64, String> {
    let mut valgrind =
        program("valgrind", &["--tool=callgrind", "--callgrind-out-file=/dev/null"], "");
    valgrind.arg(binary).arg(operation).args([rounds, most].map(|count| count.to_string()));
    let output = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = output.status.success().then(|| collected(&told)).flatten();
    collected
        .ok_or_else(|| format!("{operation}: {}{told}", String::from_utf8_lossy(&output.stdout)))
}

/// What callgrind says at its end: `==1234== Collected : 56789`.
fn collected(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_what_callgrind_has_collected() {
        let told = "==7== For interactive control\n==7== \n==7== Events    : Ir\n==7== Collected : 4119542\n==7== \n";
        assert_eq!(collected(told), Some(4_119_542));
        assert_eq!(collected("valgrind: no such file"), None);
    }
}
