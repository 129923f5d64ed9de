//! What the tests need beside the Rust toolchain, installed where it is missing.

use std::process::{Command, Stdio};

use crate::step::{Steps, cargo, program, root};

/// A program, what it can be asked to see whether it is there, and the Debian package that brings it.
const PROGRAMS: [(&str, &str, &str); 8] = [
    ("chromium", "--version", "chromium"),
    FAKETIME,
    ("node", "--version", "nodejs"),
    ("npm", "--version", "npm"),
    ("openssl", "version", "openssl"),
    ("python3", "--version", "python3"),
    REDIS,
    VALGRIND,
];

const FAKETIME: (&str, &str, &str) = ("faketime", "--version", "faketime");
const VALGRIND: (&str, &str, &str) = ("valgrind", "--version", "valgrind");
const REDIS: (&str, &str, &str) = ("redis-server", "--version", "redis-server");

/// Where the Python client's packages live.
pub(crate) const PYTHON: &str = "target/foreign/bin/python";

/// Where uWebSockets lives, which needs a Python of its own.
pub(crate) const UWEBSOCKETS: &str = "target/uwebsockets/bin/python";

/// Installs Debian, npm and Python packages that are not there.
pub(crate) fn everything(steps: &mut Steps) {
    debian(steps);
    steps.run(
        "install: npm packages of the browser tests",
        &mut program("npm", &["ci", "--no-audit", "--no-fund"], "tests/browser"),
    );
    python(steps);
}

fn debian(steps: &mut Steps) {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, question, _)| !is_there(program, question))
        .map(|(_, _, package)| *package)
        .collect();
    if !Command::new("python3")
        .args(["-c", "import ensurepip"])
        .status()
        .is_ok_and(|status| status.success())
    {
        missing.push("python3-venv");
    }
    install(steps, missing);
}

/// What counts instructions.
pub(crate) fn valgrind(steps: &mut Steps) {
    one(steps, VALGRIND);
}

/// What puts clocks forward and back.
pub(crate) fn faketime(steps: &mut Steps) {
    one(steps, FAKETIME);
}

/// What nodes share.
pub(crate) fn redis(steps: &mut Steps) {
    one(steps, REDIS);
}

fn one(steps: &mut Steps, (program, question, package): (&str, &str, &str)) {
    install(steps, if is_there(program, question) { vec![] } else { vec![package] });
}

fn install(steps: &mut Steps, missing: Vec<&str>) {
    if missing.is_empty() {
        return;
    }
    steps.run("install: package lists", &mut apt(&["update"]));
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(missing);
    steps.run("install: Debian packages", &mut apt(&arguments));
}

/// `apt-get`, which asks nothing; through `sudo` where this is not root.
fn apt(arguments: &[&str]) -> Command {
    let is_root = is_root();
    let mut command = if is_root { Command::new("apt-get") } else { Command::new("sudo") };
    if !is_root {
        command.arg("apt-get");
    }
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn python(steps: &mut Steps) {
    if !root().join(PYTHON).exists() {
        steps.run(
            "install: a Python environment",
            &mut program("python3", &["-m", "venv", "target/foreign"], ""),
        );
    }
    let arguments =
        ["-m", "pip", "install", "--quiet", "--requirement", "tests/foreign/requirements.txt"];
    steps.run("install: a WebSocket client from elsewhere", &mut program(PYTHON, &arguments, ""));
}

/// uWebSockets, by socketify, for comparison: where it cannot be had, the comparison says so, and nothing else fails.
pub(crate) fn uwebsockets() {
    if has_uwebsockets() {
        return;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
    let mut install = program(UWEBSOCKETS, &pip, "");
    install.arg("benches/peers/socketify/requirements.txt");
    let steps = [
        &mut apt(&["install", "--yes", "--no-install-recommends", "libuv1", "python3-venv"]),
        &mut program("python3", &["-m", "venv", "target/uwebsockets"], ""),
        &mut install,
    ];
    for step in steps {
        // What matters is whether it is there in the end.
        let _ = step.status();
    }
}

/// Whether uWebSockets can be run.
pub(crate) fn has_uwebsockets() -> bool {
    let mut import = program(UWEBSOCKETS, &["-c", "import socketify"], "");
    let status = import.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A program from crates.io, in the version that is known to work here; cargo knows whether it has it already.
pub(crate) fn tool(steps: &mut Steps, name_and_version: &str) {
    let install = ["install", "--locked", "--root", "target/tools", name_and_version];
    steps.run(&format!("install: {name_and_version}"), &mut cargo(&install));
}

/// A program that [`tool`] has installed, to be run in a folder.
pub(crate) fn installed(name: &str, folder: &str) -> Command {
    let path = root().join("target/tools/bin").join(name);
    program(&path.to_string_lossy(), &[], folder)
}

fn is_there(program: &str, argument: &str) -> bool {
    let status =
        Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
