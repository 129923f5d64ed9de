//! Honest people who come and go, one a second: they enter by the form, join a room, say something, read it and what was said before, and go.

use std::{
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::json;

use super::wire::{Target, User, Wrong};

const PACE: Duration = Duration::from_secs(1);

/// Those who still come.
#[derive(Debug)]
pub(super) struct Newcomers(JoinHandle<Came>);

/// What they met with.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// From the form to the answer that tells what was said before, each.
    pub(super) times: Vec<Duration>,
    pub(super) problems: Vec<String>,
}

impl Newcomers {
    /// Has them come until then, under names that begin like this.
    pub(super) fn come(target: Target, name: &'static str, until: Instant) -> Self {
        Self(thread::spawn(move || {
            let mut came = Came::default();
            for number in 0.. {
                let began = Instant::now();
                if began >= until {
                    break;
                }
                match visit(target, &format!("{name} {number}"), number) {
                    Ok(()) => came.times.push(began.elapsed()),
                    Err(wrong) => came.problems.push(format!("a newcomer: {wrong}")),
                }
                thread::sleep(PACE.saturating_sub(began.elapsed()));
            }
            came
        }))
    }

    pub(super) fn join(self) -> Result<Came, String> {
        self.0.join().map_err(|_| "the newcomers panicked".to_owned())
    }
}

fn visit(target: Target, name: &str, number: usize) -> Result<(), Wrong> {
    let user = User::enter(target, name)?;
    let room = format!("hall {}", number % 5);
    let mut socket = user.open()?;
    socket.ask("joined", &json!({"type": "join", "id": 1, "room": room}))?;
    let body = format!("hello from {number}");
    socket.say(&json!({"type": "send", "id": 2, "room": room, "body": body}))?;
    loop {
        let frame = socket.next()?;
        if frame["type"] == "error" {
            return Err(Wrong(format!("{frame}")));
        }
        if frame["type"] == "message" && frame["body"] == *body {
            break;
        }
    }
    socket.ask("history", &json!({"type": "history", "id": 3, "room": room}))?;
    socket.close()
}

impl Came {
    /// 99 of 100 took at most so long.
    pub(super) fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times.get((times.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hundredth_does_not_count_and_the_one_before_does() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(Came { times, ..Came::default() }.p99(), Duration::from_millis(99));
        let one = Came { times: vec![Duration::from_secs(1)], ..Came::default() };
        assert_eq!((one.p99(), Came::default().p99()), (Duration::from_secs(1), Duration::ZERO));
    }
}
