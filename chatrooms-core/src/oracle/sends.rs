//! What was accepted is there once, and what is there was said.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Fault, Place,
    order::{Entry, Ledger},
    run::{Became, Deed, NEVER, Run, Saying},
};
use crate::{Draft, Epoch, Message, Nonce, RoomName, UserName};

/// A place in a life.
type Spot = (Epoch, u64);

pub(super) fn judge(run: &mut Run<'_>, ledger: &Ledger<'_>) {
    let (accepted, mut found) = accepted(run, ledger);
    found.extend(nonces(run, ledger));
    if run.trace.complete {
        found.extend(Accounts::new(run, ledger, &accepted).unaccounted());
        found.extend(too_many(run));
        found.extend(duplicates_of_nothing(run));
        found.extend(signals_of_nobody(run));
    }
    found.into_iter().for_each(|(fault, place)| run.blame(fault, place));
}

fn place<T>(run: &Run<'_>, deed: &Deed<'_, T>) -> Place {
    run.place(deed.client, deed.step, Some(deed.room))
}

/// The spots for which it is known what was accepted there: each for one message, and for the one that stands there.
fn accepted(run: &Run<'_>, ledger: &Ledger<'_>) -> (HashSet<Spot>, Vec<(Fault, Place)>) {
    let mut accepted = HashSet::new();
    let mut found = Vec::new();
    for saying in &run.sayings {
        let Became::Accepted { seq, duplicate } = saying.what.became else { continue };
        let Some(epoch) = run.life(saying) else { continue };
        if !duplicate && !accepted.insert((epoch, seq)) {
            found.push((Fault::OnePlaceForTwo { seq }, place(run, saying)));
        }
        // What a policy makes of a draft is in no trace that is not complete.
        let Some(entry) = ledger.get(&(epoch, seq)).filter(|_| run.trace.complete) else {
            continue;
        };
        let fits =
            if duplicate { is_by(entry.message, saying) } else { says(entry.message, saying) };
        if !fits {
            found.push((Fault::Changed { seq }, place(run, saying)));
        }
    }
    (accepted, found)
}

/// Whether this message is what was said.
fn says(message: &Message, saying: &Deed<'_, Saying<'_>>) -> bool {
    let (is, said) = (&message.draft, saying.what.draft);
    let same_words = message.redacted || (&is.body, &is.data) == (&said.body, &said.data);
    same_words && is_by(message, saying)
}

/// Whether this message has the author and the nonce of what was said.
fn is_by(message: &Message, saying: &Deed<'_, Saying<'_>>) -> bool {
    let (is, said) = (&message.draft, &saying.what);
    (is.user.as_ref(), &is.nonce) == (said.by, &said.draft.nonce)
}

/// Nonces that stand in two places, or were accepted as two, though the first of them was still kept.
fn nonces(run: &Run<'_>, ledger: &Ledger<'_>) -> Vec<(Fault, Place)> {
    let mut places: HashMap<(Epoch, &UserName, &Nonce), BTreeMap<u64, Place>> = HashMap::new();
    for ((epoch, seq), Entry { message, place }) in ledger {
        let Draft { user: Some(user), nonce: Some(nonce), .. } = &message.draft else { continue };
        places.entry((*epoch, user, nonce)).or_default().insert(*seq, place.clone());
    }
    for saying in &run.sayings {
        if let Became::Accepted { seq, .. } = saying.what.became
            && let Some(epoch) = run.life(saying)
            && let (Some(user), Some(nonce)) = (saying.what.by, &saying.what.draft.nonce)
        {
            let places = places.entry((epoch, user, nonce)).or_default();
            places.entry(seq).or_insert_with(|| place(run, saying));
        }
    }
    let mut found = Vec::new();
    for seqs in places.values() {
        for ((first, _), (second, place)) in seqs.iter().zip(seqs.iter().skip(1)) {
            if second - first <= run.keep() {
                let fault = Fault::NonceTwice { first: *first, second: *second };
                found.push((fault, place.clone()));
            }
        }
    }
    found
}

