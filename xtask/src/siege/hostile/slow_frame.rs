//! A frame byte by byte: busy all the time, and nothing is said.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    super::wire::{FIN, SLACK, TEXT, frame},
    attack::Attack,
};

const SILENCE: Duration = Duration::from_secs(35);

pub(super) const BYTE_BY_BYTE: Attack = Attack {
    name: "a frame byte by byte",
    answer: "bye heartbeat_timeout, 4001 within 35 s: half a frame is nothing heard",
    takes: Duration::from_secs(37),
    round: |attacker| {
        let mut socket = attacker.user.open()?;
        let began = Instant::now();
        for byte in frame(FIN | TEXT, &[b' '; 1_000]) {
            if began.elapsed() > SILENCE + Duration::from_secs(1) {
                break;
            }
            socket.write_as_far_as_possible(&[byte]);
            thread::sleep(Duration::from_millis(250));
        }
        socket.must_close(Some("heartbeat_timeout"), 4001, SLACK)
    },
};
