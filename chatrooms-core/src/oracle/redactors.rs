//! What was taken back was taken back by somebody, and was there.

use std::collections::HashMap;

use super::{
    Fault, Place,
    redactions::taken_back,
    run::{Became, Connection, Deed, NEVER, Run, Seen, Span},
    sends::Said,
};
use crate::{Epoch, RoomName};

pub(super) fn judge(run: &mut Run<'_>) {
    let mut found = of_nothing(run);
    if run.trace.complete {
        found.extend(by_nobody(run));
    }
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

/// Messages that were taken back, or are shown so, and nobody who was there asked for it.
fn by_nobody(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut asked: HashMap<(&RoomName, u64), Vec<(usize, Span)>> = HashMap::new();
    for redaction in &run.redactions {
        let by = asked.entry((redaction.room, redaction.what)).or_default();
        by.push((redaction.client, redaction.span));
    }
    let is_somebodys = |sighting: &Sighting<'_>| {
        let Sighting { epoch, room, seq, at, .. } = *sighting;
        let by = asked.get(&(room, seq)).map_or(&[][..], Vec::as_slice);
        by.iter().any(|(client, span)| {
            let lives = run.lives(*client, room, *span);
            // The host need not be there, and who was not told that they are may be in any life.
            let may_be_there = lives.is_empty()
                || lives.contains(&epoch)
                || run.may_be_hidden_in(*client, room, *span);
            may_be_there && span.from < at
        })
    };
    let found = sightings(run).into_iter().filter(|sighting| !is_somebodys(sighting));
    found.map(|sighting| (Fault::ByNobody { seq: sighting.seq }, sighting.place(run))).collect()
}

/// Somebody was shown, or told, that a message had been taken back.
struct Sighting<'t> {
    epoch: Epoch,
    room: &'t RoomName,
    seq: u64,
    at: u64,
    client: usize,
    step: usize,
}

impl Sighting<'_> {
    fn place(&self, run: &Run<'_>) -> Place {
        run.place(self.client, self.step, Some(self.room))
    }
}

fn sightings<'t>(run: &Run<'t>) -> Vec<Sighting<'t>> {
    let mut all = Vec::new();
    for connection in &run.connections {
        let Connection { client, room, cut, .. } = *connection;
        let epoch = cut.epoch;
        let sighting = |seq, at, step| Sighting { epoch, room, seq, at, client, step };
        let shown = taken_back(&cut.messages).chain(cut.redacted.iter().copied());
        all.extend(shown.map(|seq| sighting(seq, connection.came.to, connection.step)));
        let told = connection.seen.iter().filter_map(|sight| match sight.what {
            Seen::Redacted(seq) => Some((seq, sight)),
            Seen::Message(message) => message.redacted.then_some((message.seq, sight)),
            _ => None,
        });
        all.extend(told.map(|(seq, sight)| sighting(seq, sight.at, sight.step)));
    }
    for reading in &run.readings {
        let Some(epoch) = run.life(reading) else { continue };
        let Deed { client, step, room, span, what, .. } = *reading;
        let shown = taken_back(&what.page.messages);
        all.extend(shown.map(|seq| Sighting { epoch, room, seq, at: span.to, client, step }));
    }
    all
}

/// Redactions that were done, as it was said, of what never was a message in that life.
fn of_nothing(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let heads = heads(run);
    let said = run.trace.complete.then(|| Said::new(run));
    let mut found = Vec::new();
    for redaction in run.redactions.iter().filter(|redaction| redaction.span.to < NEVER) {
        let Some(epoch) = run.life(redaction) else { continue };
        let seq = redaction.what;
        let heads = heads.get(&epoch).map_or(&[][..], Vec::as_slice);
        let later = heads.partition_point(|(asked, _)| *asked <= redaction.span.to);
        let is_beyond = heads.get(later).is_some_and(|(_, head)| seq > *head)
            || said.as_ref().is_some_and(|said| seq > said.at_most(epoch, redaction.room));
        if seq == 0 || is_beyond {
            let place = run.place(redaction.client, redaction.step, Some(redaction.room));
            found.push((Fault::RedactedNothing { seq }, place));
        }
    }
    found
}

/// By when it was asked, and which was the newest message that there was then at most; also for all that was asked later.
fn heads(run: &Run<'_>) -> HashMap<Epoch, Vec<(u64, u64)>> {
    let mut heads: HashMap<Epoch, Vec<(u64, u64)>> = HashMap::new();
    for connection in &run.connections {
        let heads = heads.entry(connection.cut.epoch).or_default();
        let mut head = connection.cut.seq;
        heads.push((connection.came.from, head));
        for sight in &connection.seen {
            match sight.what {
                Seen::Message(message) => head = head.max(message.seq),
                Seen::Settled => heads.push((sight.at, head)),
                _ => {}
            }
        }
    }
    for saying in &run.sayings {
        if let Became::Accepted { seq, duplicate: false } = saying.what.became
            && let Some(epoch) = run.life(saying)
        {
            heads.entry(epoch).or_default().push((saying.span.from, seq.saturating_sub(1)));
        }
    }
    for heads in heads.values_mut() {
        heads.sort_unstable();
        let mut least = u64::MAX;
        for (_, head) in heads.iter_mut().rev() {
            least = least.min(*head);
            *head = least;
        }
    }
    heads
}
