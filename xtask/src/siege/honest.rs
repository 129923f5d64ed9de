//! The honest ones: people with a cookie each who talk in some rooms, and count what reaches them.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::memory;

use super::application::Application;

pub(super) const PEOPLE: usize = 200;
const ROOMS: usize = 10;
/// Messages a second, by all of them: each says something once a second.
const RATE: usize = 200;
/// Seconds of talk that do not count.
const WARM_UP: usize = 2;
/// The server's memory is looked at so often.
const SAMPLING: Duration = Duration::from_millis(500);

/// People who have entered.
#[derive(Debug)]
pub(super) struct Honest {
    /// The file with a cookie of each.
    cookies: PathBuf,
}

/// What came of it when they talked.
#[derive(Debug)]
pub(super) struct Talk {
    /// What the load tester told.
    pub(super) result: Value,
    /// The most of the server's memory meanwhile, in MiB.
    pub(super) memory: f64,
}

impl Honest {
    /// Has everybody enter by the form, and keep the cookie.
    pub(super) fn enter(application: &Application) -> Result<Self, String> {
        application.enter(PEOPLE, "honest").map(|cookies| Self { cookies })
    }

    /// Has them come in, talk for so long, and go.
    pub(super) fn talk(&self, application: &Application, time: Duration) -> Result<Talk, String> {
        let out = application.file("talk.json");
        let mut load = application.example("load");
        load.arg(format!("ws://{}/chat/ws", application.target.0));
        load.args(["--query", "", "--room", "honest"]);
        load.arg("--cookies").arg(&self.cookies).arg("--json").arg(&out);
        for (option, value) in [
            ("--connections", PEOPLE),
            ("--rooms", ROOMS),
            ("--senders", PEOPLE / ROOMS),
            ("--rate", RATE),
            ("--warm-up", WARM_UP),
            ("--duration", time.as_secs() as usize),
        ] {
            load.arg(option).arg(value.to_string());
        }
        let told = |error: std::io::Error| format!("load: {error}");
        let mut running = load.spawn().map_err(told)?;
        let (began, mut most) = (Instant::now(), 0.0_f64);
        // What it ends with is in its result, unless there is none.
        while running.try_wait().map_err(told)?.is_none() {
            match memory::mebibytes(application.process()) {
                Some(memory) => most = most.max(memory),
                None => return Err("full_app has ended, or its memory cannot be read".to_owned()),
            }
            if began.elapsed() > time + OVER {
                let _ = running.kill();
                return Err("load does not end".to_owned());
            }
            thread::sleep(SAMPLING);
        }
        let text = fs::read_to_string(&out).map_err(told)?;
        let _ = fs::remove_file(&out);
        let result = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Talk { result, memory: most })
    }
}

/// Coming in, warming up and waiting for the last message take less.
const OVER: Duration = Duration::from_secs(60);

impl Talk {
    /// Where there is none, nothing may be concluded from it: no number compares with it.
    pub(super) fn figure(&self, path: &str) -> f64 {
        let value = path.split('.').fold(&self.result, |value, part| &value[part]);
        value.as_f64().unwrap_or(f64::NAN)
    }

    /// How late a copy was, in ms.
    pub(super) fn latency(&self, quantile: &str) -> f64 {
        self.result["latency_ms"]["message"][quantile].as_f64().unwrap_or(f64::NAN)
    }

    /// What an honest one did not get, or got otherwise than promised.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for name in ["copies.lost", "copies.duplicated", "copies.reordered"] {
            let count = self.figure(name);
            if count != 0.0 {
                problems.push(format!("honest: {name}: {count}"));
            }
        }
        let (arrived, expected) = (self.figure("copies.arrived"), self.figure("copies.expected"));
        if arrived == 0.0 || arrived != expected {
            problems.push(format!("honest: {arrived} copies arrived of {expected}"));
        }
        let (sent, accepted) = (self.figure("messages.sent"), self.figure("messages.accepted"));
        if sent != accepted {
            problems.push(format!("honest: {accepted} messages were accepted of {sent}"));
        }
        for (group, name) in [
            ("connections", "refused"),
            ("connections", "not_let_in"),
            ("connections", "disconnected"),
            ("messages", "refused"),
        ] {
            let reasons = self.result[group][name].to_string();
            if reasons != "{}" {
                problems.push(format!("honest: {group} {name}: {reasons}"));
            }
        }
        if self.figure("connections.joined") != PEOPLE as f64 {
            problems.push(format!("honest: {} came in", self.figure("connections.joined")));
        }
        problems
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const CLEAN: &str = r#"{"connections":{"joined":200,"disconnected":{},"refused":{},"not_let_in":{}},
        "messages":{"sent":9,"accepted":9,"refused":{}},"latency_ms":{"message":{"p99":2.0}},
        "copies":{"arrived":7,"expected":7,"lost":0,"duplicated":0,"reordered":0}}"#;

    pub(in super::super) fn talk(result: &str) -> Talk {
        Talk { result: serde_json::from_str(result).expect("it is JSON"), memory: 20.0 }
    }

    #[test]
    fn whatever_an_honest_one_misses_is_a_problem() {
        assert_eq!(talk(CLEAN).problems(), [""; 0]);
        for (clean, harmed) in [
            ("\"lost\":0", "\"lost\":1"),
            ("\"reordered\":0", "\"reordered\":1"),
            ("\"accepted\":9", "\"accepted\":8"),
            ("\"arrived\":7", "\"arrived\":0"),
            ("\"joined\":200", "\"joined\":199"),
            ("\"disconnected\":{}", "\"disconnected\":{\"bye: slow_consumer\":1}"),
            ("\"accepted\":9,\"refused\":{}", "\"accepted\":9,\"refused\":{\"busy\":1}"),
        ] {
            assert!(CLEAN.contains(clean));
            assert_eq!(talk(&CLEAN.replace(clean, harmed)).problems().len(), 1, "{harmed}");
        }
        assert!(!talk("{}").problems().is_empty(), "what was not measured");
    }
}
