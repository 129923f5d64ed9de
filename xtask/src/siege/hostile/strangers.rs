//! Requests without any cookie.

use super::{
    super::wire::Request,
    attack::{Attack, SHORT},
};

pub(super) const WITHOUT_COOKIE: Attack = Attack {
    name: "requests without a cookie",
    answer: "401 unauthorized; a page leads to the entry",
    takes: SHORT,
    round: |attacker| {
        let (user, target) = (&attacker.user, attacker.target());
        user.ask(&Request::post(target, &attacker.room, "hello"))?.is_error(401, "unauthorized")?;
        user.ask(&Request::upgrade(target))?.is_error(401, "unauthorized")?;
        for path in
            ["/chat/session", "/chat/rooms", "/chat/rooms/hall", "/chat/rooms/hall/messages"]
        {
            user.ask(&Request::new(target, "GET", path))?.is_error(401, "unauthorized")?;
        }
        user.ask(&Request::new(target, "GET", "/rooms/hall"))?.is(303)
    },
};
