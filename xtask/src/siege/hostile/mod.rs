//! The hostile clients: a process of their own at the lowest priority, and in it a thread for each, which does the same thing again and again.

mod answering;
mod attack;
mod control_frames;
mod cookies;
mod deaf;
mod fields;
mod fragments;
mod gone;
mod granted;
mod half_open;
mod hoarding;
mod lengths;
mod logouts;
mod looking;
mod malformed;
mod messages;
mod methods;
mod names;
mod no_http;
mod no_websocket;
mod origins;
mod oversized;
mod requests;
mod rooms;
mod sessions;
mod silent;
mod slow_body;
mod slow_frame;
mod strangers;
mod tally;
mod torn;
mod unread;
mod violations;

use std::{
    env, fs, io,
    path::PathBuf,
    process::{self, Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::wire::{Target, User};
use attack::Attacker;
pub(super) use attack::{ALL, Attack};
pub(super) use tally::Tally;

/// By this name the process is started.
pub(crate) const COMMAND: &str = "siege-hostile-clients";

/// The process, which ends by itself, and with this.
#[derive(Debug)]
pub(super) struct Hostile(Child);

impl Drop for Hostile {
    fn drop(&mut self) {
        // It fails for one that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Those with this in their name.
pub(super) fn named(text: &str) -> impl Iterator<Item = Attack> {
    ALL.into_iter().filter(move |attack| attack.name.contains(text))
}

/// Starts those with this in their name, for so long.
pub(super) fn start(target: Target, time: Duration, only: &str) -> Result<Hostile, String> {
    let told = |error: std::io::Error| format!("hostile clients: {error}");
    // In a session of their own, because Linux groups what it schedules by sessions and a nice value counts within a group: beside everything else,
    // such as the kernel's threads that write to the disk, hostile clients would not be nice at all. `run` has the group be so, too.
    let mut command = Command::new("setsid");
    // More than there is, so that it is the lowest there is, wherever this process stands.
    command.args(["nice", "-n", "39"]).arg(this_program().map_err(told)?);
    command.args([COMMAND, &target.0.to_string(), &time.as_secs().to_string(), only]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map(Hostile).map_err(told)
}

/// Where this program is. Its file may have been replaced: the tests build it anew while it runs.
fn this_program() -> io::Result<PathBuf> {
    let running = PathBuf::from(format!("/proc/{}/exe", process::id()));
    if running.exists() { Ok(running) } else { env::current_exe() }
}

impl Hostile {
    /// What each of them got.
    pub(super) fn join(mut self) -> Result<Vec<Tally>, String> {
        let said = self.0.stdout.take().and_then(|stdout| io::read_to_string(stdout).ok());
        let said: Option<Value> = said.and_then(|said| serde_json::from_str(&said).ok());
        let tallies = said.as_ref().and_then(Value::as_array);
        let tallies: Option<Vec<_>> = tallies.and_then(|all| all.iter().map(Tally::read).collect());
        tallies.ok_or_else(|| "the hostile clients did not say what they got".to_owned())
    }
}

/// The process itself: address, seconds and who.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let [address, seconds, only] = arguments else { return ExitCode::FAILURE };
    let (Ok(address), Ok(seconds)) = (address.parse(), seconds.parse()) else {
        return ExitCode::FAILURE;
    };
    let ends = Instant::now() + Duration::from_secs(seconds);
    // Where there are no such groups there is no such file.
    let _ = fs::write("/proc/self/autogroup", "19");
    thread::spawn(end_with_besieger);
    let attacking: Vec<_> = named(only)
        .enumerate()
        .map(|(number, attack)| {
            let going_on = move || go_on(attack, Target(address), number, ends);
            (attack.name, thread::spawn(going_on))
        })
        .collect();
    let tallies: Vec<_> = attacking
        .into_iter()
        .map(|(name, attacking)| attacking.join().unwrap_or_else(|_| Tally::panicked(name)))
        .map(|tally| tally.written())
        .collect();
    println!("{}", Value::from(tallies));
    ExitCode::SUCCESS
}

/// An interrupt ends the besieger, who is in another session. It says nothing over this pipe, so that something to read is the end of it.
fn end_with_besieger() {
    let _ = io::read_to_string(io::stdin());
    process::exit(1);
}

/// Round after round, as long as one can still end in time.
fn go_on(attack: Attack, target: Target, number: usize, ends: Instant) -> Tally {
    let mut tally = Tally::new(attack.name);
    let user = match User::enter(target, &format!("hostile {number}")) {
        Ok(user) => user,
        Err(wrong) => {
            tally.add(Err(wrong));
            return tally;
        }
    };
    let mut attacker = Attacker { room: format!("lair {number}"), user, round: 0 };
    while Instant::now() + attack.takes < ends {
        attacker.round += 1;
        tally.add((attack.round)(&attacker));
    }
    tally
}
