//! What is asked for.

use std::time::Duration;

use crate::seed;

pub(crate) const HELP: &str = "\
cargo xtask soak                  2,000 people in 200 rooms of full_app on an SQLite file, who come and go, talk, vanish one by one and all at once,
                                  stop reading and fall silent, while another program locks the file now and then and the machine sleeps: whether all that they were told is as promised,
                                  and whether anything is left. It writes docs/soak.md and docs/soak.svg. Options: --minutes N (30; shorter ones write to target),
                                  --seed N (what is left to chance; a run tells its own), --dev (as `cargo test` has built it)";

const MINUTES: u64 = 30;
/// A shorter run has no time for a machine that sleeps.
const SLEEPS_FROM: Duration = Duration::from_secs(180);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) time: Duration,
    pub(super) seed: u64,
    /// Whether the application is the one without optimisation.
    pub(super) is_dev: bool,
}

impl Options {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let time = Duration::from_secs(60 * MINUTES);
        let mut options = Self { time, seed: seed::by_the_clock(), is_dev: false };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(options),
                ["--dev", rest @ ..] => {
                    options.is_dev = true;
                    rest
                }
                [name @ ("--minutes" | "--seed"), count, rest @ ..] => {
                    let count = count.parse::<u64>().ok().filter(|&count| count > 0);
                    let count = count.ok_or_else(|| format!("{name}: a number from 1"))?;
                    match *name {
                        "--seed" => options.seed = count,
                        _ => options.time = Duration::from_secs(count.saturating_mul(60)),
                    }
                    rest
                }
                [other, ..] => return Err(format!("{other}: not known, or without its value")),
            }
        }
    }

    /// When the machine of the server sleeps, where there is time for it.
    pub(super) fn sleeps_at(&self) -> Option<Duration> {
        (self.time >= SLEEPS_FROM).then(|| self.time / 2)
    }

    /// Whether this is a run that is shown.
    pub(super) fn is_whole(&self) -> bool {
        self.time >= Duration::from_secs(60 * MINUTES) && !self.is_dev
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_run_is_what_is_shown() {
        let parsed = |arguments: &[&str]| Options::parse(arguments).expect("it is known");
        assert!(parsed(&[]).is_whole());
        assert_eq!(parsed(&["--minutes", "1"]).time.as_secs(), 60);
        assert!(!parsed(&["--minutes", "1"]).is_whole());
        assert_eq!(parsed(&["--minutes", "1"]).sleeps_at(), None);
        assert_eq!(parsed(&["--minutes", "4"]).sleeps_at(), Some(Duration::from_secs(120)));
        assert!(!parsed(&["--dev"]).is_whole());
        assert_eq!(parsed(&["--seed", "7"]).seed, 7);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for arguments in [&["--minutes"][..], &["--minutes", "0"], &["--seed", "x"], &["--x"]] {
            assert!(Options::parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
