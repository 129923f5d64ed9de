//! `full_app` on a machine whose clock is put forward and back, and goes over the end of a month, while people talk.
//!
//! Nobody leaves and nothing ends by it, and messages stay in the order of their numbers: times are for showing.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    application::Application,
    step::Steps,
    wire::{Socket, User, Wrong},
    workspace,
};

pub(super) const HELP: &str = "\
cargo xtask prove clock           full_app under libfaketime, whose clock is put forward and back by hours and goes over the end of a month: nobody
                                  leaves and nothing ends by it";

/// What its clock is set to, and what that is in milliseconds since 1970.
const TIMES: [(&str, i64); 4] = [
    ("2028-02-29 23:59:52", MARCH - 8_000),
    ("2028-03-01 02:00:00", MARCH + 2 * HOUR),
    ("2028-02-29 22:00:00", MARCH - 2 * HOUR),
    ("2028-03-01 00:00:00", MARCH),
];
/// The first of March 2028, in milliseconds since 1970.
const MARCH: i64 = 1_835_481_600_000;
const HOUR: i64 = 3_600_000;
/// The process has run for less when it is asked for the time.
const RUN: i64 = 240_000;
/// A server pings after 25 s.
const PING: Duration = Duration::from_secs(25);
/// The end of the month is seen within this time.
const MIDNIGHT: Duration = Duration::from_secs(20);

/// What the tests have built is what is tried.
pub(crate) fn step(steps: &mut Steps) {
    steps.check("clock", || try_all().err().into_iter().collect());
}

fn try_all() -> Result<(), String> {
    let clock = Clock::new()?;
    clock.set(TIMES[0].0)?;
    let file = clock.0.to_string_lossy().into_owned();
    let mut application = Application::start_in(
        "clock",
        true,
        &["--linger", "60"],
        &[
            ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1"),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("TZ", "UTC"),
        ],
    )?;
    people_talk(&application, &clock).map_err(|wrong| format!("the clock: {wrong}"))?;
    application.end()?;
    match application.log().alarming.first() {
        Some(line) => Err(format!("its log: {line}")),
        None => Ok(()),
    }
}

fn people_talk(application: &Application, clock: &Clock) -> Result<(), Wrong> {
    let [ada, bob, cyd] = ["ada", "bob", "cyd"].map(|name| User::enter(application.target, name));
    let (ada, bob, cyd) = (ada?, bob?, cyd?);
    let (mut speaker, mut listener) = (ada.open()?, bob.open()?);
    for socket in [&mut speaker, &mut listener] {
        socket.ask("joined", &json!({"type": "join", "id": 1, "room": "hall"}))?;
    }
    speaker.next().and_then(|told| match told["type"] == "presence" {
        true => Ok(()),
        false => Err(Wrong(format!("{told} instead of who has come"))),
    })?;
    let mut hall = Hall { said: 0 };
    let first = hall.say(&mut speaker, &mut listener)?;
    assert_near(first, TIMES[0].1)?;
    hall.goes_over_midnight(&mut speaker, &mut listener)?;
    for (words, time) in &TIMES[1..] {
        let lost = Lost::leave_behind(&cyd)?;
        clock.set(words).map_err(Wrong)?;
        let told = hall.say(&mut speaker, &mut listener)?;
        assert_near(told, *time)?;
        lost.is_found_again(&cyd)?;
        for user in [&ada, &bob, &cyd] {
            user.ask(&user.request("GET", "/chat/session"))?.is(200)?;
        }
    }
    // Whoever is alive is so by another clock.
    for socket in [&mut speaker, &mut listener] {
        let told = socket.answers_a_ping(PING)?;
        nothing_happened(&told)?;
    }
    hall.say(&mut speaker, &mut listener)?;
    Ok(())
}

/// What is said in the hall, where both are all the time.
struct Hall {
    said: u64,
}

impl Hall {
    /// One says something, which both are told next and at the next place; its time.
    fn say(&mut self, speaker: &mut Socket, listener: &mut Socket) -> Result<i64, Wrong> {
        self.said += 1;
        speaker.say(&json!({"type": "send", "room": "hall", "body": "tick"}))?;
        let heard = listener.next()?;
        let is_next = heard["type"] == "message" && heard["seq"] == self.said;
        // The author is told that it was kept, beside what all are told.
        let (one, other) = (speaker.next()?, speaker.next()?);
        let is_told = [one, other].iter().any(|told| told["seq"] == self.said);
        match heard["at"].as_i64() {
            Some(at) if is_next && is_told => Ok(at),
            _ => Err(Wrong(format!("{heard} instead of message {}", self.said))),
        }
    }

    fn goes_over_midnight(
        &mut self,
        speaker: &mut Socket,
        listener: &mut Socket,
    ) -> Result<(), Wrong> {
        let by = Instant::now() + MIDNIGHT;
        while self.say(speaker, listener)? < MARCH {
            if Instant::now() > by {
                return Err(Wrong("it does not become March".to_owned()));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

/// A room that waits for its last one to come back.
struct Lost {
    epoch: Value,
}

impl Lost {
    fn leave_behind(user: &User) -> Result<Self, Wrong> {
        let mut socket = user.open()?;
        let join = json!({"type": "join", "id": 1, "room": "attic"});
        let epoch = socket.gets("joined", &join)?["epoch"].take();
        socket.gets("sent", &json!({"type": "send", "id": 2, "room": "attic", "body": "wait"}))?;
        // Its answer is what is not read.
        socket.say(&json!({"type": "ping"}))?;
        socket.reset()?;
        Ok(Self { epoch })
    }

    fn is_found_again(&self, user: &User) -> Result<(), Wrong> {
        let mut socket = user.open()?;
        let resume = json!({"epoch": self.epoch, "seq": 1});
        let join = json!({"type": "join", "id": 1, "room": "attic", "resume": resume});
        let joined = socket.gets("joined", &join)?;
        if joined["resumed"] != true {
            return Err(Wrong(format!("{joined} instead of what waited")));
        }
        socket.gets("left", &json!({"type": "leave", "id": 2, "room": "attic"}))?;
        socket.close()
    }
}

/// What it is on the server, by what its messages say.
fn assert_near(told: i64, expected: i64) -> Result<(), Wrong> {
    // What is read from the file is off by some nanoseconds, and is taken for the time at which the process began.
    if (expected - 1..expected + RUN).contains(&told) {
        return Ok(());
    }
    Err(Wrong(format!("its clock shows {told}, not {expected} ms since 1970")))
}

/// Notices are the application's own.
fn nothing_happened(told: &[Value]) -> Result<(), Wrong> {
    match told.iter().find(|frame| frame["type"] != "notice") {
        Some(frame) => Err(Wrong(format!("{frame} instead of nothing"))),
        None => Ok(()),
    }
}

/// The file that says what time it is.
struct Clock(PathBuf);

impl Clock {
    fn new() -> Result<Self, String> {
        let folder = workspace::target().join("prove");
        let path = folder.join("clock");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(path))
    }

    /// The whole file is there or the one before: it is read at any moment.
    fn set(&self, time: &str) -> Result<(), String> {
        let told = |error| format!("{}: {error}", self.0.display());
        let new = self.0.with_extension("new");
        fs::write(&new, format!("@{time}\n")).map_err(told)?;
        fs::rename(&new, &self.0).map_err(told)
    }
}
