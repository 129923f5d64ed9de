//! Requests over HTTP that are larger than they may be.

use super::{
    super::wire::Request,
    attack::{Attack, SHORT},
};

pub(super) const BODIES: Attack = Attack {
    name: "bodies over their limit",
    answer: "413, of a message too_large",
    takes: SHORT,
    round: |attacker| {
        let (user, target) = (&attacker.user, attacker.target());
        let long = "x".repeat(17 * 1024);
        user.ask(&Request::entry(target, &long, "hall"))?.is(413)?;
        let post = Request::post(target, &attacker.room, &"x".repeat(66 * 1024));
        user.ask(&post.header("Cookie", &user.cookie))?.is_error(413, "too_large")
    },
};

pub(super) const HEADS: Attack = Attack {
    name: "heads over their limit",
    answer: "431",
    takes: SHORT,
    round: |attacker| {
        let user = &attacker.user;
        let long = user.request("GET", "/").header("X-Long", &"x".repeat(17 * 1024));
        user.ask(&long)?.is(431)?;
        let many = (0..150).fold(user.request("GET", "/"), |request, _| request.header("X", "x"));
        user.ask(&many)?.is(431)
    },
};
