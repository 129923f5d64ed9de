//! What a store keeps of a life's sanctions: a text with a line for each of them.
//!
//! `slow MILLISECONDS`, and `ban UNTIL USER` or `mute UNTIL USER`, until a time of the wall clock in Unix milliseconds, or `-` for as long as the life lasts. What a reader does
//! not know it passes over.

use std::{fmt::Write as _, time::Duration};

use tokio::time::Instant;

use crate::{
    Timestamp, UserName,
    sanctions::{Sanctions, Terms},
    sync::millis,
};

/// For as long as the life lasts.
const NO_END: &str = "-";

pub(crate) fn write(sanctions: &Sanctions) -> String {
    let mut note = String::new();
    if let Some(slow_mode) = sanctions.slowed {
        // Writing to a string cannot fail.
        let _ = writeln!(note, "slow {}", millis(slow_mode));
    }
    for (what, terms) in [("ban", &sanctions.bans), ("mute", &sanctions.mutes)] {
        for (user, until) in terms.iter() {
            let until = until.map_or_else(|| NO_END.to_owned(), |until| wall(until).to_string());
            let _ = writeln!(note, "{what} {until} {user}");
        }
    }
    note
}

/// Who is banned, until which time of the wall clock.
pub(crate) fn banned(sanctions: &Sanctions) -> Vec<(UserName, Option<Timestamp>)> {
    let bans = sanctions.bans.iter();
    bans.map(|(user, until)| (user.clone(), until.map(|until| Timestamp(wall(until))))).collect()
}

/// The sanctions of a life that has this note and begins with this slow mode.
pub(crate) fn read(note: &str, slow_mode: Duration) -> Sanctions {
    let mut sanctions = Sanctions::new(slow_mode);
    // As of every life that is new: not even a line is looked for.
    if note.is_empty() {
        return sanctions;
    }
    for line in note.lines() {
        let Some((what, rest)) = line.split_once(' ') else { continue };
        match what {
            "slow" => sanctions.slowed = rest.parse().ok().map(Duration::from_millis),
            "ban" => read_term(rest, &mut sanctions.bans),
            "mute" => read_term(rest, &mut sanctions.mutes),
            _ => {}
        }
    }
    sanctions
}

fn read_term(line: &str, terms: &mut Terms) {
    let Some((until, user)) = line.split_once(' ') else { return };
    let until = if until == NO_END { Some(None) } else { until.parse().ok().map(instant) };
    if let (Some(until), Ok(user)) = (until, UserName::new(user)) {
        terms.impose(user, until);
    }
}

fn wall(until: Instant) -> u64 {
    Timestamp::now().0.saturating_add(millis(until.saturating_duration_since(Instant::now())))
}

/// `None` for a time that no clock can hold.
fn instant(wall: u64) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_millis(wall.saturating_sub(Timestamp::now().0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn user(name: &str) -> UserName {
        UserName::new(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_is_read_with_its_time() {
        let mut sanctions = Sanctions::new(5 * SECOND);
        let in_a_minute = Instant::now() + 60 * SECOND;
        sanctions.ban(user("eve"), None, 9).unwrap();
        sanctions.ban(user("bob the - builder"), Some(in_a_minute), 9).unwrap();
        sanctions.mute(user("eve"), Some(in_a_minute), 9).unwrap();
        let note = write(&sanctions);
        assert_eq!(note.lines().count(), 3, "the slow mode is the room's own: {note}");
        let read = read(&note, SECOND);
        assert_eq!(read.slow_mode(), SECOND);
        assert_eq!(read.bans.held(), [user("bob the - builder"), user("eve")]);
        assert_eq!(read.mutes.held(), [user("eve")]);
        tokio::time::advance(61 * SECOND).await;
        assert_eq!(read.bans.held(), [user("eve")]);
        assert_eq!(read.mutes.held(), []);
    }

    #[test]
    fn a_slow_mode_that_was_set_outlasts_the_one_that_the_room_would_begin_with() {
        for set in [Duration::ZERO, 7 * SECOND] {
            let mut sanctions = Sanctions::new(5 * SECOND);
            sanctions.slow_down(set);
            assert_eq!(read(&write(&sanctions), 5 * SECOND).slow_mode(), set);
        }
        assert_eq!(read("", 5 * SECOND).slow_mode(), 5 * SECOND);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let note = "\nban\nban -\nban soon eve\nban - \nshun - eve\nslow\nslow down\nmute - ada\n";
        let read = read(note, SECOND);
        assert_eq!((read.bans.held(), read.mutes.held()), (vec![], vec![user("ada")]));
        assert_eq!(read.slow_mode(), SECOND);
    }

    #[test]
    fn a_time_that_is_over_is_over() {
        let read = read("ban 1 eve\nmute 18446744073709551615 ada", SECOND);
        assert_eq!((read.bans.held(), read.mutes.held()), (vec![], vec![user("ada")]));
    }
}
