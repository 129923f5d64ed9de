//! Cookies that are not good: who carries one is nobody.

use super::{
    super::wire::{Request, User, Wrong},
    attack::{Attack, Attacker, SHORT},
};

/// Of the signature, in Base64 at the beginning of the value.
const SIGNATURE: usize = 44;

pub(super) const FORGED: Attack = Attack {
    name: "forged cookies",
    answer: "401 unauthorized",
    takes: SHORT,
    round: |attacker| {
        let cookie = &attacker.user.cookie;
        is_nobody(attacker, &cookie.replace("hostile", "honest"))?;
        is_nobody(attacker, &format!("{cookie}0"))?;
        is_nobody(attacker, &format!("chatrooms=1.{}.1.root", "0".repeat(32)))
    },
};

pub(super) const TRUNCATED: Attack = Attack {
    name: "truncated cookies",
    answer: "401 unauthorized",
    takes: SHORT,
    round: |attacker| {
        let (name, value) = parts(&attacker.user);
        for end in [0, 1, SIGNATURE - 1, SIGNATURE, value.len() - 1] {
            is_nobody(attacker, &format!("{name}={}", &value[..end]))?;
        }
        is_nobody(attacker, &format!("{name}={}", &value[SIGNATURE..]))
    },
};

pub(super) const OF_OTHERS: Attack = Attack {
    name: "one's own signature on another's cookie",
    answer: "401 unauthorized",
    takes: SHORT,
    round: |attacker| {
        let other = User::enter(attacker.target(), &format!("{} victim", attacker.user.name))?;
        let ((name, own), (_, others)) = (parts(&attacker.user), parts(&other));
        is_nobody(attacker, &format!("{name}={}{}", &own[..SIGNATURE], &others[SIGNATURE..]))?;
        other.ask(&other.request("POST", "/logout"))?.is(303)
    },
};

pub(super) const LOGGED_OUT: Attack = Attack {
    name: "a cookie after its logout",
    answer: "401 unauthorized",
    takes: SHORT,
    round: |attacker| {
        let user = User::enter(attacker.target(), &format!("{} leaver", attacker.user.name))?;
        user.open()?.close()?;
        user.ask(&user.request("POST", "/logout"))?.is(303)?;
        is_nobody(attacker, &user.cookie)
    },
};

fn parts(user: &User) -> (&str, &str) {
    user.cookie.split_once('=').unwrap_or(("chatrooms", &user.cookie))
}

fn is_nobody(attacker: &Attacker, cookie: &str) -> Result<(), Wrong> {
    let (user, target) = (&attacker.user, attacker.target());
    let session = Request::new(target, "GET", "/chat/session").header("Cookie", cookie);
    user.ask(&session)?.is_error(401, "unauthorized")?;
    let upgrade = Request::upgrade(target).header("Cookie", cookie);
    user.ask(&upgrade)?.is_error(401, "unauthorized")
}