/// How much can have been said.
pub(super) struct Said<'t> {
    lives: HashMap<Epoch, u64>,
    /// By those who were in no life that is known.
    elsewhere: HashMap<&'t RoomName, u64>,
}

impl<'t> Said<'t> {
    pub(super) fn new(run: &Run<'t>) -> Self {
        let mut said = Self { lives: HashMap::new(), elsewhere: HashMap::new() };
        for saying in run.sayings.iter().filter(|saying| may_be_kept(saying)) {
            let lives = run.lives(saying.client, saying.room, saying.span);
            if lives.is_empty() {
                *said.elsewhere.entry(saying.room).or_default() += 1;
            }
            for epoch in lives {
                *said.lives.entry(epoch).or_default() += 1;
            }
        }
        said
    }

    /// As many messages at most there can be in a life.
    pub(super) fn at_most(&self, epoch: Epoch, room: &RoomName) -> u64 {
        self.lives.get(&epoch).unwrap_or(&0) + self.elsewhere.get(room).unwrap_or(&0)
    }
}

/// More messages in a life than can have been said there.
fn too_many(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let all = Said::new(run);
    let mut found = Vec::new();
    for connection in &run.connections {
        let seq = connection.cut.seq;
        let said = all.at_most(connection.cut.epoch, connection.room);
        if seq > said {
            let place = run.place(connection.client, connection.step, Some(connection.room));
            found.push((Fault::TooMany { seq, said }, place));
        }
    }
    found
}

fn may_be_kept(saying: &Deed<'_, Saying<'_>>) -> bool {
    matches!(saying.what.became, Became::Unknown | Became::Accepted { duplicate: false, .. })
}

/// Signals that nobody else has sent: whoever sends one is not told of it.
fn signals_of_nobody(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut sent: HashMap<(&RoomName, &UserName), Vec<(usize, u64)>> = HashMap::new();
    for signal in &run.signals {
        if let Some(user) = signal.user {
            sent.entry((signal.room, user)).or_default().push((signal.client, signal.span.from));
        }
    }
    let is_sent = |heard: &&Deed<'_, &UserName>| {
        let by = sent.get(&(heard.room, heard.what)).map_or(&[][..], Vec::as_slice);
        by.iter().any(|(client, from)| *client != heard.client && *from < heard.span.to)
    };
    let found = run.heard.iter().filter(|heard| !is_sent(heard));
    found
        .map(|heard| (Fault::SignalOfNobody { user: heard.what.clone() }, place(run, heard)))
        .collect()
}

/// Messages that were named as sent before, and nothing was sent before.
fn duplicates_of_nothing(run: &Run<'_>) -> Vec<(Fault, Place)> {
    let mut first: HashMap<(&RoomName, Option<&UserName>, &Nonce), u64> = HashMap::new();
    let with_nonce = || {
        run.sayings.iter().filter_map(|saying| {
            let nonce = saying.what.draft.nonce.as_ref()?;
            Some((saying, (saying.room, saying.user, nonce)))
        })
    };
    for (saying, key) in with_nonce().filter(|(saying, _)| may_be_kept(saying)) {
        let from = first.entry(key).or_insert(NEVER);
        *from = saying.span.from.min(*from);
    }
    let mut found = Vec::new();
    for (saying, key) in with_nonce() {
        let Became::Accepted { seq, duplicate: true } = saying.what.became else { continue };
        if first.get(&key).is_none_or(|from| *from > saying.span.to) {
            found.push((Fault::DuplicateOfNothing { seq }, place(run, saying)));
        }
    }
    found
}

/// Each message has to be one that was said, and none of them twice. Those are paired for which it is not known which is which.
struct Accounts<'r, 't> {
    run: &'r Run<'t>,
    /// The messages of which nobody was told that they were accepted.
    open: Vec<(Spot, &'r Entry<'t>)>,
    /// For each of them, what may have become it.
    may_be: Vec<Vec<usize>>,
    /// For what was said, which message it is.
    is: Vec<Option<usize>>,
}

