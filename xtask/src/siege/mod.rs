//! The real `full_app` with its defaults, and 200 honest people who talk in it: first alone, then beside hostile clients.
//!
//! Everybody gets what is documented: the honest ones all of their messages, in time, and each hostile one the answer that its file in `hostile` names.

mod honest;
mod hostile;
mod newcomers;
mod options;
mod report;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::{
    application::{self, Application},
    misused,
    step::{Steps, cargo},
    wire,
};

use self::{
    honest::{Honest, Talk},
    newcomers::{Came, Newcomers},
    report::Report,
};
pub(crate) use hostile::{COMMAND as HOSTILE, run as be_hostile};
pub(crate) use options::HELP;
use options::Options;

/// Besieges, tells, and succeeds where all of it held.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(problem) => return misused(&problem, HELP),
    };
    let mut steps = Steps::default();
    let mut build = cargo(&["build", "--example", "full_app", "--example", "load"]);
    if !options.is_dev {
        build.arg("--release");
    }
    steps.run("build", &mut build);
    steps.check("siege", || besiege(&options).unwrap_or_else(|problem| vec![problem]));
    steps.report()
}

/// A short one, of what the tests have built.
pub(crate) fn step(steps: &mut Steps) {
    steps.check("siege", || besiege(&Options::short()).unwrap_or_else(|problem| vec![problem]));
}

fn besiege(options: &Options) -> Result<Vec<String>, String> {
    let application = Application::start("siege", options.is_dev, &[])?;
    let honest = Honest::enter(&application)?;
    eprintln!("alone for {:?}", options.quiet());
    let quiet = together(&application, &honest, "early", options.quiet())?;
    eprintln!("besieged for {:?}", options.siege);
    let hostile = hostile::start(application.target, options.siege, &options.only)?;
    let besieged = together(&application, &honest, "late", options.siege)?;
    let report = Report {
        quiet,
        besieged,
        hostile: hostile.join()?,
        due: due(options),
        is_timed: !options.is_dev,
        log: application.log(),
    };
    println!("{report}");
    Ok(report.problems())
}

/// The honest ones, those who talk and those who come and go: the same alone and besieged, because rooms that end take their time too.
fn together(
    application: &Application,
    honest: &Honest,
    newcomer: &'static str,
    time: Duration,
) -> Result<(Talk, Came), String> {
    let newcomers = Newcomers::come(application.target, newcomer, Instant::now() + time);
    let talk = honest.talk(application, time)?;
    Ok((talk, newcomers.join()?))
}

/// The names of those who have the time for a round.
fn due(options: &Options) -> Vec<&'static str> {
    let has_time = |attack: &hostile::Attack| attack.takes + LATE < options.siege;
    hostile::named(&options.only).filter(has_time).map(|attack| attack.name).collect()
}

/// So much later than planned a first round may begin.
const LATE: Duration = Duration::from_secs(10);
