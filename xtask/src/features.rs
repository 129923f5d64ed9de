//! Features have to compile in every combination; where there are many, in those that tell most.

use crate::{step::cargo, workspace::Package};

/// With more features than these, their powerset takes longer than it is worth.
const POWERSET: usize = 4;

/// The combinations in which a package does not compile without a warning.
pub(crate) fn broken(package: &Package) -> Vec<String> {
    let mut combinations = combinations(&package.features());
    combinations.retain(|combination| !compiles(package.name(), combination));
    combinations.into_iter().map(|combination| format!("with {combination:?}")).collect()
}

/// Clippy instead of `check`, since it denies warnings by an argument of its own: `RUSTFLAGS` would compile every dependency again.
fn compiles(package: &str, features: &str) -> bool {
    let command = ["clippy", "--quiet", "--package", package, "--lib", "--no-default-features"];
    let mut command = cargo(&command);
    command.args(["--features", features, "--", "--deny", "warnings"]);
    command.status().is_ok_and(|status| status.success())
}

/// All subsets, as cargo takes them. Of many features none, each alone, all but one, and all: what one lacks by itself is found where it is alone, what others have from
/// it where it is missing, and two that clash where all are.
fn combinations(features: &[&str]) -> Vec<String> {
    let is_taken = |subset: &Vec<&str>| {
        features.len() <= POWERSET || subset.len() <= 1 || subset.len() + 1 >= features.len()
    };
    powerset(features).into_iter().filter(is_taken).map(|subset| subset.join(",")).collect()
}

fn powerset<'a>(features: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut subsets = vec![Vec::new()];
    for feature in features {
        let with = subsets.iter().map(|subset| [subset.as_slice(), &[*feature]].concat());
        subsets = subsets.iter().cloned().chain(with).collect();
    }
    subsets
}

#[cfg(test)]
mod tests {
    use super::combinations;

    #[test]
    fn a_few_features_are_tried_in_every_combination() {
        assert_eq!(combinations(&["a", "b"]), ["", "a", "b", "a,b"]);
        assert_eq!(combinations(&["a", "b", "c", "d"]).len(), 16);
    }

    #[test]
    fn many_features_are_tried_alone_all_but_one_and_together() {
        let combinations = combinations(&["a", "b", "c", "d", "e", "f"]);
        assert_eq!(combinations.len(), 1 + 6 + 6 + 1);
        for expected in ["", "c", "a,b,d,e,f", "a,b,c,d,e,f"] {
            assert!(combinations.iter().any(|combination| combination == expected));
        }
    }
}
