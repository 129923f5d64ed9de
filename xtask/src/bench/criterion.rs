//! The benchmarks in process, which criterion runs and keeps.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::target;
use crate::step::cargo;

/// What they are called all together.
pub(super) const NAME: &str = "in-process";

/// What one of them has come to.
#[derive(Debug)]
pub(super) struct Time {
    pub(super) name: String,
    /// Nanoseconds for each of what it does.
    pub(super) each: f64,
    /// How many that is in one round.
    elements: f64,
    /// Over the same in a bare map, which tells nobody: where nobody has to be told.
    pub(super) ratio: Option<f64>,
}

/// What a join and the leave after it may cost over the same in a bare map, where nobody stays.
const OVER_BARE: f64 = 8.0;
/// What 99 of 100 joins may take while 10,000 are being sent to, in nanoseconds.
const UNDER_BROADCAST: f64 = 1e7;

impl Time {
    /// What is to be reached, and whether it was missed.
    pub(super) fn goal(&self) -> Option<(String, bool)> {
        if let Some(ratio) = self.ratio {
            return Some((format!("≤ {OVER_BARE}"), ratio > OVER_BARE));
        }
        let is_p99 = self.name.starts_with("join_under_broadcast/") && self.name.ends_with("/p99");
        is_p99.then(|| ("≤ 10 ms".to_owned(), self.each > UNDER_BROADCAST))
    }
}

/// Runs them all, and forgets what an earlier run left.
pub(super) fn command(is_quick: bool) -> Command {
    // Most of the time, in the end, it is not there.
    let _ = fs::remove_dir_all(target().join("criterion"));
    let mut command = cargo(&["bench", "--package", "chatrooms", "--bench", "*"]);
    command.env("CARGO_TARGET_DIR", target());
    if is_quick {
        command.args(["--", "--quick"]);
    }
    command
}

/// By name.
pub(super) fn times() -> Vec<Time> {
    let mut folders = Vec::new();
    find(&target().join("criterion"), &mut folders);
    let mut times: Vec<Time> = folders.iter().filter_map(|folder| read(folder)).collect();
    times.sort_by(|one, other| one.name.cmp(&other.name));
    let each: Vec<(String, f64)> =
        times.iter().map(|time| (time.name.clone(), time.each)).collect();
    for time in &mut times {
        let bare = time.name.replace("/chatrooms/", "/bare/");
        let bare = each.iter().find(|(name, _)| *name == bare && *name != time.name);
        time.ratio = bare.filter(|_| time.elements == 1.0).map(|(_, bare)| time.each / bare);
    }
    times
}

/// The folders of the newest runs.
fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.ends_with("new") {
            found.push(path);
        } else if path.is_dir() {
            find(&path, found);
        }
    }
}

fn read(folder: &Path) -> Option<Time> {
    let read = |name| serde_json::from_str(&fs::read_to_string(folder.join(name)).ok()?).ok();
    let (benchmark, estimates): (Value, Value) = (read("benchmark.json")?, read("estimates.json")?);
    let elements = benchmark["throughput"]["Elements"].as_f64().unwrap_or(1.0);
    let name = benchmark["full_id"].as_str()?.to_owned();
    let each = estimates["median"]["point_estimate"].as_f64()? / elements;
    Some(Time { name, each, elements, ratio: None })
}
