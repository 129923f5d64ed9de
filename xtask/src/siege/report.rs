//! What came of a siege: whether all of it held, and a table.

use std::{fmt, time::Duration};

use super::{
    application::Log,
    honest::Talk,
    hostile::{ALL, Tally},
    newcomers::Came,
};

/// How much later than alone, beside hostile clients, 99 of 100 messages may be.
const LATER: f64 = 3.0;
/// How much more memory the server may take, in MiB.
const MORE_MEMORY: f64 = 50.0;

#[derive(Debug)]
pub(super) struct Report {
    pub(super) quiet: (Talk, Came),
    pub(super) besieged: (Talk, Came),
    pub(super) hostile: Vec<Tally>,
    /// The names of those who had the time for a round.
    pub(super) due: Vec<&'static str>,
    /// Whether it is the application that people run, whose times count.
    pub(super) is_timed: bool,
    pub(super) log: Log,
}

impl Report {
    /// What did not hold.
    pub(super) fn problems(&self) -> Vec<String> {
        let quiet = of_honest(&self.quiet).into_iter().map(|problem| format!("alone: {problem}"));
        let mut problems: Vec<_> = quiet.chain(of_honest(&self.besieged)).collect();
        let ((quiet, _), (besieged, _)) = (&self.quiet, &self.besieged);
        let ratio = besieged.latency("p99") / quiet.latency("p99");
        // What was not measured has not held.
        if ratio.is_nan() || (self.is_timed && ratio > LATER) {
            problems.push(format!("p99 is {ratio:.1} times that of the quiet run"));
        }
        let more = besieged.memory - quiet.memory;
        if quiet.memory <= 0.0 || more > MORE_MEMORY {
            problems.push(format!("the server took {more:.0} MiB more"));
        }
        for tally in &self.hostile {
            for (what, count) in &tally.wrong {
                problems.push(format!("{}: {count} times: {what}", tally.name));
            }
        }
        problems.extend(self.missing().map(|name| format!("{name}: not a single round")));
        problems.extend(self.log.alarming.iter().take(5).map(|line| format!("its log: {line}")));
        problems
    }

    /// Those who have not come to the end of a round.
    fn missing(&self) -> impl Iterator<Item = &'static str> {
        let has_none =
            |name: &&str| !self.hostile.iter().any(|tally| tally.name == *name && tally.rounds > 0);
        self.due.iter().copied().filter(has_none)
    }
}

/// What did not hold of the honest ones.
fn of_honest((talk, came): &(Talk, Came)) -> Vec<String> {
    let mut problems = talk.problems();
    problems.extend(came.problems.iter().take(5).cloned());
    if came.times.is_empty() {
        problems.push("no newcomer came in".to_owned());
    }
    problems
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:58} {:>9} {:>6}  documented", "hostile clients", "rounds", "wrong")?;
        for tally in &self.hostile {
            let attack = ALL.iter().find(|attack| attack.name == tally.name);
            let answer = attack.map_or("", |attack| attack.answer);
            let (rounds, wrong) = (tally.rounds, tally.failures());
            writeln!(f, "{:58} {rounds:>9} {wrong:>6}  {answer}", tally.name)?;
        }
        let ((quiet, came), (besieged, came_besieged)) = (&self.quiet, &self.besieged);
        writeln!(f, "\n{:34} {:>12} {:>12}", "honest", "alone", "besieged")?;
        for (what, path) in [
            ("connections", "connections.joined"),
            ("messages accepted", "messages.accepted"),
            ("copies arrived", "copies.arrived"),
            ("copies lost", "copies.lost"),
            ("copies doubled", "copies.duplicated"),
            ("copies reordered", "copies.reordered"),
        ] {
            writeln!(f, "{what:34} {:>12} {:>12}", quiet.figure(path), besieged.figure(path))?;
        }
        for quantile in ["p50", "p99", "p99.9", "max"] {
            let (alone, beside) = (quiet.latency(quantile), besieged.latency(quantile));
            writeln!(f, "{:34} {alone:>12.2} {beside:>12.2}", format!("{quantile} of a copy, ms"))?;
        }
        let (alone, beside) = (quiet.memory, besieged.memory);
        writeln!(f, "{:34} {alone:>12.1} {beside:>12.1}", "the server's memory at most, MiB")?;
        let (alone, beside) = (came.times.len(), came_besieged.times.len());
        writeln!(f, "{:34} {alone:>12} {beside:>12}", "newcomers")?;
        let [alone, beside] = [came, came_besieged].map(|came| Milliseconds(came.p99()));
        writeln!(f, "{:34} {alone:>12} {beside:>12}", "p99 of a newcomer's visit, ms")?;
        write!(f, "{:34} {:>12} {:>12}", "the server's log, KiB", "", self.log.bytes / 1024)
    }
}

struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.0.as_secs_f64() * 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            honest::tests::{CLEAN, talk},
            wire::Wrong,
        },
        *,
    };

    fn report() -> Report {
        let mut hostile: Vec<_> = ALL.iter().map(|attack| Tally::new(attack.name)).collect();
        hostile.iter_mut().for_each(|tally| tally.rounds = 3);
        let came = || Came { times: vec![Duration::from_millis(9)], problems: Vec::new() };
        let log = Log { bytes: 5000, alarming: Vec::new() };
        let [quiet, besieged] = [(); 2].map(|()| (talk(CLEAN), came()));
        let due = ALL.map(|attack| attack.name).to_vec();
        Report { quiet, besieged, hostile, due, is_timed: true, log }
    }

    type Harm = fn(&mut Report);

    #[test]
    fn all_of_it_has_to_hold() {
        assert_eq!(report().problems(), [""; 0]);
        let harms: [(&str, Harm); 9] = [
            ("p99 is 3.5 times", |report| report.besieged.0 = talk(&CLEAN.replace("2.0", "7.0"))),
            ("p99 is NaN", |report| report.quiet.0 = talk(&CLEAN.replace("p99", "p90"))),
            ("51 MiB more", |report| report.besieged.0.memory += 51.0),
            ("lost: 1", |report| report.besieged.0 = talk(&CLEAN.replace("lost\":0", "lost\":1"))),
            ("alone: honest", |report| report.quiet.0 = talk(&CLEAN.replace("200", "199"))),
            ("a newcomer: no", |report| report.besieged.1.problems.push("a newcomer: no".into())),
            ("no newcomer", |report| report.quiet.1.times.clear()),
            ("not a single round", |report| report.hostile[7].rounds = 0),
            ("its log: ERROR", |report| report.log.alarming.push("ERROR it broke".into())),
        ];
        for (problem, harm) in harms {
            let mut report = report();
            harm(&mut report);
            let problems = report.problems();
            assert!(problems.len() == 1 && problems[0].contains(problem), "{problems:?}");
        }
    }

    #[test]
    fn a_wrong_answer_is_told_with_its_name() {
        let mut report = report();
        report.hostile[0].add(Err(Wrong("200 instead of 401".to_owned())));
        let problems = report.problems();
        assert_eq!(problems, [format!("{}: 1 times: 200 instead of 401", ALL[0].name)]);
        assert!(report.to_string().contains("401 unauthorized"));
    }
}
