//! Many connections, held for long with talk among them: what that takes of memory from minute to minute, and how late messages are.

use std::{
    fmt, fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::memory;

use super::{
    peer::{KEPT, Peer},
    server::{Priority, Server, on_cpu},
    target, work,
};

pub(super) const NAME: &str = "holding";

/// More memory than this, over what the first tenth of the time took, is growth.
const NOISE: f64 = 1.05;

/// The server's memory is looked at so often.
const SAMPLING: Duration = Duration::from_millis(500);

/// How many, and for how long.
#[derive(Clone, Copy, Debug)]
struct Load {
    connections: usize,
    rooms: usize,
    /// Messages a second, by all of them.
    rate: usize,
    seconds: u64,
}

/// A process may have 20,000 open files on many machines.
const WHOLE: Load = Load { connections: 18_000, rooms: 1_800, rate: 1_800, seconds: 600 };
const QUICK: Load = Load { connections: 900, rooms: 90, rate: 900, seconds: 10 };

impl Load {
    /// Seconds until every room is full of messages, and a few more.
    const fn warm_up(self) -> usize {
        KEPT * self.rooms / self.rate * 6 / 5 + 1
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Held {
    load: Load,
    /// Seconds of talk, and what the server took of memory then, in MiB.
    memory: Vec<(u64, f64)>,
    result: Value,
}

impl Held {
    pub(super) fn measure(is_quick: bool) -> Result<Self, String> {
        let load = if is_quick { QUICK } else { WHOLE };
        let server = Server::start(Peer::ChatroomsKeepingFew, Priority::Usual)?;
        let out = work().join("held.json");
        let mut command = Command::new(target().join("release/examples/load"));
        command.arg(format!("ws://127.0.0.1:{}/chat/ws", server.port));
        for (option, value) in [
            ("--connections", load.connections),
            ("--rooms", load.rooms),
            ("--rate", load.rate),
            ("--warm-up", load.warm_up()),
            ("--duration", usize::try_from(load.seconds).unwrap_or(usize::MAX)),
        ] {
            command.arg(option).arg(value.to_string());
        }
        // One address has too few ports.
        command.args(["--from", "127.0.0.1", "--from", "127.0.0.2", "--json"]).arg(&out);
        let told = |error: std::io::Error| format!("{NAME}: {error}");
        let mut running = on_cpu(1, Priority::Usual, &command).spawn().map_err(told)?;
        let mut samples = Vec::new();
        let status = loop {
            if let Some(status) = running.try_wait().map_err(told)? {
                break status;
            }
            samples.push((Instant::now(), memory::mebibytes(server.process()).unwrap_or_default()));
            thread::sleep(SAMPLING);
        };
        if !status.success() {
            return Err(format!("{NAME}: load failed"));
        }
        let text = fs::read_to_string(&out).map_err(told)?;
        let result = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self { load, memory: by_tenths(&samples, load.seconds), result })
    }

    /// Where there is none, nothing may be concluded from it: no number compares with it.
    fn figure(&self, path: &str) -> f64 {
        let value = path.split('.').fold(&self.result, |value, part| &value[part]);
        value.as_f64().unwrap_or(f64::NAN)
    }

    /// What is not as it is promised.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for name in ["copies.lost", "copies.duplicated", "copies.reordered", "messages.stalls"] {
            let count = self.figure(name);
            if count != 0.0 {
                problems.push(format!("{name}: {count}"));
            }
        }
        let (arrived, expected) = (self.figure("copies.arrived"), self.figure("copies.expected"));
        if arrived == 0.0 || arrived != expected {
            problems.push(format!("{arrived} copies arrived of {expected}"));
        }
        let held = self.figure("connections.joined");
        let disconnected = self.result["connections"]["disconnected"].to_string();
        if held != self.load.connections as f64 || disconnected != "{}" {
            problems.push(format!("{held} connections were held; disconnected: {disconnected}"));
        }
        let memory = || self.memory.iter().map(|(_, memory)| *memory);
        let (first, most) = (memory().next().unwrap_or_default(), memory().fold(0.0, f64::max));
        if self.memory.len() != 10 || memory().any(|memory| memory <= 0.0) {
            problems.push("the server's memory could not be read all the time".to_owned());
        } else if most > first * NOISE {
            problems.push(format!("memory grew from {first:.0} to {most:.0} MiB"));
        }
        problems
    }
}

