//! The people: a process of their own, which judges what it was told.

use std::{
    io,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{application::Application, open_files, workspace};

use super::{ASLEEP, options::Options};

/// In each of them are four rooms.
const HOUSES: usize = 50;
const ROOMS: usize = 4 * HOUSES;
/// Sockets in each.
const GUESTS: usize = 40;
/// Two sockets are one user's, and one more user has the last word in each house.
pub(super) const USERS: usize = HOUSES * (GUESTS / 2 + 1);
/// After its time, for those who still wait for something.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn described() -> String {
    format!("{} sockets in {ROOMS} rooms", HOUSES * GUESTS)
}

/// A server pings after 25 s, waits 10 s for the answer and 5 s for the end; where it has slept itself it begins anew.
fn silent(options: &Options) -> Duration {
    const LET_GO: Duration = Duration::from_secs(45);
    match options.sleeps_at() {
        Some(_) => LET_GO + ASLEEP + LET_GO,
        None => LET_GO,
    }
}

/// The process. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Crowd {
    process: Child,
    began: Instant,
    most: Duration,
}

impl Crowd {
    pub(super) fn start(
        application: &Application,
        cookies: &Path,
        options: &Options,
    ) -> Result<Self, String> {
        let plan = json!({
            "address": application.target.0.to_string(),
            "seconds": options.time.as_secs(),
            "seed": options.seed,
            "houses": HOUSES,
            "guests": GUESTS,
            "silent_seconds": silent(options).as_secs(),
            "cookies": cookies,
            "database": application.file("chatrooms.db"),
        });
        let profile = if options.is_dev { "debug" } else { "release" };
        let mut command = Command::new(workspace::target().join(profile).join("chatrooms-crowd"));
        command.arg(plan.to_string());
        let mut command = open_files::as_many_as_allowed(&command);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let process = command.spawn().map_err(told)?;
        Ok(Self { process, began: Instant::now(), most: options.time + PATIENCE })
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn has_ended(&mut self) -> Result<bool, String> {
        if self.elapsed() > self.most {
            return Err("the crowd does not end".to_owned());
        }
        Ok(self.process.try_wait().map_err(told)?.is_some())
    }

    /// What it says at its end.
    pub(super) fn told(mut self) -> Result<Value, String> {
        let said = self.process.stdout.take().map(io::read_to_string);
        let said = said.ok_or_else(|| "the crowd says nothing".to_owned())?.map_err(told)?;
        serde_json::from_str(&said).map_err(|error| format!("the crowd: {error}"))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It fails for one that has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn told(error: io::Error) -> String {
    format!("the crowd: {error}")
}
