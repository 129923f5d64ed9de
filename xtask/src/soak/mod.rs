//! The real `full_app` on an SQLite file, and 2,000 people who live in 200 rooms: they come and go, talk, vanish, stop reading and fall silent, while
//! another program locks the file now and then.
//!
//! All that anybody was told is judged by the oracle, nothing may be left of it in the end, and memory may not grow.

mod crowd;
mod numbers;
mod options;
mod page;
mod report;
mod trend;

use std::{fs, process::ExitCode, thread, time::Duration};

use crate::{
    application::Application,
    chart::{Axes, BLUE, Chart, Line},
    misused,
    step::{Steps, cargo, root},
    workspace,
};

use self::{crowd::Crowd, numbers::Numbers, page::Page, report::Report};
pub(crate) use options::HELP;
use options::Options;

/// The server's numbers are looked at so often.
const SAMPLING: Duration = Duration::from_secs(1);
/// A connection that asks for nothing more is ended after 5 s.
const IDLE: Duration = Duration::from_secs(6);
/// The machine sleeps once, for longer than a client may be silent.
const ASLEEP: Duration = Duration::from_secs(40);
/// What everybody has left comes to its end within this time: half-open connections of a server that is asked nothing, above all.
const REST: Duration = Duration::from_secs(90);
/// The picture has no more points.
const MOST_POINTS: usize = 240;

/// Soaks, tells, and succeeds where all of it held.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(problem) => return misused(&problem, HELP),
    };
    let mut steps = Steps::default();
    for mut build in [
        cargo(&["build", "--example", "full_app"]),
        cargo(&["build", "--package", "chatrooms-crowd"]),
    ] {
        if !options.is_dev {
            build.arg("--release");
        }
        steps.run("build", &mut build);
    }
    steps.check("soak", || soak(&options).unwrap_or_else(|problem| vec![problem]));
    steps.report()
}

fn soak(options: &Options) -> Result<Vec<String>, String> {
    let mut application =
        Application::start("soak", options.is_dev, &["--metrics", "127.0.0.1:0"])?;
    let cookies = application.enter(crowd::USERS, "soaked")?;
    let before = at_first(&application)?;
    eprintln!("{} for {:?}; seed {}", crowd::described(), options.time, options.seed);
    let mut crowd = Crowd::start(&application, &cookies, options)?;
    let (mut samples, mut sleeps_at) = (Vec::new(), options.sleeps_at());
    while !crowd.has_ended()? {
        if sleeps_at.take_if(|at| crowd.elapsed() >= *at).is_some() {
            application.freeze(ASLEEP)?;
        }
        samples.push((crowd.elapsed(), Numbers::of(&application)?));
        thread::sleep(SAMPLING);
    }
    let told = crowd.told()?;
    let after = at_rest(&application, &before)?;
    let log = application.log();
    let ended = application.end();
    application.keep_log(&workspace::target().join("soak.log"))?;
    let Options { time, seed, .. } = *options;
    let report = Report { time, seed, before, after, samples, told, ended, log };
    publish(&report, options)?;
    Ok(report.problems())
}

/// The numbers once they stay as they are: those who have entered are gone, and so are their connections, which need not say so.
fn at_first(application: &Application) -> Result<Numbers, String> {
    let mut numbers = Numbers::of(application)?;
    loop {
        thread::sleep(IDLE);
        let later = Numbers::of(application)?;
        if later.that_return() == numbers.that_return() {
            return Ok(later);
        }
        numbers = later;
    }
}

/// The numbers once they are as they were before, or once there has been time enough for it.
fn at_rest(application: &Application, before: &Numbers) -> Result<Numbers, String> {
    let polls = REST.as_millis() / SAMPLING.as_millis();
    for _ in 0..polls {
        if Numbers::of(application)?.is_back_at(before) {
            break;
        }
        thread::sleep(SAMPLING);
    }
    Numbers::of(application)
}

/// Shows the page, and writes it and the picture; those in `docs` are of a whole run.
fn publish(report: &Report, options: &Options) -> Result<(), String> {
    let page = Page(report).to_string();
    println!("{page}");
    let folder = if options.is_whole() { root().join("docs") } else { workspace::target() };
    for (name, content) in [("soak.md", page), ("soak.svg", drawn(report))] {
        let path = folder.join(name);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn drawn(report: &Report) -> String {
    let step = report.samples.len().div_ceil(MOST_POINTS).max(1);
    let samples = report.samples.iter().step_by(step);
    let points = samples.map(|(time, numbers)| (time.as_secs_f64() / 60.0, numbers.memory));
    let chart = Chart {
        title: "Memory of full_app with 2,000 sockets that come and go",
        across: "minutes",
        up: "MiB",
        axes: Axes::Linear,
        lines: vec![Line {
            name: "full_app",
            colour: BLUE,
            is_dashed: false,
            points: points.collect(),
        }],
    };
    chart.to_svg()
}
