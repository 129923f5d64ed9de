//! What was counted, beside what was committed.

use super::Counts;

/// So many hundredths may a count differ before somebody has to say that it is meant.
const TOLERATED: u64 = 5;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) table: Vec<String>,
    /// What fails the check.
    pub(super) problems: Vec<String>,
    /// The operations that take less than was committed.
    pub(super) shrunk: Vec<String>,
}

pub(super) fn compare(committed: &Counts, counts: &Counts) -> Comparison {
    let mut comparison = Comparison::default();
    for (operation, &count) in counts {
        match committed.get(operation) {
            Some(&before) => comparison.note(operation, before, count),
            None => {
                comparison.problems.push(format!("{operation}: {count}, and nothing is committed"))
            }
        }
    }
    let gone = committed.keys().filter(|operation| !counts.contains_key(*operation));
    comparison
        .problems
        .extend(gone.map(|operation| format!("{operation}: committed, and not counted any more")));
    comparison
}

impl Comparison {
    fn note(&mut self, operation: &str, before: u64, count: u64) {
        let change = (count as f64 / before as f64 - 1.0) * 100.0;
        let line = format!("{operation:<24} {before:>10} -> {count:>10} {change:>+6.1} %");
        if count * 100 > before * (100 + TOLERATED) {
            self.problems.push(format!("more than {TOLERATED} % grown: {line}"));
        } else if count * 100 < before * (100 - TOLERATED) {
            self.shrunk.push(operation.to_owned());
        }
        self.table.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> Counts {
        of.iter().map(|&(operation, count)| (operation.to_owned(), count)).collect()
    }

    /// How many problems there are, and what has shrunk, where 1,000 was committed.
    fn outcome(count: u64) -> (usize, usize) {
        let comparison = compare(&counts(&[("join", 1000)]), &counts(&[("join", count)]));
        assert_eq!(comparison.table.len(), 1);
        (comparison.problems.len(), comparison.shrunk.len())
    }

    #[test]
    fn five_per_cent_are_tolerated_either_way() {
        assert_eq!([1000, 1050, 950].map(outcome), [(0, 0); 3]);
    }

    #[test]
    fn more_than_that_is_a_problem_above_and_news_below() {
        assert_eq!((outcome(1051), outcome(949)), ((1, 0), (0, 1)));
        assert_eq!((outcome(u32::MAX.into()), outcome(0)), ((1, 0), (0, 1)));
    }

    #[test]
    fn both_sides_know_the_same_operations() {
        let none = Counts::new();
        let one = counts(&[("join", 1000)]);
        assert_eq!(compare(&none, &one).problems, ["join: 1000, and nothing is committed"]);
        assert_eq!(compare(&one, &none).problems, ["join: committed, and not counted any more"]);
        assert_eq!(compare(&none, &none), Comparison::default());
    }
}
