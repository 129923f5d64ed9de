//! What all of it was measured on.

use std::{fs, process::Command, thread};

use super::server::is_pinning;

/// One sentence.
pub(super) fn described() -> String {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let pinned = if is_pinning() {
        "the server on one core, the load on another"
    } else {
        "server and load on the same cores"
    };
    format!(
        "{}, {cores} cores, Linux {}, {}; {}; {pinned}.",
        processor(),
        output("uname", &["-r"]),
        output("rustc", &["--version"]),
        output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
    )
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": ")).map(|(_, name)| name.trim());
    name.unwrap_or("a processor without a name").to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("(no {program})"))
}
