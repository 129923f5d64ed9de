//! What came of a soak, as the page that is committed.

use std::{fmt, time::Duration};

use super::{
    crowd,
    report::{Figure, Report},
};
use crate::table::Table;

/// What is looked at of the server, the machine and the log.
const FIGURES: [(&str, Figure); 11] = [
    ("sockets", |numbers| numbers.sessions),
    ("connections", |numbers| numbers.connections),
    ("rooms", |numbers| numbers.rooms),
    ("bytes that wait", |numbers| numbers.waiting),
    ("purges that wait", |numbers| numbers.purges),
    ("descriptors", |numbers| numbers.descriptors),
    ("tasks", |numbers| numbers.tasks),
    ("threads", |numbers| numbers.threads),
    ("memory, MiB", |numbers| numbers.memory),
    ("sockets ended as slow", |numbers| numbers.slow),
    ("sockets ended as silent", |numbers| numbers.silent),
];

/// A page in Markdown.
#[derive(Debug)]
pub(super) struct Page<'a>(pub(super) &'a Report);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report) = self;
        writeln!(f, "# What came of a soak\n")?;
        writeln!(
            f,
            "Written by `cargo xtask soak`; what it does is in [How we know](guide/how-we-know.md).\n"
        )?;
        writeln!(f, "{}", run(report))?;
        writeln!(f, "{}", events(report))?;
        writeln!(f, "{}", server(report))?;
        writeln!(f, "{}", memory(report))?;
        writeln!(f, "![Memory over time](soak.svg)")
    }
}

fn run(report: &Report) -> Table<2> {
    let mut table = Table::new(["the run", ""]);
    let problems = report.problems();
    let verdict = match &problems[..] {
        [] => "all of it held".to_owned(),
        [only] => format!("it did not hold: {only}"),
        [first, others @ ..] => format!("it did not hold: {first}, and {} more", others.len()),
    };
    let minutes = report.time.as_secs_f64() / 60.0;
    table.row(["verdict", &verdict]);
    table.row(["minutes", &format!("{minutes:.0}")]);
    table.row(["seed", &report.seed.to_string()]);
    table.row(["people", &crowd::described()]);
    table.row(["its log, KiB", &(report.log.bytes / 1024).to_string()]);
    table
}

/// As the crowd has counted them: what people and the machine did, what was refused, and what was judged.
fn events(report: &Report) -> Table<2> {
    let mut table = Table::new(["what happened", "times"]);
    for (group, prefix) in [("events", ""), ("refused", "refused: "), ("judged", "judged: ")] {
        for (name, count) in report.told[group].as_object().into_iter().flatten() {
            table.row([&format!("{prefix}{name}"), &count.to_string()]);
        }
    }
    table
}

fn server(report: &Report) -> Table<4> {
    let mut table = Table::new(["the server", "before", "at most", "after"]);
    for (name, of) in FIGURES {
        let numbers = [of(&report.before), report.most(of), of(&report.after)];
        let [before, most, after] = numbers.map(|number| format!("{number:.0}"));
        table.row([name, &before, &most, &after]);
    }
    table
}

fn memory(report: &Report) -> Table<2> {
    let mut table = Table::new(["memory", "MiB"]);
    let at = |time| report.at(time).map_or(f64::NAN, |numbers| numbers.memory);
    let last = report.samples.last().map_or(f64::NAN, |(_, numbers)| numbers.memory);
    for (when, memory) in [
        ("before anybody came", report.before.memory),
        ("at the start", at(Duration::ZERO)),
        ("in the middle", at(report.time / 2)),
        ("at the end", last),
        ("after everybody had gone", report.after.memory),
    ] {
        table.row([when, &format!("{memory:.1}")]);
    }
    if let Some(trend) = report.trend() {
        let minutes = trend.length / 60.0;
        let counts = if report.has_trend() { "" } else { ", too short to count" };
        let over = format!("trend over the last {minutes:.0} minutes{counts}, an hour");
        table.row([&over, &format!("{:+.1}", trend.slope * 3600.0)]);
        table.row(["mean of that time", &format!("{:.1}", trend.mean)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::report::tests::report;

    /// Whether there is such a row.
    fn has(page: &str, cells: &[&str]) -> bool {
        page.lines().any(|line| {
            let row: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            row == cells
        })
    }

    #[test]
    fn it_says_what_happened_and_what_is_left() {
        let page = Page(&report()).to_string();
        for row in [
            &["verdict", "all of it held"][..],
            &["minutes", "30"],
            &["seed", "7"],
            &["people", "2000 sockets in 200 rooms"],
            &["resets", "5"],
            &["refused: store_unavailable", "2"],
            &["judged: messages", "1"],
            &["descriptors", "20", "20", "20"],
            &["before anybody came", "10.0"],
            &["at the start", "50.0"],
            &["mean of that time", "50.4"],
        ] {
            assert!(has(&page, row), "{row:?} in {page}");
        }
    }

    #[test]
    fn it_says_what_did_not_hold() {
        let mut report = report();
        report.after.rooms = 1.0;
        let page = Page(&report).to_string();
        assert!(
            has(&page, &["verdict", "it did not hold: 1 rooms are left, of 0 before"]),
            "{page}"
        );
    }
}
