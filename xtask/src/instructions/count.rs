//! The counting.

use std::path::Path;

use super::Counts;
use crate::{step::program, workspace};

/// The operations, and how many rounds of them, in eighths. With these the tables of a registry are far from growing when the rounds begin: where they grow, and when, is a
/// matter of random hashes.
const OPERATIONS: [(&str, u64); 9] = [
    ("join", 168),
    ("leave", 168),
    ("join_and_leave_alone", 250),
    ("empty_a_room", 21),
    ("fill_a_room_of_100", 1),
    ("publish_to_100", 50),
    ("deliver", 500),
    ("encode_message", 250),
    ("decode_send", 250),
];

/// The instructions of one round of each operation.
pub(super) fn everything() -> Result<Counts, String> {
    let binary = workspace::target().join("release/instructions");
    OPERATIONS
        .iter()
        .map(|&(operation, eighth)| {
            Ok((operation.to_owned(), of_one_round(&binary, operation, eighth)?))
        })
        .collect()
}

/// Hashes are random in every process, and with them the order in which members are told: the middle of three is taken.
fn of_one_round(binary: &Path, operation: &str, eighth: u64) -> Result<u64, String> {
    let mut counts = [0; 3];
    for count in &mut counts {
        *count = of_a_pair(binary, operation, eighth)?;
    }
    counts.sort_unstable();
    Ok(counts[1])
}

/// The same preparation with an eighth of the rounds and with all of them: what is more is the rounds'.
fn of_a_pair(binary: &Path, operation: &str, eighth: u64) -> Result<u64, String> {
    let few = of_process(binary, operation, eighth, 8 * eighth)?;
    let all = of_process(binary, operation, 8 * eighth, 8 * eighth)?;
    Ok(all.saturating_sub(few) / (7 * eighth))
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
