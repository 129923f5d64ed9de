//! Looking at thousands of rooms in which nobody is.

use std::time::Instant;

use serde_json::Value;

use super::{
    super::wire::{Answer, Link, Request, Wrong},
    attack::{Attack, SHORT},
};

const AT_ONCE: u64 = 100;
/// What a user may ask of the library at once and per second, and their browser of the pages.
const ASKED: (u64, u64) = (200, 50);
const PAGES: (u64, u64) = (100, 10);

pub(super) const ROOMS: Attack = Attack {
    name: "looking at rooms that nobody is in, and posting there",
    answer: "404 not_found, then 429 rate_limited; and there is no such room afterwards",
    takes: SHORT,
    round: |attacker| {
        let user = &attacker.user;
        let mut link = Link::new(attacker.target())?;
        let (mut asked, mut pages) = (Granted::new(ASKED), Granted::new(PAGES));
        for number in 0..AT_ONCE {
            let room = format!("nobody-{}-{number}", attacker.round);
            let looks = [
                user.request("GET", &format!("/chat/rooms/{room}")),
                user.request("GET", &format!("/chat/rooms/{room}/messages")),
                Request::post(attacker.target(), &room, "hello?").header("Cookie", &user.cookie),
            ];
            for look in looks {
                asked.count(&link.ask(&look)?, |answer| answer.is_error(404, "not_found"))?;
            }
            let page = link.ask(&user.request("GET", &format!("/rooms/{room}")))?;
            pages.count(&page, |answer| answer.is(200))?;
        }
        asked.is_bounded()?;
        pages.is_bounded()?;
        let answer = user.ask(&user.request("GET", "/chat/rooms?after=nobody&limit=100"))?;
        answer.is(200)?;
        let rooms: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match rooms["rooms"].as_array() {
            Some(rooms) if rooms.iter().all(is_somebodys) => Ok(()),
            _ => Err(Wrong(format!("there are rooms by looking: {rooms}"))),
        }
    },
};

fn is_somebodys(room: &Value) -> bool {
    room["room"].as_str().is_some_and(|room| !room.starts_with("nobody-"))
}

/// How often it was not too fast, of what may come so often at once and per second.
struct Granted {
    burst: u64,
    per_second: u64,
    since: Instant,
    count: u64,
}

impl Granted {
    fn new((burst, per_second): (u64, u64)) -> Self {
        Self { burst, per_second, since: Instant::now(), count: 0 }
    }

    /// It has to be too fast, or what it is otherwise.
    fn count(
        &mut self,
        answer: &Answer,
        otherwise: impl FnOnce(&Answer) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        if answer.too_fast().is_none() {
            self.count += 1;
            otherwise(answer)?;
        }
        Ok(())
    }

    fn is_bounded(&self) -> Result<(), Wrong> {
        let most = self.burst + self.per_second * (self.since.elapsed().as_secs() + 1);
        let told = || Wrong(format!("{} were let in where {most} may be", self.count));
        if self.count <= most { Ok(()) } else { Err(told()) }
    }
}
