//! A load generator for broadcast servers: one thread, epoll, plain TCP.
//!
//! It looks for a marker of its own in every frame, so that any server that relays a text somewhere can be measured; a profile says how
//! to talk to it.

mod churn;
mod connection;
mod fan_out;
mod figures;
mod histogram;
mod idle;
mod load;
mod marker;
mod options;
mod profile;
mod receiving;
mod sender;
mod server;
mod track;

use std::{error::Error, fs, process::ExitCode};

use clap::Parser;
use serde_json::Value;

use options::{Mode, Options};
use profile::Profile;

type Failure = Box<dyn Error>;

/// Loads a server as the command line says, and prints what came of it.
#[allow(clippy::print_stderr, reason = "a command line tool talks to its terminal")]
#[must_use]
pub fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wsload: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    options.check()?;
    let load = load::Load::new(options, Profile::read(&options.profile)?)?;
    let before = server::load_average();
    let mut figures = match options.mode {
        Mode::Fanout => fan_out::run(load, options)?,
        Mode::Churn => churn::run(load, options)?,
        Mode::Idle => idle::run(load, options)?,
    };
    figures.set("mode", format!("{:?}", options.mode).to_lowercase());
    figures.set("label", options.label.clone());
    figures.set("rooms", options.rooms);
    figures.set("payload", options.payload);
    figures.set("loadavg_before", before);
    figures.set("loadavg_after", server::load_average());
    println!("{} {}", options.label, figures.line);
    if let Some(path) = &options.out {
        let text = serde_json::to_string_pretty(&Value::Object(figures.values))?;
        fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
