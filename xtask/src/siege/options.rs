//! What is asked for.

use std::time::Duration;

use super::hostile;

pub(crate) const HELP: &str = "\
cargo xtask siege                 hostile clients of all kinds against full_app with its defaults, while 200 honest people talk: what these
                                  miss, how late it is, what it takes of memory, and whether each hostile one got the documented answer.
                                  Options: --minutes N (10) or --seconds N (from 15; what takes longer than that is left out), --only TEXT
                                  (hostile clients with this in their name), --dev (as `cargo test` has built it, whose times do not count)";

const MINUTES: u64 = 10;
const LEAST_SECONDS: u64 = 15;
const SHORT: Duration = Duration::from_secs(20);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// How long hostile clients are there.
    pub(super) siege: Duration,
    /// Whether the application is the one without optimisation.
    pub(super) is_dev: bool,
    /// What the names of the hostile clients hold that are wanted.
    pub(super) only: String,
}

impl Options {
    /// What fits among the tests. Half of the kinds of hostile clients come to the end of a round in it, and more of a few.
    pub(super) fn short() -> Self {
        Self { siege: SHORT, is_dev: true, only: String::new() }
    }

    pub(super) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let siege = Duration::from_secs(60 * MINUTES);
        let mut options = Self { siege, is_dev: false, only: String::new() };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(options),
                ["--dev", rest @ ..] => {
                    options.is_dev = true;
                    rest
                }
                ["--only", text, rest @ ..] if hostile::named(text).next().is_some() => {
                    (*text).clone_into(&mut options.only);
                    rest
                }
                [unit @ ("--minutes" | "--seconds"), count, rest @ ..] => {
                    let seconds = if *unit == "--minutes" { 60 } else { 1 };
                    let count = count.parse::<u64>().ok().and_then(|n| n.checked_mul(seconds));
                    let siege = count.filter(|&seconds| seconds >= LEAST_SECONDS);
                    let wrong = || format!("{unit}: {LEAST_SECONDS} seconds or more");
                    options.siege = Duration::from_secs(siege.ok_or_else(wrong)?);
                    rest
                }
                [other, ..] => return Err(format!("{other}: not known, or without its value")),
            }
        }
    }

    /// How long the honest ones are alone before: a tenth of the time, at least 30 s, but no longer than the siege.
    pub(super) fn quiet(&self) -> Duration {
        (self.siege / 10).max(Duration::from_secs(30)).min(self.siege)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(arguments: &[&str]) -> Option<(u64, u64)> {
        let options = Options::parse(arguments).ok()?;
        Some((options.siege.as_secs(), options.quiet().as_secs()))
    }

    #[test]
    fn a_siege_has_a_quiet_time_before_it() {
        assert_eq!(seconds(&[]), Some((600, 60)));
        assert_eq!(seconds(&["--minutes", "2"]), Some((120, 30)));
        assert_eq!(seconds(&["--seconds", "20", "--dev"]), Some((20, 20)));
    }

    #[test]
    fn what_is_not_known_or_too_short_is_refused() {
        for arguments in [
            &["--seconds", "14"][..],
            &["--seconds"],
            &["--minutes", "x"],
            &["--only", "nobody is called so"],
            &["--x"],
        ] {
            assert_eq!(seconds(arguments), None, "{arguments:?}");
        }
        assert!(Options::parse(&["--only", "cookies"]).is_ok());
    }
}
