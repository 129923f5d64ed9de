//! What is kept is shown: joins, resumes and pages have what was asked for, and say whether there is more.

use std::{collections::HashMap, ops::RangeInclusive};

use super::{
    Fault, Place,
    order::{Known, Ledger},
    run::{Connection, Deed, Reading, Run, Wish},
    sends::Said,
};
use crate::{Config, Epoch, RoomName, cost};

pub(super) fn judge(run: &mut Run<'_>, ledger: &Ledger<'_>, known: &HashMap<Epoch, Known>) {
    let kept = Kept::new(run, ledger);
    let mut found = Vec::new();
    for connection in &run.connections {
        let place = || run.place(connection.client, connection.step, Some(connection.room));
        found.extend(kept.join(connection).map(|fault| (fault, place())));
        found.extend(kept.resume(connection).map(|fault| (fault, place())));
    }
    for reading in &run.readings {
        let Some(epoch) = run.life(reading) else { continue };
        let known = known.get(&epoch).map_or(0, |known| known.before(reading.span.from));
        let place = || run.place(reading.client, reading.step, Some(reading.room));
        found.extend(kept.page(reading, epoch, known).map(|fault| (fault, place())));
    }
    found.into_iter().for_each(|(fault, place): (_, Place)| run.blame(fault, place));
}

/// What is known of what is kept.
struct Kept<'r, 't> {
    run: &'r Run<'t>,
    ledger: &'r Ledger<'t>,
    /// By when a page was asked for, the oldest message in it and in all later ones: until then it was kept.
    pages: HashMap<Epoch, Vec<(u64, u64)>>,
    /// How many messages there can be at most, where that can be told.
    said: Option<Said<'t>>,
    /// How many messages are kept at least.
    keep: u64,
}

impl<'r, 't> Kept<'r, 't> {
    fn new(run: &'r Run<'t>, ledger: &'r Ledger<'t>) -> Self {
        let mut pages: HashMap<Epoch, Vec<(u64, u64)>> = HashMap::new();
        for reading in &run.readings {
            if let Some(epoch) = run.life(reading)
                && let Some(oldest) = reading.what.page.messages.first()
            {
                pages.entry(epoch).or_default().push((reading.span.from, oldest.seq));
            }
        }
        for pages in pages.values_mut() {
            pages.sort_unstable();
            let mut oldest = u64::MAX;
            for (_, seq) in pages.iter_mut().rev() {
                oldest = oldest.min(*seq);
                *seq = oldest;
            }
        }
        let said = run.trace.complete.then(|| Said::new(run));
        Self { run, ledger, pages, said, keep: run.keep() }
    }

    /// Whether a message that there is was kept for certain when something was answered.
    fn is_kept(&self, epoch: Epoch, room: &RoomName, seq: u64, answered: u64) -> bool {
        let pages = self.pages.get(&epoch).map_or(&[][..], Vec::as_slice);
        let later = pages.partition_point(|(asked, _)| *asked <= answered);
        let is_shown_later = pages.get(later).is_some_and(|(_, oldest)| *oldest <= seq);
        let most = self.said.as_ref().map(|said| said.at_most(epoch, room));
        is_shown_later || most.is_some_and(|most| most.saturating_sub(seq) < self.keep)
    }

    /// Whether these messages fit into an answer for certain: they take half of what they may.
    fn fit(&self, epoch: Epoch, seqs: RangeInclusive<u64>, reply_bytes: usize) -> bool {
        let mut left = reply_bytes / 4;
        seqs.into_iter().all(|seq| {
            // Of one that was taken back it is not known how large it was.
            let entry = self.ledger.get(&(epoch, seq)).filter(|entry| !entry.message.redacted);
            let fits = entry.and_then(|entry| left.checked_sub(cost::message(entry.message)));
            left = fits.unwrap_or(0);
            fits.is_some()
        })
    }

    /// What is wrong with the messages of a join.
    fn join(&self, connection: &Connection<'_>) -> Option<Fault> {
        let (cut, bounds) = (connection.cut, &self.run.log(connection.client).bounds);
        let older = cut.messages.first().map_or(cut.seq, |oldest| oldest.seq.saturating_sub(1));
        if older == 0 {
            return cut.more.then_some(Fault::NothingOlder {});
        }
        let is_kept = self.is_kept(cut.epoch, connection.room, older, connection.came.to);
        let messages = cut.messages.len();
        if !cut.resumed
            && let Some(Wish { history, .. }) = connection.wish
        {
            let wanted = history.unwrap_or(Config::DEFAULT_HISTORY);
            let is_short = messages < wanted.min(bounds.history).min(bounds.recent);
            // The newest one is always kept, and there is always room for it.
            let is_there = if messages == 0 {
                self.keep > 0
            } else {
                is_kept && self.fit(cut.epoch, older..=cut.seq, bounds.reply_bytes)
            };
            if is_short && is_there {
                return Some(Fault::Short { messages });
            }
        }
        (is_kept && !cut.more).then_some(Fault::OlderUntold { seq: older })
    }

    /// What is wrong with a resume that was not granted.
    fn resume(&self, connection: &Connection<'_>) -> Option<Fault> {
        let (cut, bounds) = (connection.cut, &self.run.log(connection.client).bounds);
        let (epoch, since) = connection.wish?.resume?;
        if cut.resumed || epoch != cut.epoch || since > cut.seq {
            return None;
        }
        // Where messages have been trimmed it may not be known any more which ones were taken back; and were it all of them, their numbers fit beside the messages.
        let is_whole = cut.seq <= self.keep && cut.seq <= bounds.reply_bytes as u64 / 128;
        let is_at_hand = cut.seq - since <= bounds.recent as u64
            && self.fit(epoch, since + 1..=cut.seq, bounds.reply_bytes);
        (is_whole && is_at_hand).then_some(Fault::NotResumed { since, seq: cut.seq })
    }

    /// What is wrong with a page, when messages up to `known` were known before it was asked for.
    fn page(&self, reading: &Deed<'_, Reading<'_>>, epoch: Epoch, known: u64) -> Option<Fault> {
        let Reading { before, most, page } = reading.what;
        let newest = before.map_or(known, |before| known.min(before.saturating_sub(1)));
        let is_kept = |seq| seq > 0 && self.is_kept(epoch, reading.room, seq, reading.span.to);
        let (Some(oldest), Some(last)) = (page.messages.first(), page.messages.last()) else {
            let is_short = most > 0 && (page.more || is_kept(newest));
            return is_short.then_some(Fault::Short { messages: 0 });
        };
        if before.is_some() && last.seq < newest {
            return Some(Fault::TornPage {});
        }
        if page.more && oldest.seq <= 1 {
            return Some(Fault::NothingOlder {});
        }
        let older = oldest.seq.saturating_sub(1);
        (!page.more && is_kept(older)).then_some(Fault::OlderUntold { seq: older })
    }
}
