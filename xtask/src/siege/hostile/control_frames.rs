//! Pings and pongs without end.

use super::{
    super::wire::{FIN, PING, PONG, SLACK, frame},
    attack::{Attack, SHORT},
};

pub(super) const FLOOD: Attack = Attack {
    name: "floods of pings and of pongs",
    answer: "bye abuse, 4504",
    takes: SHORT,
    round: |attacker| {
        for opcode in [PING, PONG] {
            let mut socket = attacker.user.open()?;
            socket.write_as_far_as_possible(&frame(FIN | opcode, &[b'x'; 125]).repeat(1_000));
            socket.must_close(Some("abuse"), 4504, SLACK)?;
        }
        Ok(())
    },
};
