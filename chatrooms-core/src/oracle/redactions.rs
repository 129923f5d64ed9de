//! What was taken back stays so, for everybody; and a resume is exact, about messages and about these.

use std::collections::HashMap;

use super::{
    Fault, Place,
    run::{Connection, Run, Seen, Span},
};
use crate::{Epoch, Message};

/// By when it was known of a message that it had been taken back.
type Known = HashMap<(Epoch, u64), u64>;

pub(super) fn judge(run: &mut Run<'_>) {
    let known = known(run);
    let mut found = Vec::new();
    for connection in &run.connections {
        let place = |step| run.place(connection.client, step, Some(connection.room));
        let (epoch, asked) = (connection.cut.epoch, connection.came.from);
        for message in &connection.cut.messages {
            let fault = shown(message, epoch, asked, &known);
            found.extend(fault.map(|fault| (fault, place(connection.step))));
        }
        let keep = run.log(connection.client).bounds.keep as u64;
        found
            .extend(resumed(connection, &known, keep).map(|fault| (fault, place(connection.step))));
        let mut head = connection.cut.seq;
        for sight in &connection.seen {
            match sight.what {
                Seen::Message(message) => {
                    head = head.max(message.seq);
                    if speaks(message) {
                        found.push((Fault::StillSpeaks { seq: message.seq }, place(sight.step)));
                    }
                }
                Seen::Redacted(seq) if seq > head => {
                    found.push((Fault::TooEarly { seq }, place(sight.step)));
                }
                _ => {}
            }
        }
    }
    for reading in &run.readings {
        let Some(epoch) = run.life(reading) else { continue };
        for message in &reading.what.page.messages {
            let fault = shown(message, epoch, reading.span.from, &known);
            let place = run.place(reading.client, reading.step, Some(reading.room));
            found.extend(fault.map(|fault| (fault, place)));
        }
    }
    found.extend(by_nobody(run));
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

/// What is wrong with a message that was shown to somebody who asked then.
fn shown(message: &Message, epoch: Epoch, asked: u64, known: &Known) -> Option<Fault> {
    let seq = message.seq;
    if speaks(message) {
        return Some(Fault::StillSpeaks { seq });
    }
    let is_known = known.get(&(epoch, seq)).is_some_and(|at| *at < asked);
    (is_known && !message.redacted).then_some(Fault::Undone { seq })
}

fn speaks(message: &Message) -> bool {
    message.redacted && (!message.draft.body.is_empty() || message.draft.data.is_some())
}

fn known(run: &Run<'_>) -> Known {
    let mut known = Known::new();
    let mut note = |epoch, seq, at| {
        let first: &mut u64 = known.entry((epoch, seq)).or_insert(at);
        *first = at.min(*first);
    };
    for connection in &run.connections {
        let (epoch, at) = (connection.cut.epoch, connection.came.to);
        let taken_back = connection.cut.messages.iter().filter(|message| message.redacted);
        taken_back.for_each(|message| note(epoch, message.seq, at));
        connection.cut.redacted.iter().for_each(|seq| note(epoch, *seq, at));
        for sight in &connection.seen {
            if let Seen::Redacted(seq) = sight.what {
                note(epoch, seq, sight.at);
            }
        }
    }
    for reading in &run.readings {
        let Some(epoch) = run.life(reading) else { continue };
        let taken_back = reading.what.page.messages.iter().filter(|message| message.redacted);
        taken_back.for_each(|message| note(epoch, message.seq, reading.span.to));
    }
    known
}

/// What is wrong with a resume.
fn resumed(connection: &Connection<'_>, known: &Known, keep: u64) -> Option<Fault> {
    let cut = connection.cut;
    if !cut.resumed {
        return None;
    }
    // Where it is not known what was asked for, it is not known what was missed.
    let wish = connection.wish?;
    let Some((_, since)) = wish.resume.filter(|(epoch, _)| *epoch == cut.epoch) else {
        return Some(Fault::ResumedElsewhere {});
    };
    let seqs = cut.messages.iter().map(|message| message.seq);
    if since > cut.seq || !seqs.eq(since + 1..=cut.seq) {
        return Some(Fault::Partial { since, seq: cut.seq });
    }
    // Of what has been trimmed nothing can be told.
    let mut kept = (cut.seq + 1).saturating_sub(keep)..=since;
    let seq = kept.find(|seq| {
        let at = known.get(&(cut.epoch, *seq));
        at.is_some_and(|at| *at < connection.came.from) && !cut.redacted.contains(seq)
    })?;
    Some(Fault::RedactionUntold { seq })
}

/// Messages that were taken back, and nobody who was there asked for it.
fn by_nobody(run: &Run<'_>) -> Vec<(Fault, Place)> {
    if !run.trace.complete {
        return Vec::new();
    }
    let mut asked: HashMap<(&crate::RoomName, u64), Vec<(usize, Span)>> = HashMap::new();
    for redaction in &run.redactions {
        let by = asked.entry((redaction.room, redaction.what)).or_default();
        by.push((redaction.client, redaction.span));
    }
    let mut found = Vec::new();
    for connection in &run.connections {
        for sight in &connection.seen {
            let Seen::Redacted(seq) = sight.what else { continue };
            let by = asked.get(&(connection.room, seq)).map_or(&[][..], Vec::as_slice);
            let can_be = |(client, span): &(usize, Span)| {
                let lives = run.lives(*client, connection.room, *span);
                // The host need not be there.
                let was_there = lives.is_empty() || lives.contains(&connection.cut.epoch);
                was_there && span.from < sight.at
            };
            if !by.iter().any(can_be) {
                let place = run.place(connection.client, sight.step, Some(connection.room));
                found.push((Fault::ByNobody { seq }, place));
            }
        }
    }
    found
}
