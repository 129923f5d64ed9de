//! Which lives a store has, over the processes that use it.

use crate::{Life, StoreError};

/// The lives that have been opened, in that order, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// Those that are not closed. Few: a search is as good as a map, and keeps the order.
    kept: Vec<Kept>,
    closed: Vec<Life>,
    /// How many processes have ended.
    ended: usize,
}

#[derive(Debug)]
struct Kept {
    life: Life,
    /// The newest message ever stored, for that cannot be read from a store once it is trimmed.
    head: u64,
    /// The newest note. The store underneath may have kept none.
    note: Option<String>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    /// Closing has been asked for and has not succeeded.
    Ending,
    /// An earlier process left it open.
    Abandoned,
}

impl Lives {
    /// Which process is running.
    pub(super) const fn process(&self) -> usize {
        self.ended
    }

    pub(super) fn open(&self) -> Vec<Life> {
        self.kept.iter().map(|kept| kept.life.clone()).collect()
    }

    pub(super) fn closed(&self) -> Vec<Life> {
        self.closed.clone()
    }

    pub(super) fn abandoned(&self) -> impl Iterator<Item = &Life> {
        let left = self.kept.iter().filter(|kept| kept.stage == Stage::Abandoned);
        left.map(|kept| &kept.life)
    }

    /// Only what is open can be used.
    pub(super) fn check(&self, life: &Life) -> Result<(), StoreError> {
        let open = self.find(life).is_some_and(|kept| kept.stage == Stage::Open);
        if open { Ok(()) } else { Err(StoreError::Closed) }
    }

    pub(super) fn opened(&mut self, life: Life, head: u64) {
        self.kept.push(Kept { life, head, note: None, stage: Stage::Open });
    }

    /// Opens a life that an earlier process has left; tells its head and its note.
    pub(super) fn reopen(&mut self, life: &Life) -> Option<(u64, String)> {
        let kept = self.find_mut(life).filter(|kept| kept.stage == Stage::Abandoned)?;
        kept.stage = Stage::Open;
        Some((kept.head, kept.note.clone().unwrap_or_default()))
    }

    /// Puts it back: it could not be opened after all.
    pub(super) fn leave(&mut self, life: &Life) {
        self.set(life, Stage::Abandoned);
    }

    pub(super) fn wrote(&mut self, life: &Life, seq: u64) {
        if let Some(kept) = self.find_mut(life) {
            kept.head = kept.head.max(seq);
        }
    }

    pub(super) fn noted(&mut self, life: &Life, note: &str) {
        if let Some(kept) = self.find_mut(life) {
            kept.note = Some(note.to_owned());
        }
    }

    pub(super) fn ending(&mut self, life: &Life) {
        self.set(life, Stage::Ending);
    }

    pub(super) fn ended(&mut self, life: &Life) {
        self.kept.retain(|kept| kept.life != *life);
        self.closed.push(life.clone());
    }

    /// The process has ended: what was written to is left, everything else is gone.
    pub(super) fn restart(&mut self) -> usize {
        self.ended += 1;
        self.kept.retain(|kept| kept.head > 0 || kept.note.is_some());
        for kept in &mut self.kept {
            kept.stage = Stage::Abandoned;
        }
        self.ended
    }

    pub(super) fn lose_abandoned(&mut self) {
        self.kept.retain(|kept| kept.stage != Stage::Abandoned);
    }

    fn set(&mut self, life: &Life, stage: Stage) {
        if let Some(kept) = self.find_mut(life) {
            kept.stage = stage;
        }
    }

    fn find(&self, life: &Life) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.life == *life)
    }

    fn find_mut(&mut self, life: &Life) -> Option<&mut Kept> {
        self.kept.iter_mut().find(|kept| kept.life == *life)
    }
}
