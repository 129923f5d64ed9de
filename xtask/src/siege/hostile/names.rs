//! Games with names.

use serde_json::json;

use super::{
    super::wire::{Request, Wrong},
    attack::{Attack, Attacker, SHORT},
};

pub(super) const UNSEEN_CHARACTERS: Attack = Attack {
    name: "names with what cannot be seen, or too long ones",
    answer: "400, and no cookie",
    takes: SHORT,
    round: |attacker| {
        for name in bad() {
            is_refused(attacker, &name, "hall", 400)?;
            is_refused(attacker, "good name", &name, 400)?;
        }
        Ok(())
    },
};

pub(super) const TAKEN: Attack = Attack {
    name: "names of others, however they are spelled",
    answer: "409, and no cookie",
    takes: SHORT,
    round: |attacker| {
        let socket = attacker.user.open()?;
        let name = &attacker.user.name;
        for spelled in [name.clone(), format!("  {name} "), name.replace(' ', " \u{2003} ")] {
            is_refused(attacker, &spelled, "hall", 409)?;
        }
        socket.close()
    },
};

pub(super) const LOOKING_ALIKE: Attack = Attack {
    name: "names that look like others'",
    answer: "409, or 400 where scripts are mixed, and no cookie",
    takes: SHORT,
    round: |attacker| {
        let socket = attacker.user.open()?;
        let name = &attacker.user.name;
        for alike in ["I", "1", "|", "\u{1d4c1}"] {
            is_refused(attacker, &name.replace('l', alike), "hall", 409)?;
        }
        for (latin, foreign) in [('o', "\u{43e}"), ('o', "\u{3bf}"), ('e', "\u{435}")] {
            is_refused(attacker, &name.replace(latin, foreign), "hall", 400)?;
        }
        socket.close()
    },
};

pub(super) const OF_ROOMS: Attack = Attack {
    name: "rooms with such names, over the wire",
    answer: "invalid_room, 400 invalid_room",
    takes: SHORT,
    round: |attacker| {
        let (user, mut socket) = (&attacker.user, attacker.user.open()?);
        for (name, id) in bad().into_iter().zip(1..) {
            let error = socket.ask("error", &json!({"type": "join", "id": id, "room": name}))?;
            if error["code"] != "invalid_room" {
                return Err(Wrong(format!("{error} instead of invalid_room")));
            }
            let post = Request::post(attacker.target(), &name, "x").header("Cookie", &user.cookie);
            user.ask(&post)?.is_error(400, "invalid_room")?;
        }
        socket.close()
    },
};

/// Control, zero-width and bidi characters, too long names, and those that are no path.
fn bad() -> Vec<String> {
    let unseen = ["\u{0}", "\n", "\u{1b}[31m", "\u{85}", "\u{200b}", "\u{200d}", "\u{200f}"];
    let turned = ["\u{202e}", "\u{2066}", "\u{2069}", "\u{feff}"];
    let within = unseen.into_iter().chain(turned).map(|what| format!("ad{what}min"));
    let whole = ["..".to_owned(), ".".to_owned(), "x".repeat(65), "\u{1f600}".repeat(65)];
    within.chain(whole).collect()
}

fn is_refused(attacker: &Attacker, user: &str, room: &str, status: u16) -> Result<(), Wrong> {
    let answer = attacker.user.ask(&Request::entry(attacker.target(), user, room))?;
    answer.is(status)?;
    match answer.header("Set-Cookie") {
        None => Ok(()),
        Some(_) => Err(Wrong(format!("a cookie for {user:?} in {room:?}"))),
    }
}
