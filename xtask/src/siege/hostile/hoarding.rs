//! Taking names and not using them.

use super::{
    super::wire::{Answer, Link, Request, User, Wrong},
    attack::{Attack, Attacker, SHORT},
};

/// What one browser may have.
const MOST: usize = 8;

pub(super) const OF_ONE_BROWSER: Attack = Attack {
    name: "hoarding names, by one browser",
    answer: "8 names, then 429 with Retry-After and no cookie; others may have the rest",
    takes: SHORT,
    round: |attacker| {
        let name = |number: usize| format!("{} hoard {number}", attacker.user.name);
        let hoarder = User::enter(attacker.target(), &name(1))?;
        for number in 2..=MOST {
            enter(attacker, &name(number), &hoarder)?.is(303)?;
        }
        let wanted = name(MOST + 1);
        let refused = enter(attacker, &wanted, &hoarder)?;
        refused.is(429)?;
        if refused.header("Retry-After") != Some("60") || refused.header("Set-Cookie").is_some() {
            return Err(Wrong("no Retry-After, or a cookie".to_owned()));
        }
        let other = User::enter(attacker.target(), &wanted)?;
        for user in [other, hoarder] {
            user.ask(&user.request("POST", "/logout"))?.is(303)?;
        }
        // A logout gives them all back.
        let user = User::enter(attacker.target(), &name(MOST))?;
        user.ask(&user.request("POST", "/logout"))?.is(303)
    },
};

/// At once, so many of them.
const BROWSERS: u64 = 20;

pub(super) const OF_MANY_BROWSERS: Attack = Attack {
    name: "hoarding names, each by a browser of its own",
    answer: "303 while there are 100,000 places, and whoever else comes is let in",
    takes: SHORT,
    round: |attacker| {
        let names = (0..BROWSERS).map(|number| attacker.round * BROWSERS + number);
        let entries = names.map(|number| {
            let name = format!("{} heap {number}", attacker.user.name);
            let mut link = Link::new(attacker.target())?;
            link.write(&Request::entry(attacker.target(), &name, "hall").bytes())?;
            Ok(link)
        });
        let links = entries.collect::<Result<Vec<_>, Wrong>>()?;
        for mut link in links {
            link.answer_soon()?.is(303)?;
        }
        let newcomer = User::enter(attacker.target(), &format!("{} newcomer", attacker.user.name))?;
        newcomer.ask(&newcomer.request("POST", "/logout"))?.is(303)
    },
};

/// By the form, as a browser does that has been here.
fn enter(attacker: &Attacker, name: &str, browser: &User) -> Result<Answer, Wrong> {
    browser.ask(&Request::entry(attacker.target(), name, "hall").header("Cookie", &browser.cookie))
}
