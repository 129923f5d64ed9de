//! Logging out again and again.

use super::{
    super::wire::{Link, User},
    attack::{Attack, SHORT},
    granted::{Granted, PAGES},
};

const LOGOUTS: u64 = 300;

pub(super) const FLOOD: Attack = Attack {
    name: "a flood of logouts",
    answer: "303, then 429 with Retry-After; it voids its own cookie and no other",
    takes: SHORT,
    round: |attacker| {
        let target = attacker.target();
        let leaver = User::enter(target, &format!("{} quitter", attacker.user.name))?;
        let (mut link, mut granted) = (Link::new(target)?, Granted::new(PAGES));
        for _ in 0..LOGOUTS {
            let answer = link.ask(&leaver.request("POST", "/logout"))?;
            granted.count(&answer, |answer| answer.is(303))?;
        }
        granted.is_bounded()?;
        leaver.ask(&leaver.request("GET", "/chat/session"))?.is_error(401, "unauthorized")?;
        let stays = &attacker.user;
        stays.ask(&stays.request("GET", "/chat/session"))?.is(200)
    },
};
