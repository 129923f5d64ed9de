//! Connections on which no request comes to its end.

use std::{thread, time::Duration};

use super::{
    super::wire::{Link, SLACK, Wrong},
    attack::Attack,
};

/// How long a client has for the head of a request, the silence before it included.
const HEAD_TIME: Duration = Duration::from_secs(5);
const TAKES: Duration = Duration::from_secs(7);

pub(super) const FROM_THE_START: Attack = Attack {
    name: "silent TCP",
    answer: "cut off within 5 s",
    takes: TAKES,
    round: |attacker| {
        let links = (0..20).map(|_| Link::new(attacker.target())).collect::<Result<Vec<_>, _>>()?;
        links.into_iter().try_for_each(|link| link.ends(HEAD_TIME))
    },
};

pub(super) const AFTER_HALF_A_HEAD: Attack = Attack {
    name: "a head byte by byte",
    answer: "cut off within 5 s",
    takes: TAKES,
    round: |attacker| {
        let request = attacker.user.request("GET", "/").header("X-Slow", &"x".repeat(200));
        let mut link = Link::new(attacker.target())?;
        let bytes = request.bytes();
        for byte in &bytes[..(HEAD_TIME + SLACK).as_millis() as usize / 100] {
            if link.write(&[*byte]).is_err() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err(Wrong("it still takes bytes".to_owned()))
    },
};

pub(super) const AFTER_AN_ANSWER: Attack = Attack {
    name: "silence after an answer",
    answer: "cut off within 5 s",
    takes: TAKES,
    round: |attacker| {
        let mut link = Link::new(attacker.target())?;
        link.ask(&attacker.user.request("GET", "/healthz"))?.is(200)?;
        link.ends(HEAD_TIME)
    },
};
