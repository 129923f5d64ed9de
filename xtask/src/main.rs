//! The project's own chores. `cargo xtask help` lists them.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod application;
mod audit;
mod bench;
mod chart;
mod features;
mod includes;
mod install;
mod instructions;
mod manifest;
mod memory;
mod open_files;
mod prove;
mod seed;
mod siege;
mod soak;
mod step;
mod table;
mod test;
mod wire;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test                  installs what the tests need (Debian and npm packages), then checks and tests everything
cargo xtask audit                 before a release: licences, bans and sources of all dependencies, foreign types in public APIs,
                                  the documentation as docs.rs builds it, and every package compiled from its own files
cargo xtask audit --advisories    the same, and the RustSec advisories, which are fetched from GitHub
cargo xtask instructions          counts the instructions of the hot operations, and holds them to what was committed
cargo xtask instructions --update writes what is to be committed
cargo xtask help                  this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let [command, options @ ..] = &arguments[..]
        && asks_for_help(options)
        && let Some(help) = help_of(command)
    {
        println!("{help}");
        return ExitCode::SUCCESS;
    }
    match arguments[..] {
        ["test"] => test::run(),
        ["audit"] => audit::run(audit::Advisories::Leave),
        ["audit", "--advisories"] => audit::run(audit::Advisories::Fetch),
        ["instructions"] => instructions::run(instructions::Then::Compare),
        ["instructions", "--update"] => instructions::run(instructions::Then::Update),
        ["bench", ref options @ ..] => bench::run(options),
        ["siege", ref options @ ..] => siege::run(options),
        ["soak", ref options @ ..] => soak::run(options),
        ["prove", ref options @ ..] => prove::run(options),
        // Not for people: the siege starts this.
        [siege::HOSTILE, ref rest @ ..] => siege::be_hostile(rest),
        ["help" | "--help" | "-h"] => {
            println!("{}", help());
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{}", help());
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong with a command's options, and what they are.
fn misused(problem: &str, help: &str) -> ExitCode {
    eprintln!("{problem}\n\n{help}");
    ExitCode::FAILURE
}

fn help() -> String {
    [HELP, bench::HELP, siege::HELP, soak::HELP, &prove::help()].join("\n")
}

fn asks_for_help(options: &[&str]) -> bool {
    options.iter().any(|&option| option == "--help" || option == "-h")
}

/// What a command is for, and its options.
fn help_of(command: &str) -> Option<String> {
    Some(match command {
        "test" | "audit" | "instructions" => HELP.to_owned(),
        "bench" => bench::HELP.to_owned(),
        "siege" => siege::HELP.to_owned(),
        "soak" => soak::HELP.to_owned(),
        "prove" => prove::help(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_help_that_names_it() {
        let all = help();
        let named = all.lines().filter_map(|line| line.strip_prefix("cargo xtask "));
        let commands = named.filter_map(|line| line.split(' ').next());
        for command in commands.filter(|&command| command != "help") {
            let help = help_of(command).unwrap_or_default();
            assert!(help.contains(&format!("cargo xtask {command}")), "{command}: {help}");
        }
        assert!(asks_for_help(&["--quick", "--help"]) && !asks_for_help(&["--quick"]));
        assert_eq!(help_of(siege::HOSTILE), None, "its options are not a person's");
    }
}
