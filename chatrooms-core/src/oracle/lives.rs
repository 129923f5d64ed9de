//! A name has one life after the other, each with an epoch of its own, and each begins empty.

use std::collections::{BTreeMap, HashMap};

use super::{
    Fault, Place,
    run::{Became, Connection, Going, How, NEVER, Run, Seen, Span},
};
use crate::{Epoch, RoomName};

pub(super) fn judge(run: &mut Run<'_>) {
    let mut found = of_two_rooms(run);
    found.extend(two_lives(run));
    found.extend(not_empty(run));
    if run.trace.complete {
        found.extend(outlived(run));
    }
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

fn place(run: &Run<'_>, connection: &Connection<'_>) -> Place {
    run.place(connection.client, connection.step, Some(connection.room))
}

fn of_two_rooms(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut rooms: HashMap<Epoch, &RoomName> = HashMap::new();
    let mut found = Vec::new();
    for connection in &run.connections {
        let epoch = connection.cut.epoch;
        if *rooms.entry(epoch).or_insert(connection.room) != connection.room {
            found.push((Fault::EpochOfTwoRooms { epoch }, place(run, connection)));
        }
    }
    found
}

/// The lives of a room follow each other: nobody enters one while another one lasts.
fn two_lives(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let lasted = lasted(run);
    let mut found = Vec::new();
    for connection in &run.connections {
        let Some(others) = lasted.get(connection.room) else { continue };
        let came = connection.came;
        // Of those that had begun for certain the one that began last; lives that overlap are found by those who entered the later one.
        let before = others.range(..=(came.from, NEVER)).rev();
        let lasts = |(_, (_, to)): &(_, &(Epoch, u64))| *to >= came.to;
        let epoch = connection.cut.epoch;
        let other = before.take(2).find(|life| life.1.0 != epoch && lasts(life));
        if let Some((_, (other, _))) = other {
            let fault = Fault::TwoLives { epoch, other: *other };
            found.push((fault, place(run, connection)));
        }
    }
    found
}

/// The lives of a room, by when they had begun for certain, and until when they lasted for certain.
type Lives = BTreeMap<(u64, u64), (Epoch, u64)>;

fn lasted<'t>(run: &Run<'t>) -> HashMap<&'t RoomName, Lives> {
    let mut spans: HashMap<(&RoomName, Epoch), Span> = HashMap::new();
    for connection in &run.connections {
        let key = (connection.room, connection.cut.epoch);
        let span = spans.entry(key).or_insert(Span { from: NEVER, to: 0 });
        span.from = span.from.min(connection.came.to);
        let asked = connection.seen.iter().filter_map(|sight| match sight.what {
            Seen::Members { asked, .. } => Some(asked),
            _ => None,
        });
        let there = asked.chain([connection.came.from, connection.lasted()]);
        span.to = there.fold(span.to, u64::max);
    }
    for saying in &run.sayings {
        if matches!(saying.what.became, Became::Accepted { duplicate: false, .. })
            && let Some(epoch) = run.life(saying)
            && let Some(span) = spans.get_mut(&(saying.room, epoch))
        {
            span.to = span.to.max(saying.span.from);
        }
    }
    let mut lasted: HashMap<&RoomName, Lives> = HashMap::new();
    for ((room, epoch), span) in spans {
        if span.from <= span.to {
            lasted.entry(room).or_default().insert((span.from, span.to), (epoch, span.to));
        }
    }
    lasted
}

/// Who finds nobody in a room that waits for nobody finds no message either.
fn not_empty(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let is_alone = |connection: &&Connection<'_>| {
        let bounds = &run.log(connection.client).bounds;
        let members = &connection.cut.members;
        let is_the_only_one = matches!(&members[..], [only] if only.connections == 1);
        !bounds.lingers && bounds.presence_exact > 0 && is_the_only_one
    };
    let found = run.connections.iter().filter(is_alone).filter(|joined| joined.cut.seq > 0);
    found.map(|joined| (Fault::NotEmpty { seq: joined.cut.seq }, place(run, joined))).collect()
}

/// Lives that were entered after everybody had left them.
fn outlived(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut lives: HashMap<Epoch, Vec<&Connection<'_>>> = HashMap::new();
    for connection in &run.connections {
        lives.entry(connection.cut.epoch).or_default().push(connection);
    }
    let mut found = Vec::new();
    for (epoch, mut connections) in lives {
        connections.sort_unstable_by_key(|connection| connection.came.from);
        let mut end = NEVER;
        for (index, connection) in connections.iter().enumerate() {
            let is_held = || {
                let meanwhile = |span: Span| span.from <= connection.came.from && span.to >= end;
                let mut here = run.hidden.iter().filter(|one| one.room == connection.room);
                here.any(|one| meanwhile(one.span))
            };
            if index > 0 && connection.came.from > end && !is_held() {
                found.push((Fault::Outlived { epoch }, place(run, connection)));
            }
            let gone = gone(run, connection);
            end = if index == 0 { gone } else { end.max(gone) };
        }
    }
    found
}

/// When a connection had gone for certain, and with it the room where it was the last one.
fn gone(run: &Run<'_>, connection: &Connection<'_>) -> u64 {
    let lingers = run.log(connection.client).bounds.lingers;
    match connection.went {
        Some(Going { how: How::Lost, .. }) => NEVER,
        Some(Going { how: How::Closed | How::Gone, .. }) if lingers => NEVER,
        _ => connection.gone(),
    }
}
