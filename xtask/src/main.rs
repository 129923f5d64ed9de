//! The project's own chores. `cargo xtask help` lists them.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod install;
mod step;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test     installs what the tests need (Debian and npm packages), then checks and tests everything
cargo xtask help     this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["test"] => test::run(),
        ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{HELP}");
            ExitCode::FAILURE
        }
    }
}
