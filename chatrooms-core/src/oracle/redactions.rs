//! What was taken back stays so, for everybody; and a resume is exact, about messages and about these.

use std::collections::{BTreeSet, HashMap};

use super::{
    Fault,
    run::{Connection, How, Run, Seen},
};
use crate::{Epoch, Message, sync::Arc};

/// By when it was known of a message that it had been taken back.
type Known = HashMap<(Epoch, u64), u64>;

pub(super) fn judge(run: &mut Run<'_>) {
    let told = told(run);
    let known = shown_in_pages(told.clone(), run);
    let mut found = Vec::new();
    for connection in &run.connections {
        let place = |step| run.place(connection.client, step, Some(connection.room));
        missed(connection, &told, |seq, step| {
            found.push((Fault::RedactionMissed { seq }, place(step)));
        });
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

/// By when somebody in the room had been told, or whoever asked for it had been answered: it is on its way to everybody then.
fn told(run: &Run<'_>) -> Known {
    let mut told = Known::new();
    for connection in &run.connections {
        let (epoch, at) = (connection.cut.epoch, connection.came.to);
        let redacted = connection.cut.redacted.iter().copied();
        let all = taken_back(&connection.cut.messages).chain(redacted);
        all.for_each(|seq| note(&mut told, epoch, seq, at));
        for sight in &connection.seen {
            if let Seen::Redacted(seq) = sight.what {
                note(&mut told, epoch, seq, sight.at);
            }
        }
    }
    for redaction in &run.redactions {
        if let Some(epoch) = run.life(redaction) {
            note(&mut told, epoch, redaction.what, redaction.span.to);
        }
    }
    told
}

/// The same, and by when it was seen in a page: the store has it first.
fn shown_in_pages(mut known: Known, run: &Run<'_>) -> Known {
    for reading in &run.readings {
        let Some(epoch) = run.life(reading) else { continue };
        let all = taken_back(&reading.what.page.messages);
        all.for_each(|seq| note(&mut known, epoch, seq, reading.span.to));
    }
    known
}

fn note(known: &mut Known, epoch: Epoch, seq: u64, at: u64) {
    let first = known.entry((epoch, seq)).or_insert(at);
    *first = at.min(*first);
}

/// Messages that a connection was shown as they were, of which it had to be told by then that they had been taken back, and was not.
fn missed(connection: &Connection<'_>, told: &Known, mut blame: impl FnMut(u64, usize)) {
    let speaking = connection.cut.messages.iter().filter(|message| !message.redacted);
    let mut speaking: BTreeSet<u64> = speaking.map(|message| message.seq).collect();
    let mut by_then = |speaking: &mut BTreeSet<u64>, time, step| {
        speaking.retain(|seq| {
            let is_due = told.get(&(connection.cut.epoch, *seq)).is_some_and(|at| *at < time);
            if is_due {
                blame(*seq, step);
            }
            // Once is enough.
            !is_due
        });
    };
    for sight in &connection.seen {
        match sight.what {
            Seen::Message(message) if !message.redacted => {
                speaking.insert(message.seq);
            }
            Seen::Redacted(seq) => {
                speaking.remove(&seq);
            }
            // A list of members comes in its turn with all that is told.
            Seen::Members { asked, .. } => by_then(&mut speaking, asked, sight.step),
            Seen::Settled => by_then(&mut speaking, sight.at, sight.step),
            Seen::Message(_) | Seen::Presence { .. } => {}
        }
    }
    if let Some(going) = connection.went.filter(|going| going.how == How::Left) {
        by_then(&mut speaking, going.span.from, going.step);
    }
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

/// Those of these messages that are shown as taken back.
pub(super) fn taken_back(messages: &[Arc<Message>]) -> impl Iterator<Item = u64> {
    messages.iter().filter(|message| message.redacted).map(|message| message.seq)
}
