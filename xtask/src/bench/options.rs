//! What is asked for.

use super::{criterion, curves, holding, row};

pub(crate) const HELP: &str = "\
cargo xtask bench                 measures everything of docs/benchmarks.md, in turn with what it is compared with, and writes that page
                                  and its pictures; three quarters of an hour on a machine that does nothing else. Options:
                                  --quick (short runs, one pair), --pairs N (5), --only NAME,NAME (a row's name or the pictures'); with
                                  --quick or --only it writes to target/bench instead";

/// The pairs that an ordinary run measures.
const PAIRS: usize = 5;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) is_quick: bool,
    pub(super) pairs: usize,
    /// Names; all if there is none.
    only: Vec<String>,
}

impl Options {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut pairs = None;
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => break,
                ["--quick", rest @ ..] => {
                    options.is_quick = true;
                    rest
                }
                ["--pairs", count, rest @ ..] => {
                    let count = count.parse().ok().filter(|&count| count > 0);
                    pairs = Some(count.ok_or("--pairs: a number from 1")?);
                    rest
                }
                ["--only", names, rest @ ..] => {
                    options.only.extend(names.split(',').map(str::to_owned));
                    rest
                }
                [other, ..] => return Err(format!("{other}: not known, or without its value")),
            }
        }
        options.pairs = pairs.unwrap_or(if options.is_quick { 1 } else { PAIRS });
        if let Some(name) = options.only.iter().find(|name| !names().any(|known| known == *name)) {
            let names = names().collect::<Vec<_>>().join(", ");
            return Err(format!("--only {name}: there is {names}"));
        }
        Ok(options)
    }

    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// Whether anything but the benchmarks in process is wanted.
    pub(super) fn wants_servers(&self) -> bool {
        names().any(|name| name != criterion::NAME && self.wants(name))
    }

    pub(super) fn is_whole(&self) -> bool {
        !self.is_quick && self.only.is_empty()
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    let rows = row::ALL.iter().map(|row| row.name);
    rows.chain(curves::ALL.iter().map(|curve| curve.name)).chain([holding::NAME, criterion::NAME])
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn nothing_asked_for_is_everything() {
        let options = Options::parse(&[]).expect("no argument is needed");
        assert!(options.is_whole() && options.wants("room-100") && options.wants("in-process"));
        assert_eq!(options.pairs, 5);
    }

    #[test]
    fn what_is_asked_for_is_measured_alone() {
        let options = Options::parse(&["--quick", "--only", "room-100,churn", "--pairs", "2"]);
        let options = options.expect("all of it is known");
        assert!(options.wants("churn") && !options.wants("room-1000") && !options.is_whole());
        assert_eq!((options.is_quick, options.pairs), (true, 2));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for arguments in [&["--only", "nothing"][..], &["--pairs", "0"], &["--pairs"], &["--fast"]]
        {
            assert!(Options::parse(arguments).is_err());
        }
    }
}
