//! A load tester for your own deployment: people who join rooms, talk, come and go, and count what reaches them.
//!
//! ```sh
//! cargo run --release --example bench_server &
//! cargo run --release --example load -- ws://127.0.0.1:7000/chat/ws --connections 1000 --rooms 10 --senders 2
//! cargo run --release --example load -- ws://127.0.0.1:7000/chat/ws --connections 100 --rate 50 --churn 20 --json -
//! ```
//!
//! Who they are is up to your authenticator: `--user` names them, and goes where `{user}` stands in `--query`, `--header` and `--cookie`. What
//! makes it end with an error stands at the end of `--help`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod churn;
mod failure;
mod files;
mod latency;
mod marker;
mod member;
mod options;
mod output;
mod progress;
mod report;
mod run;
mod sending;
mod socket;
mod target;
mod track;

use std::process::ExitCode;

use clap::Parser;

use failure::Failure;
use options::Options;
use output::Output;

#[tokio::main]
async fn main() -> ExitCode {
    match measure(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("load: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether nothing was found at fault.
async fn measure(options: Options) -> Result<bool, Failure> {
    options.check()?;
    files::check(&options)?;
    let output = Output::open(&options)?;
    let is_idle = options.idle;
    let report = run::run(options).await?;
    output.write(&report)?;
    if report.has_measured(is_idle) {
        Ok(report.faults().is_empty())
    } else {
        Err(Failure::Other(
            "nothing was measured: nobody joined, or nothing was accepted".to_owned(),
        ))
    }
}
