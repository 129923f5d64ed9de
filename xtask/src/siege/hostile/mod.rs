//! The hostile clients: a process of their own at the lowest priority, and in it a thread for each, which does the same thing again and again.

mod answering;
mod attack;
mod control_frames;
mod cookies;
mod deaf;
mod fields;
mod fragments;
mod gone;
mod half_open;
mod lengths;
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
mod violations;

use std::{
    env,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::wire::{Target, User};
pub(super) use attack::ALL;
use attack::{Attack, Attacker};
pub(super) use tally::Tally;

/// By this name the process is started.
pub(crate) const COMMAND: &str = "siege-hostile-clients";

/// The process, which ends by itself.
#[derive(Debug)]
pub(super) struct Hostile(Child);

/// Starts it, for so long.
pub(super) fn start(target: Target, time: Duration) -> Result<Hostile, String> {
    let told = |error: std::io::Error| format!("hostile clients: {error}");
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(env::current_exe().map_err(told)?);
    command.args([COMMAND, &target.0.to_string(), &time.as_secs().to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map(Hostile).map_err(told)
}

impl Hostile {
    /// What each of them got.
    pub(super) fn join(self) -> Result<Vec<Tally>, String> {
        let output = self.0.wait_with_output().map_err(|error| error.to_string())?;
        let tallies: Option<Vec<Tally>> =
            serde_json::from_slice(&output.stdout).ok().and_then(|value: serde_json::Value| {
                value.as_array()?.iter().map(Tally::read).collect()
            });
        tallies.ok_or_else(|| "the hostile clients did not say what they got".to_owned())
    }
}

/// The process itself: address and seconds.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let [address, seconds] = arguments else { return ExitCode::FAILURE };
    let (Ok(address), Ok(seconds)) = (address.parse(), seconds.parse()) else {
        return ExitCode::FAILURE;
    };
    let ends = Instant::now() + Duration::from_secs(seconds);
    let attacking: Vec<_> = ALL
        .into_iter()
        .enumerate()
        .map(|(number, attack)| thread::spawn(move || go_on(attack, Target(address), number, ends)))
        .collect();
    let tallies: Vec<_> = attacking
        .into_iter()
        .zip(ALL)
        .map(|(attacking, attack)| {
            attacking.join().unwrap_or_else(|_| Tally::panicked(attack.name))
        })
        .map(|tally| tally.written())
        .collect();
    println!("{}", serde_json::Value::from(tallies));
    ExitCode::SUCCESS
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
