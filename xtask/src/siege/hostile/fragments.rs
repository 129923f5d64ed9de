//! Messages in pieces: endless ones, and one that is never finished.

use std::{thread, time::Duration};

use super::{
    super::wire::{CONTINUATION, FIN, PING, SLACK, TEXT, Wrong, frame},
    attack::{Attack, Attacker, SHORT},
};

pub(super) const EMPTY: Attack = Attack {
    name: "empty fragments without end",
    answer: "bye abuse, 4504",
    takes: SHORT,
    round: |attacker| pieces(attacker, b""),
};

pub(super) const TINY: Attack = Attack {
    name: "fragments of one byte",
    answer: "bye abuse, 4504",
    takes: SHORT,
    round: |attacker| pieces(attacker, b" "),
};

fn pieces(attacker: &Attacker, piece: &[u8]) -> Result<(), Wrong> {
    let mut socket = attacker.user.open()?;
    let mut flood = frame(TEXT, piece);
    flood.extend(frame(CONTINUATION, piece).repeat(5_000));
    socket.write_as_far_as_possible(&flood);
    socket.must_close(Some("abuse"), 4504, SLACK)
}

pub(super) const NEVER_FINISHED: Attack = Attack {
    name: "a message that is never finished",
    answer: "bye abuse, 4504 after 10 s",
    takes: Duration::from_secs(13),
    round: |attacker| {
        let mut socket = attacker.user.open()?;
        socket.write(&frame(TEXT, b"{"))?;
        // Alive all the time.
        for _ in 0..11 {
            thread::sleep(Duration::from_secs(1));
            socket.write_as_far_as_possible(&frame(FIN | PING, b"x"));
        }
        socket.must_close(Some("abuse"), 4504, SLACK)
    },
};
