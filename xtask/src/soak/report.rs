//! What came of a soak, and whether all of it held.

use std::time::Duration;

use serde_json::Value;

use crate::application::Log;

use super::{numbers::Numbers, trend::Trend};

/// Memory fills up in the first third of the time: pools, caches, names in use.
const WARM_UP: f64 = 1.0 / 3.0;
/// After that, its trend may go up by so much of it, or by so many MiB: an allocator keeps more or less.
const NOISE: f64 = 0.05;
const LEAST_NOISE: f64 = 3.0;
/// A shorter time has no trend.
const SHORTEST: Duration = Duration::from_secs(600);

/// One of the numbers.
pub(super) type Figure = fn(&Numbers) -> f64;

#[derive(Debug)]
pub(super) struct Report {
    pub(super) time: Duration,
    pub(super) seed: u64,
    pub(super) before: Numbers,
    pub(super) after: Numbers,
    pub(super) samples: Vec<(Duration, Numbers)>,
    /// What the crowd says of it.
    pub(super) told: Value,
    /// How the server ended.
    pub(super) ended: Result<(), String>,
    pub(super) log: Log,
}

impl Report {
    /// What did not hold.
    pub(super) fn problems(&self) -> Vec<String> {
        let texts = |name: &str| self.told[name].as_array().cloned().unwrap_or_default();
        let problems = texts("problems");
        let mut problems: Vec<_> = problems
            .iter()
            .map(|problem| problem.as_str().unwrap_or_default().to_owned())
            .collect();
        match self.told["more_problems"].as_u64() {
            Some(0) => {}
            more => problems.push(format!("and {more:?} more of these")),
        }
        for name in ["sockets", "lives", "connections", "messages", "presences"] {
            if self.judged(name) == 0 {
                problems.push(format!("no {name} were judged"));
            }
        }
        let left = self.after.that_return().into_iter().zip(self.before.that_return());
        for ((name, after), (_, before)) in left {
            // What is not a number is not back.
            if !matches!(after.partial_cmp(&before), Some(order) if order.is_le()) {
                problems.push(format!("{after} {name} are left, of {before} before"));
            }
        }
        match self.trend() {
            Some(trend) if self.has_trend() => {
                let most = (trend.mean * NOISE).max(LEAST_NOISE);
                if trend.growth() > most {
                    let (growth, mean) = (trend.growth(), trend.mean);
                    problems.push(format!("memory grew by {growth:.1} MiB, of {mean:.1}"));
                }
            }
            Some(_) => {}
            None => problems.push("memory was not measured".to_owned()),
        }
        problems.extend(self.ended.clone().err());
        // Whose database is locked says so; whose rooms panic may not.
        let panics = self.log.alarming.iter().filter(|line| line.contains("panicked"));
        problems.extend(panics.take(5).map(|line| format!("its log: {line}")));
        problems
    }

    fn judged(&self, name: &str) -> u64 {
        self.told["judged"][name].as_u64().unwrap_or_default()
    }

    /// Of memory, in MiB a second.
    pub(super) fn trend(&self) -> Option<Trend> {
        let from = self.time.mul_f64(WARM_UP);
        let meant = self.samples.iter().filter(|(at, _)| (from..=self.time).contains(at));
        let points: Vec<_> =
            meant.map(|(at, numbers)| (at.as_secs_f64(), numbers.memory)).collect();
        Trend::of(&points)
    }

    pub(super) fn most(&self, of: Figure) -> f64 {
        self.samples.iter().map(|(_, numbers)| of(numbers)).fold(0.0, f64::max)
    }

    /// The numbers at a time of the run, or as soon after it as they were looked at.
    pub(super) fn at(&self, time: Duration) -> Option<&Numbers> {
        self.samples.iter().find(|(at, _)| *at >= time).map(|(_, numbers)| numbers)
    }

    /// Whether it took long enough for its memory to have a trend.
    pub(super) fn has_trend(&self) -> bool {
        self.time >= SHORTEST
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn report() -> Report {
        let before = Numbers { descriptors: 20.0, tasks: 30.0, memory: 10.0, ..Numbers::default() };
        let time = Duration::from_secs(1800);
        let memory = |second: u64| 50.0 + (second % 7) as f64 / 7.0;
        let sample =
            |second| (Duration::from_secs(second), Numbers { memory: memory(second), ..before });
        let told = json!({
            "events": {"resets": 5}, "refused": {"store_unavailable": 2}, "more_problems": 0, "problems": [],
            "judged": {"sockets": 1, "lives": 1, "connections": 1, "messages": 1, "presences": 1},
        });
        let log = Log { bytes: 2048, alarming: vec!["ERROR store_failed".to_owned()] };
        let (samples, ended) = ((0..1800).map(sample).collect(), Ok(()));
        Report { time, seed: 7, before, after: before, samples, told, ended, log }
    }

    type Harm = fn(&mut Report);

    #[test]
    fn all_of_it_has_to_hold() {
        assert_eq!(report().problems(), [""; 0]);
        let harms: [(&str, Harm); 9] = [
            ("a gap", |report| report.told["problems"] = json!(["a gap"])),
            ("and Some(3) more", |report| report.told["more_problems"] = json!(3)),
            ("no lives were judged", |report| report.told["judged"]["lives"] = json!(0)),
            ("1 rooms are left, of 0", |report| report.after.rooms = 1.0),
            ("21 descriptors are left, of 20", |report| report.after.descriptors = 21.0),
            ("NaN tasks are left", |report| report.after.tasks = f64::NAN),
            ("memory was not measured", |report| report.samples.clear()),
            ("ended with 1", |report| report.ended = Err("ended with 1".to_owned())),
            ("panicked", |report| report.log.alarming.push("thread panicked at".to_owned())),
        ];
        for (problem, harm) in harms {
            let mut report = report();
            harm(&mut report);
            let problems = report.problems();
            assert!(problems.len() == 1 && problems[0].contains(problem), "{problems:?}");
        }
    }

    #[test]
    fn a_leak_shows_where_there_is_time_for_it() {
        let mut report = report();
        // 10 KiB a second.
        for (at, numbers) in &mut report.samples {
            numbers.memory += at.as_secs_f64() / 100.0;
        }
        assert_eq!(report.problems().len(), 1, "{:?}", report.problems());
        assert!(
            report.problems()[0].contains("memory grew by 12.0 MiB"),
            "{:?}",
            report.problems()
        );
        report.time = SHORTEST / 2;
        assert_eq!(report.problems(), [""; 0]);
    }

    #[test]
    fn what_fills_up_at_the_beginning_is_no_leak() {
        let mut report = report();
        for (at, numbers) in &mut report.samples {
            numbers.memory -= 30.0 * (-at.as_secs_f64() / 60.0).exp();
        }
        assert_eq!(report.problems(), [""; 0]);
    }
}
