//! Frames that declare far more than comes.

use super::{
    super::wire::{FIN, SLACK, TEXT},
    attack::{Attack, SHORT},
};

pub(super) const GIANT: Attack = Attack {
    name: "giant declared lengths",
    answer: "1009 before anything of it comes",
    takes: SHORT,
    round: |attacker| {
        for length in [64 * 1024 + 1, 1 << 30, u64::MAX >> 1] {
            let mut socket = attacker.user.open()?;
            let mut header = vec![FIN | TEXT, 0xff];
            header.extend(length.to_be_bytes());
            header.extend([0; 4]);
            socket.write(&header)?;
            socket.must_close(None, 1009, SLACK)?;
        }
        Ok(())
    },
};
