//! More sockets than a user may have.

use std::time::Duration;

use super::{
    super::wire::{Request, Wrong},
    attack::Attack,
};

const MOST: usize = 64;

pub(super) const MANY: Attack = Attack {
    name: "sockets without end, of one user",
    answer: "64, then 429 too_many_sessions with Retry-After",
    takes: Duration::from_secs(4),
    round: |attacker| {
        let user = &attacker.user;
        let sockets = (0..MOST).map(|_| user.open()).collect::<Result<Vec<_>, _>>()?;
        let upgrade = Request::upgrade(attacker.target()).header("Cookie", &user.cookie);
        let answer = user.ask(&upgrade)?;
        answer.is_error(429, "too_many_sessions")?;
        if answer.header("Retry-After").is_none() {
            return Err(Wrong("no Retry-After".to_owned()));
        }
        sockets.into_iter().try_for_each(|socket| socket.close())
    },
};
