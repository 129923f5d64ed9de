//! Who has been silent for too long. No clock but the caller's, no network: what was seen comes in, who is dead comes out.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// Watches the beats of the other nodes.
///
/// A node counts as dead once its counter has not moved for a whole lease during which it was looked at all the time. Any break in looking, whether it was Redis that did not answer or
/// this process that did not run, begins the wait anew for everybody.
#[derive(Debug)]
pub(crate) struct Watchtower {
    lease: Duration,
    /// When the last look was.
    looked: Option<Instant>,
    seen: HashMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    beat: u64,
    /// Since when that is all there was to be seen.
    since: Instant,
}

impl Watchtower {
    pub(crate) fn new(lease: Duration) -> Self {
        Self { lease, looked: None, seen: HashMap::new() }
    }

    /// Looks were to come this often.
    pub(crate) fn interval(&self) -> Duration {
        self.lease / 4
    }

    /// Takes what was seen just now: the beat of each node. Returns who is dead, and by which beat.
    pub(crate) fn saw(
        &mut self,
        now: Instant,
        beats: impl IntoIterator<Item = (String, u64)>,
    ) -> Vec<(String, u64)> {
        let is_unbroken =
            self.looked.is_some_and(|last| now.duration_since(last) <= self.lease / 2);
        if !is_unbroken {
            self.seen.clear();
        }
        self.looked = Some(now);
        let mut before = std::mem::take(&mut self.seen);
        let mut dead = Vec::new();
        for (node, beat) in beats {
            let since = match before.remove(&node) {
                Some(seen) if seen.beat == beat => seen.since,
                _ => now,
            };
            if now.duration_since(since) >= self.lease {
                dead.push((node.clone(), beat));
            }
            self.seen.insert(node, Seen { beat, since });
        }
        dead
    }

    /// A look failed: nobody knows what there was to be seen.
    pub(crate) fn missed(&mut self) {
        self.looked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);
    const QUARTER: Duration = Duration::from_millis(2500);

    /// Looks every quarter of a lease at one node, whose beats are these; says at which look it was dead.
    fn dead_at(tower: &mut Watchtower, start: Instant, beats: &[u64]) -> Option<usize> {
        (0..).zip(beats).position(|(look, beat)| {
            !tower.saw(start + QUARTER * look, [("b".to_owned(), *beat)]).is_empty()
        })
    }

    #[test]
    fn a_node_is_dead_after_a_whole_lease_of_silence_and_not_before() {
        let start = Instant::now();
        assert_eq!(dead_at(&mut Watchtower::new(LEASE), start, &[1, 1, 1, 1, 1, 1]), Some(4));
        assert_eq!(
            dead_at(&mut Watchtower::new(LEASE), start, &[1, 1, 1, 1, 2, 2, 2, 2, 2]),
            Some(8)
        );
        assert_eq!(dead_at(&mut Watchtower::new(LEASE), start, &[1, 2, 3, 4, 5, 6, 7, 8]), None);
    }

    #[test]
    fn an_outage_declares_nobody_dead() {
        let start = Instant::now();
        let mut tower = Watchtower::new(LEASE);
        assert_eq!(dead_at(&mut tower, start, &[1, 1, 1, 1]), None);
        tower.missed();
        let back = start + QUARTER * 4;
        assert_eq!(dead_at(&mut tower, back, &[1, 1, 1, 1]), None);
        let dead = tower.saw(back + LEASE, [("b".to_owned(), 1)]);
        assert_eq!(dead, [("b".to_owned(), 1)], "after a whole lease since then");
    }

    #[test]
    fn whoever_did_not_run_for_a_while_declares_nobody_dead() {
        let start = Instant::now();
        let mut tower = Watchtower::new(LEASE);
        let seen = || [("b".to_owned(), 1)];
        assert!(tower.saw(start, seen()).is_empty());
        assert!(tower.saw(start + QUARTER, seen()).is_empty());
        let woken = start + Duration::from_secs(3600);
        assert!(tower.saw(woken, seen()).is_empty());
        assert_eq!(dead_at(&mut tower, woken + QUARTER, &[1, 1, 1, 1]), Some(3));
    }

    #[test]
    fn who_is_not_there_any_more_is_forgotten() {
        let start = Instant::now();
        let mut tower = Watchtower::new(LEASE);
        tower.saw(start, [("b".to_owned(), 1), ("c".to_owned(), 1)]);
        tower.saw(start + QUARTER, [("c".to_owned(), 2)]);
        assert_eq!(tower.seen.len(), 1);
    }
}
