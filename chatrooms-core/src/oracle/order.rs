//! One order for everybody: the same message in the same place, and none that comes before what was known before it.

use std::collections::{BTreeMap, HashMap};

use super::{
    Fault, Place,
    run::{Became, How, NEVER, Run, Seen},
};
use crate::{Epoch, Message, sync::Arc};

/// What everybody has seen, by its place.
pub(super) type Ledger<'t> = BTreeMap<(Epoch, u64), Entry<'t>>;

/// A message, and where it was seen first.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) message: &'t Message,
    pub(super) place: Place,
}

/// Puts together what everybody has seen. Where two have seen different things in one place, the first one stands.
pub(super) fn ledger<'t>(run: &mut Run<'t>) -> Ledger<'t> {
    let mut ledger = Ledger::new();
    let mut found = Vec::new();
    for (epoch, message, place) in messages(run) {
        let seq = message.seq;
        let entry =
            ledger.entry((epoch, seq)).or_insert_with(|| Entry { message, place: place.clone() });
        if !are_the_same(entry.message, message) {
            found.push((Fault::Differs { seq, first: entry.place.clone() }, place));
        } else if entry.message.redacted && !message.redacted {
            // What it said before it was taken back tells more.
            entry.message = message;
        }
    }
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
    ledger
}

/// All messages that anybody was shown, in an order of no meaning.
fn messages<'t>(run: &Run<'t>) -> Vec<(Epoch, &'t Message, Place)> {
    let mut all = Vec::new();
    for connection in &run.connections {
        let epoch = connection.cut.epoch;
        let place = |step| run.place(connection.client, step, Some(connection.room));
        let cut = connection.cut.messages.iter();
        all.extend(cut.map(|message| (epoch, &**message, place(connection.step))));
        for sight in &connection.seen {
            if let Seen::Message(message) = sight.what {
                all.push((epoch, message, place(sight.step)));
            }
        }
    }
    for reading in &run.readings {
        if let Some(epoch) = run.life(reading) {
            let place = run.place(reading.client, reading.step, Some(reading.room));
            let page = reading.what.page.messages.iter();
            all.extend(page.map(|message: &'t Arc<Message>| (epoch, &**message, place.clone())));
        }
    }
    all
}

/// Whether these can be one message, seen before and after it was taken back.
fn are_the_same(one: &Message, other: &Message) -> bool {
    let (a, b) = (&one.draft, &other.draft);
    let says_the_same = one.redacted || other.redacted || (&a.body, &a.data) == (&b.body, &b.data);
    says_the_same && (one.at, &a.user, &a.name, &a.nonce) == (other.at, &b.user, &b.name, &b.nonce)
}

/// What was known of a life, by when.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By a time, that there is a message; later the newest one so far.
    newest: Vec<(u64, u64)>,
}

impl Known {
    /// Has it stand in the order of time.
    fn settle(&mut self) {
        self.newest.sort_unstable();
        let mut newest = 0;
        for (_, seq) in &mut self.newest {
            newest = newest.max(*seq);
            *seq = newest;
        }
    }

    /// The newest message that was known before then.
    pub(super) fn before(&self, time: u64) -> u64 {
        let known = self.newest.partition_point(|(at, _)| *at < time);
        known.checked_sub(1).map_or(0, |last| self.newest[last].1)
    }
}

/// Judges by what was known before something was asked for.
pub(super) fn judge(run: &mut Run<'_>, known: &HashMap<Epoch, Known>) {
    let mut found = Vec::new();
    let before = |epoch: &Epoch, time| known.get(epoch).map_or(0, |known| known.before(time));
    for connection in &run.connections {
        let (epoch, cut) = (&connection.cut.epoch, connection.cut);
        let place = |step| run.place(connection.client, step, Some(connection.room));
        let there = before(epoch, connection.came.from);
        if there > cut.seq {
            let fault = Fault::Stale { seq: cut.seq, known: there };
            found.push((fault, place(connection.step)));
        }
        let mut head = cut.seq;
        for sight in &connection.seen {
            let time = match sight.what {
                Seen::Message(message) => {
                    head = head.max(message.seq);
                    continue;
                }
                // A list of members comes in its turn with all that is told.
                Seen::Members { asked, .. } => asked,
                Seen::Settled => sight.at,
                Seen::Redacted(_) | Seen::Presence { .. } => continue,
            };
            let known = before(epoch, time);
            if known > head {
                found.push((Fault::Missed { head, known }, place(sight.step)));
                // Once is enough.
                head = known;
            }
        }
        if let Some(going) = connection.went.filter(|going| going.how == How::Left) {
            let known = before(epoch, going.span.from);
            if known > head {
                found.push((Fault::Missed { head, known }, place(going.step)));
            }
        }
    }
    for reading in &run.readings {
        let Some(epoch) = run.life(reading) else { continue };
        let known = before(&epoch, reading.span.from);
        let seq = reading.what.page.messages.last().map_or(0, |message| message.seq);
        if reading.what.before.is_none() && reading.what.most > 0 && known > seq {
            let place = run.place(reading.client, reading.step, Some(reading.room));
            found.push((Fault::Stale { seq, known }, place));
        }
    }
    for saying in &run.sayings {
        let Became::Accepted { seq, duplicate: false } = saying.what.became else { continue };
        let Some(epoch) = run.life(saying) else { continue };
        let known = before(&epoch, saying.span.from);
        if known >= seq {
            let place = run.place(saying.client, saying.step, Some(saying.room));
            found.push((Fault::OutOfTurn { seq, known }, place));
        }
    }
    found.extend(reordered(run));
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

/// What was known of each life.
pub(super) fn known(run: &Run<'_>) -> HashMap<Epoch, Known> {
    let mut known: HashMap<Epoch, Known> = HashMap::new();
    for connection in &run.connections {
        let life = known.entry(connection.cut.epoch).or_default();
        life.newest.push((connection.came.to, connection.cut.seq));
        for sight in &connection.seen {
            if let Seen::Message(message) = sight.what {
                life.newest.push((sight.at, message.seq));
            }
        }
    }
    for saying in &run.sayings {
        if let Became::Accepted { seq, .. } = saying.what.became
            && saying.span.to < NEVER
            && let Some(epoch) = run.life(saying)
        {
            known.entry(epoch).or_default().newest.push((saying.span.to, seq));
        }
    }
    known.values_mut().for_each(Known::settle);
    known
}

/// Messages of one socket that were not kept in the order in which they were sent.
fn reordered(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut found = Vec::new();
    let mut last: HashMap<(usize, Epoch), u64> = HashMap::new();
    let mut sayings: Vec<_> =
        run.sayings.iter().filter(|saying| run.log(saying.client).in_order).collect();
    sayings.sort_unstable_by_key(|saying| saying.span.from);
    for saying in sayings {
        let Became::Accepted { seq, duplicate: false } = saying.what.became else { continue };
        let Some(epoch) = run.life(saying) else { continue };
        let earlier = last.entry((saying.client, epoch)).or_default();
        if seq < *earlier {
            let place = run.place(saying.client, saying.step, Some(saying.room));
            found.push((Fault::Reordered { seq, earlier: *earlier }, place));
        }
        *earlier = seq.max(*earlier);
    }
    found
}
