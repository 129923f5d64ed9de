//! The newest messages of a live room, ready for those who join or resume.

use std::collections::VecDeque;

use crate::{Message, Nonce, UserName, cost, sync::Arc};

/// The newest messages without a gap, bounded in number and in bytes.
#[derive(Debug)]
pub(crate) struct Recent {
    ring: VecDeque<Entry>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    message: Arc<Message>,
    cost: usize,
}

impl Recent {
    pub(crate) const fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { ring: VecDeque::new(), bytes: 0, max_messages, max_bytes }
    }

    pub(crate) fn push(&mut self, message: Arc<Message>) {
        if self.ring.back().is_some_and(|newest| newest.message.seq + 1 != message.seq) {
            self.clear();
        }
        let cost = cost::message(&message);
        self.bytes += cost;
        self.ring.push_back(Entry { message, cost });
        while self.ring.len() > self.max_messages || self.bytes > self.max_bytes {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.bytes -= oldest.cost;
        }
    }

    pub(crate) fn has(&self, user: &UserName, nonce: &Nonce) -> bool {
        self.ring.iter().any(|entry| {
            let draft = &entry.message.draft;
            draft.nonce.as_ref() == Some(nonce) && draft.user.as_ref() == Some(user)
        })
    }

    fn clear(&mut self) {
        self.ring.clear();
        self.bytes = 0;
    }

    /// Forgets all messages before `oldest`: they are not kept any more.
    pub(crate) fn trim(&mut self, oldest: u64) {
        while let Some(entry) = self.ring.pop_front_if(|entry| entry.message.seq < oldest) {
            self.bytes -= entry.cost;
        }
    }

    /// The newest messages, oldest first, that fit.
    pub(crate) fn tail(&self, messages: usize, bytes: usize) -> Vec<Arc<Message>> {
        let mut left = bytes;
        let fitting = self.ring.iter().rev().take(messages).take_while(|entry| {
            let fits = entry.cost <= left;
            left = left.saturating_sub(entry.cost);
            fits
        });
        self.from(self.ring.len() - fitting.count())
    }

    /// All messages after `seq` up to `head`, where every one of them is at hand and they fit.
    pub(crate) fn since(&self, seq: u64, head: u64, bytes: usize) -> Option<Vec<Arc<Message>>> {
        let missing = usize::try_from(head.checked_sub(seq)?).ok()?;
        let start = self.ring.len().checked_sub(missing)?;
        let cost: usize = self.ring.range(start..).map(|entry| entry.cost).sum();
        (cost <= bytes).then(|| self.from(start))
    }

    /// The most bytes that so many of the newest messages take.
    pub(crate) fn size(&self, messages: usize) -> usize {
        self.ring.iter().rev().take(messages).map(|entry| entry.cost).sum()
    }

    fn from(&self, start: usize) -> Vec<Arc<Message>> {
        self.ring.range(start..).map(|entry| Arc::clone(&entry.message)).collect()
    }

    pub(crate) fn redact(&mut self, seq: u64) {
        let found = self.ring.binary_search_by_key(&seq, |entry| entry.message.seq);
        if let Some(entry) = found.ok().and_then(|index| self.ring.get_mut(index)) {
            let message = Arc::new(entry.message.redact());
            self.bytes -= entry.cost;
            entry.cost = cost::message(&message);
            self.bytes += entry.cost;
            entry.message = message;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Timestamp, UserName};

    fn recent(
        max_messages: usize,
        max_bytes: usize,
        seqs: std::ops::RangeInclusive<u64>,
    ) -> Recent {
        let mut recent = Recent::new(max_messages, max_bytes);
        for seq in seqs {
            let draft = Draft::new(UserName::new("ada").unwrap(), "hello");
            recent.push(Arc::new(Message::new(seq, Timestamp(0), draft)));
        }
        recent
    }

    fn seqs(messages: &[Arc<Message>]) -> Vec<u64> {
        messages.iter().map(|message| message.seq).collect()
    }

    #[test]
    fn it_holds_the_newest_within_both_bounds() {
        assert_eq!(seqs(&recent(3, 100_000, 1..=5).tail(10, 100_000)), [3, 4, 5]);
        let one = recent(1, 100_000, 1..=1).bytes;
        assert_eq!(seqs(&recent(9, 2 * one, 1..=5).tail(10, 100_000)), [4, 5]);
    }

    #[test]
    fn a_tail_ends_with_the_newest_and_fits() {
        let recent = recent(9, 100_000, 1..=5);
        let one = recent.bytes / 5;
        assert_eq!(seqs(&recent.tail(2, 100_000)), [4, 5]);
        assert_eq!(seqs(&recent.tail(9, 3 * one + 1)), [3, 4, 5]);
        assert_eq!(seqs(&recent.tail(0, 100_000)), [0; 0]);
    }

    #[test]
    fn a_resume_is_whole_or_nothing() {
        let recent = recent(3, 100_000, 1..=5);
        let one = recent.bytes / 3;
        assert_eq!(recent.since(2, 5, 100_000).map(|m| seqs(&m)), Some(vec![3, 4, 5]));
        assert_eq!(recent.since(5, 5, 100_000).map(|m| seqs(&m)), Some(vec![]));
        assert_eq!(recent.since(1, 5, 100_000), None, "too far back");
        assert_eq!(recent.since(6, 5, 100_000), None, "beyond the newest");
        assert_eq!(recent.since(2, 5, 2 * one), None, "does not fit");
    }

    #[test]
    fn what_is_not_kept_any_more_is_not_shown_any_more() {
        let mut recent = recent(9, 100_000, 1..=5);
        recent.trim(4);
        assert_eq!(seqs(&recent.tail(9, 100_000)), [4, 5]);
        assert_eq!(recent.since(2, 5, 100_000), None);
        recent.trim(9);
        assert_eq!(recent.bytes, 0);
    }

    #[test]
    fn a_gap_starts_it_anew() {
        let mut recent = recent(9, 100_000, 1..=2);
        let draft = Draft::new(UserName::new("ada").unwrap(), "hello");
        recent.push(Arc::new(Message::new(4, Timestamp(0), draft)));
        assert_eq!(seqs(&recent.tail(9, 100_000)), [4]);
        assert_eq!(recent.since(2, 4, 100_000), None);
    }

    #[test]
    fn a_redacted_message_keeps_its_place() {
        let mut recent = recent(9, 100_000, 1..=3);
        recent.redact(2);
        recent.redact(77);
        let tail = recent.tail(9, 100_000);
        assert_eq!(seqs(&tail), [1, 2, 3]);
        assert!(tail[1].redacted && tail[1].draft.body.is_empty() && !tail[0].redacted);
    }
}
