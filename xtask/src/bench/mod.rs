//! Every figure that the project tells of itself, measured here: against the floor, against others, and in process.

mod criterion;
mod curves;
mod holding;
mod machine;
mod options;
mod page;
mod peer;
mod ratio;
mod row;
mod server;
mod wsload;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::OnceLock,
};

use crate::{
    install, misused,
    step::{Steps, cargo, root},
    workspace,
};

pub(crate) use options::HELP;
use options::Options;

/// Measures, and writes the page and the pictures.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(problem) => return misused(&problem, HELP),
    };
    let mut steps = Steps::default();
    if options.wants_servers() {
        let examples = ["build", "--release", "--example", "bench_server", "--example", "load"];
        steps.run("build", &mut cargo(&examples));
        let peers = ["build", "--release", "--package", "chatrooms-peers"];
        steps.run("build: what it is measured with and against", &mut cargo(&peers));
        install::uwebsockets();
    }
    let mut page = page::Page::default();
    for row in row::ALL.iter().filter(|row| options.wants(row.name)) {
        steps.check(row.name, || page.add(row, &options));
    }
    for curve in curves::ALL.iter().filter(|curve| options.wants(curve.name)) {
        steps.check(curve.name, || page.draw(curve, &options));
    }
    if options.wants(holding::NAME) {
        steps.check(holding::NAME, || page.hold(&options));
    }
    if options.wants(criterion::NAME) {
        steps.run(criterion::NAME, &mut criterion::command(options.is_quick));
        page.in_process = criterion::times();
    }
    steps.check("write", || page.write(&options, &folder(&options)).err().into_iter().collect());
    steps.report()
}

/// The page in `docs` is of a whole run; any other leaves it alone.
fn folder(options: &Options) -> PathBuf {
    if options.is_whole() { root().join("docs") } else { work() }
}

/// Where runs leave what nobody keeps.
fn work() -> PathBuf {
    let folder = target().join("bench");
    // Where it cannot be made, writing to it says so.
    let _ = fs::create_dir_all(&folder);
    folder
}

/// The folder that cargo builds into, asked for once.
fn target() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(workspace::target)
}