/// The most of each tenth of the last so many seconds, with the seconds at its end. The talk ends a little before the samples do: what is freed then is
/// not the most.
fn by_tenths(samples: &[(Instant, f64)], seconds: u64) -> Vec<(u64, f64)> {
    let Some((end, _)) = samples.last() else { return Vec::new() };
    let tenth = |number: u64| {
        let at = |number| *end - Duration::from_secs(seconds - seconds * number / 10);
        let (from, to) = (at(number - 1), at(number));
        let taken = samples.iter().filter(|(time, _)| (from..=to).contains(time));
        let most = taken.map(|(_, memory)| *memory).reduce(f64::max)?;
        Some((seconds * number / 10, most))
    };
    (1..=10).filter_map(tenth).collect()
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Load { rooms, rate, seconds, .. } = self.load;
        write!(
            f,
            "\n## Held\n\n`cargo xtask bench --only {NAME}`: {} connections in {rooms} rooms for {seconds} s, with {rate} messages a second \
             among them; a room keeps its newest {KEPT}. The memory store, in axum. {} copies arrived, {} were lost, {} doubled, {} reordered.\n\n",
            self.figure("connections.joined"),
            self.figure("copies.arrived"),
            self.figure("copies.lost"),
            self.figure("copies.duplicated"),
            self.figure("copies.reordered"),
        )?;
        let row = |f: &mut fmt::Formatter<'_>, cells: Vec<String>| {
            writeln!(f, "| {} |", cells.join(" | "))
        };
        row(
            f,
            [vec!["after".to_owned()], self.memory.iter().map(|(s, _)| format!("{s} s")).collect()]
                .concat(),
        )?;
        row(f, vec!["---:".to_owned(); self.memory.len() + 1])?;
        row(
            f,
            [vec!["MiB".to_owned()], self.memory.iter().map(|(_, m)| format!("{m:.0}")).collect()]
                .concat(),
        )?;
        let quantiles = ["p50", "p90", "p99", "p99.9", "max"];
        writeln!(f)?;
        row(f, [vec!["latency".to_owned()], quantiles.map(str::to_owned).to_vec()].concat())?;
        row(f, vec!["---:".to_owned(); quantiles.len() + 1])?;
        let latency =
            |of: &str, name: &str| self.result["latency_ms"][of][name].as_f64().unwrap_or_default();
        for (of, what) in [("message", "a message, ms"), ("join", "a join, ms")] {
            let times = quantiles.map(|name| format!("{:.2}", latency(of, name)));
            row(f, [vec![what.to_owned()], times.to_vec()].concat())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(memory: &[(u64, f64)], result: &str) -> Held {
        let result = serde_json::from_str(result).expect("it is JSON");
        Held { load: QUICK, memory: memory.to_vec(), result }
    }

    const CLEAN: &str = r#"{"connections":{"joined":900,"disconnected":{}},"messages":{"stalls":0},
        "copies":{"arrived":7,"expected":7,"lost":0,"duplicated":0,"reordered":0}}"#;

    fn flat() -> Vec<(u64, f64)> {
        (1..=10).map(|second| (second, 100.0)).collect()
    }

    #[test]
    fn what_was_lost_and_what_grew_are_problems() {
        assert_eq!(held(&flat(), CLEAN).problems(), [""; 0]);
        let mut growing = flat();
        growing[7].1 = 106.0;
        assert_eq!(held(&growing, CLEAN).problems(), ["memory grew from 100 to 106 MiB"]);
        let lost = CLEAN.replace("\"lost\":0", "\"lost\":3");
        assert_eq!(held(&flat(), &lost).problems(), ["copies.lost: 3"]);
        let gone = CLEAN.replace("{}", "{\"1006\":1}");
        assert!(held(&flat(), &gone).problems()[0].contains("1006"));
        assert_eq!(held(&flat(), &CLEAN.replace("900", "899")).problems().len(), 1);
    }

    #[test]
    fn what_was_not_measured_is_a_problem() {
        assert_eq!(held(&flat(), "{}").problems().len(), 6);
        assert_eq!(held(&flat(), &CLEAN.replace('7', "0")).problems().len(), 1);
        assert_eq!(held(&flat()[1..], CLEAN).problems().len(), 1);
        let mut unread = flat();
        unread[3].1 = 0.0;
        assert_eq!(held(&unread, CLEAN).problems().len(), 1);
    }

    #[test]
    fn samples_are_told_by_tenths_of_the_talk_at_the_end() {
        let start = Instant::now();
        let samples: Vec<_> = (0..=150_u32)
            .map(|second| (start + Duration::from_secs(second.into()), f64::from(second)))
            .collect();
        let told = by_tenths(&samples, 100);
        assert_eq!((told[0], told[4], told[9]), ((10, 60.0), (50, 100.0), (100, 150.0)));
        assert_eq!(told.len(), 10);
        assert!(by_tenths(&[], 100).is_empty());
    }

    #[test]
    fn it_is_told_as_two_tables() {
        let text = held(&[(1, 100.0), (10, 104.0)], CLEAN).to_string();
        assert!(text.contains("| after | 1 s | 10 s |") && text.contains("| MiB | 100 | 104 |"));
        assert!(text.contains("| latency | p50 |") && text.contains("7 copies arrived"));
    }
}