impl<'r, 't> Accounts<'r, 't> {
    fn new(run: &'r Run<'t>, ledger: &'r Ledger<'t>, accepted: &HashSet<Spot>) -> Self {
        let open: Vec<_> = ledger
            .iter()
            .filter(|(spot, _)| !accepted.contains(spot))
            .map(|(spot, entry)| (*spot, entry))
            .collect();
        // What was accepted in a known life stands where it was accepted.
        let is_open = |saying: &&Deed<'_, Saying<'_>>| match saying.what.became {
            Became::Accepted { duplicate, .. } => !duplicate && run.life(saying).is_none(),
            Became::Unknown => true,
            Became::Refused(_) => false,
        };
        let said: Vec<_> = run.sayings.iter().filter(is_open).collect();
        let mut by_words: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, saying) in said.iter().enumerate() {
            let words = key(saying.room, saying.what.by, &saying.what.draft.body);
            by_words.entry(words).or_default().push(index);
        }
        let may_be = open.iter().map(|((epoch, seq), entry)| {
            let room = entry.place.room.as_ref();
            let candidates: Vec<usize> = if entry.message.redacted {
                (0..said.len()).collect()
            } else {
                let Draft { user, body, .. } = &entry.message.draft;
                let same = room.and_then(|room| by_words.get(&key(room, user.as_ref(), body)));
                same.cloned().unwrap_or_default()
            };
            let fits = |index: &usize| fits(run, said[*index], (*epoch, *seq), entry);
            candidates.into_iter().filter(fits).collect()
        });
        let may_be = may_be.collect();
        let is = vec![None; said.len()];
        Self { run, open, may_be, is }
    }

    /// The messages that cannot all have been said.
    fn unaccounted(mut self) -> Vec<(Fault, Place)> {
        let mut found = Vec::new();
        for message in 0..self.open.len() {
            if !self.pair(message, &mut HashSet::new()) {
                let (_, entry) = self.open[message];
                found.push((self.fault(message), entry.place.clone()));
            }
        }
        found
    }

    /// Finds what was said for a message, where need be by finding something else for another one (Kuhn's algorithm).
    fn pair(&mut self, message: usize, tried: &mut HashSet<usize>) -> bool {
        for at in 0..self.may_be[message].len() {
            let saying = self.may_be[message][at];
            if !tried.insert(saying) {
                continue;
            }
            let is_free = match self.is[saying] {
                None => true,
                Some(other) => self.pair(other, tried),
            };
            if is_free {
                self.is[saying] = Some(message);
                return true;
            }
        }
        false
    }

    /// What is wrong with a message that nobody accounts for.
    fn fault(&self, message: usize) -> Fault {
        let ((epoch, seq), entry) = self.open[message];
        let same: Vec<_> = self
            .run
            .sayings
            .iter()
            .filter(|saying| {
                let lives = self.run.lives(saying.client, saying.room, saying.span);
                Some(saying.room) == entry.place.room.as_ref()
                    && says(entry.message, saying)
                    && (lives.is_empty() || lives.contains(&epoch))
            })
            .collect();
        let is_kept = same.iter().any(|saying| may_be_kept(saying));
        let refused = same.iter().find_map(|saying| match saying.what.became {
            Became::Refused(code) => Some(code),
            _ => None,
        });
        match refused {
            Some(code) => Fault::RefusedButShown { seq, code: code.clone() },
            None if is_kept => Fault::Doubled { seq },
            None => Fault::Invented { seq },
        }
    }
}

/// By what those are found that say the same.
const fn key<'t>(
    room: &'t RoomName,
    by: Option<&'t UserName>,
    body: &'t str,
) -> (&'t RoomName, Option<&'t UserName>, &'t str) {
    (room, by, body)
}

/// Whether what was said may have become the message of that spot.
fn fits(
    run: &Run<'_>,
    saying: &Deed<'_, Saying<'_>>,
    (epoch, seq): Spot,
    entry: &Entry<'_>,
) -> bool {
    let lives = run.lives(saying.client, saying.room, saying.span);
    let place_fits = match saying.what.became {
        Became::Accepted { seq: accepted, .. } => accepted == seq,
        _ => true,
    };
    Some(saying.room) == entry.place.room.as_ref()
        && place_fits
        && says(entry.message, saying)
        && (lives.is_empty() || lives.contains(&epoch))
}
