//! Bodies that hardly come.

use std::{thread, time::Duration};

use super::{
    super::wire::{Answer, Link, Request, SLACK, Wrong},
    attack::{Attack, Attacker},
};

pub(super) const FORM: Attack = Attack {
    name: "a form that hardly comes",
    answer: "408 within 5 s",
    takes: Duration::from_secs(7),
    round: |attacker| {
        let form = Request::entry(attacker.target(), &"x".repeat(60), "hall");
        trickle(attacker, &form, 5)?.is(408)
    },
};

pub(super) const POST: Attack = Attack {
    name: "a posted message that hardly comes",
    answer: "408 bad_request within 10 s",
    takes: Duration::from_secs(12),
    round: |attacker| {
        let post = Request::post(attacker.target(), &attacker.room, &"x".repeat(60));
        let post = post.header("Cookie", &attacker.user.cookie);
        trickle(attacker, &post, 10)?.is_error(408, "bad_request")
    },
};

/// Sends all but its last bytes, and those at one a second, for one second less than the time that it has.
fn trickle(attacker: &Attacker, request: &Request, seconds: usize) -> Result<Answer, Wrong> {
    let mut link = Link::new(attacker.target())?;
    let bytes = request.bytes();
    let (most, rest) = bytes.split_at(bytes.len() - seconds - 10);
    link.write(most)?;
    for byte in &rest[..seconds - 1] {
        thread::sleep(Duration::from_secs(1));
        // It may have been cut off already, on a machine that is late.
        link.write_as_far_as_possible(&[*byte]);
    }
    link.answer(Duration::from_secs(1) + SLACK)
}
