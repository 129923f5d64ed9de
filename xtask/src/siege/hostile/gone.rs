//! Whether somebody has gone is seen by their room, which nobody else is in.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    super::wire::{SLACK, Wrong},
    attack::Attacker,
};

/// The room has to be gone within this time.
pub(super) fn is_gone(attacker: &Attacker, within: Duration) -> Result<(), Wrong> {
    let path = format!("/chat/rooms/{}", attacker.room.replace(' ', "%20"));
    let by = Instant::now() + within + SLACK;
    loop {
        let answer = attacker.user.ask(&attacker.user.request("GET", &path))?;
        if answer.status != 200 || Instant::now() > by {
            return answer.is_error(404, "not_found");
        }
        thread::sleep(Duration::from_millis(50));
    }
}
