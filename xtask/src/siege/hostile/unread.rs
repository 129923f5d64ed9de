//! Asks over plain HTTP for much, and reads nothing of it.

use std::{thread, time::Duration};

use super::{
    super::wire::{Link, Request, SLACK, Wrong},
    attack::Attack,
};

/// Nothing is taken for so long.
const WRITE_TIME: Duration = Duration::from_secs(40);
const AT_ONCE: usize = 10;
/// More than what the system holds for both sides, and more of them than are read before the first is answered.
const ASKED: usize = 400;

pub(super) const ANSWERS: Attack = Attack {
    name: "answers over HTTP that nobody reads, on several connections",
    answer: "cut off within 40 s",
    takes: Duration::from_secs(50),
    round: |attacker| {
        let module = Request::new(attacker.target(), "GET", "/chat/chatrooms.js").bytes();
        let ask = |_| {
            let mut link = Link::new(attacker.target())?;
            link.write_as_far_as_possible(&module.repeat(ASKED));
            Ok(link)
        };
        let links = (0..AT_ONCE).map(ask).collect::<Result<Vec<_>, Wrong>>()?;
        thread::sleep(WRITE_TIME + SLACK);
        links.into_iter().try_for_each(is_cut_off)
    },
};

/// What was under way can still be read, and then it ends: nothing is answered any more.
fn is_cut_off(link: Link) -> Result<(), Wrong> {
    let answered = link.answers_until_the_end()?;
    if (1..ASKED).contains(&answered) {
        return Ok(());
    }
    Err(Wrong(format!("{answered} answers of {ASKED}")))
}
