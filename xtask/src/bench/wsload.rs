//! One run of the load generator against one server.

use std::{fs, process::Command};

use serde_json::Value;

use super::{
    peer::Peer,
    server::{Priority, Server, on_cpu},
    target, work,
};
use crate::step::root;

/// What must be 0 of a server that promises it.
const PROMISED: [&str; 8] =
    ["lost", "duplicated", "out_of_order", "misrouted", "stalls", "gone", "failed", "hung"];

/// What came of a run.
#[derive(Debug)]
pub(super) struct Run(Value);

impl Run {
    /// Starts a server of its own for each run.
    pub(super) fn of(peer: Peer, arguments: &[String], is_quick: bool) -> Result<Self, String> {
        // In the open loop it is time that is measured.
        let is_open = arguments.iter().any(|argument| argument == "--rate");
        let priority = if is_open { Priority::RealTime } else { Priority::Usual };
        let server = Server::start(peer, priority)?;
        let out = work().join("run.json");
        let mut load = Command::new(target().join("release/wsload"));
        load.args(["--addr", &format!("127.0.0.1:{}", server.port)]);
        load.args(["--pid", &server.process().to_string(), "--label", peer.name()]);
        load.arg("--profile").arg(root().join("benches/peers/profiles").join(peer.profile()));
        load.args(arguments);
        // A message to everybody takes all copies along: of a few dozen messages the worst one alone would be the 99th percentile.
        let measured = if is_open { "6" } else { "1.5" };
        let seconds = if is_quick { ["0.5", "0.2"] } else { [measured, "0.5"] };
        load.args(["--secs", seconds[0], "--warm", seconds[1], "--settle", "0.3"]);
        load.arg("--out").arg(&out);
        let status =
            on_cpu(1, priority, &load).status().map_err(|error| format!("wsload: {error}"))?;
        if !status.success() {
            return Err(format!("{}: wsload failed", peer.name()));
        }
        let text = fs::read_to_string(&out).map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map(Self).map_err(|error| error.to_string())
    }

    /// A figure by its name, with a point between outer and inner; 0 is none.
    pub(super) fn figure(&self, name: &str) -> Option<f64> {
        let value = name.split('.').fold(&self.0, |value, part| &value[part]);
        value.as_f64().filter(|figure| figure.is_normal())
    }

    /// The share of copies that did not come.
    pub(super) fn lost(&self) -> f64 {
        let expected = self.figure("expected_total").unwrap_or(1.0);
        self.figure("lost").unwrap_or_default() / expected
    }

    /// What a server broke of its promises.
    pub(super) fn broken(&self) -> Vec<String> {
        let broken = PROMISED.iter().filter_map(|name| Some((name, self.figure(name)?)));
        let error = self.0["first_error"].as_str().unwrap_or_default();
        broken.map(|(name, count)| format!("{name}: {count} {error}")).collect()
    }
}
