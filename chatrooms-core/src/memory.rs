//! The store that a registry has by default: everything in memory, gone with the process.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use dashmap::DashMap;
use tokio::time::Instant;

use crate::{
    Appended, Budget, Draft, Epoch, Life, Message, MessageStore, Nonce, Opened, Page, Redaction,
    RoomName, StoreError, Timestamp, UserName, unique::BuildUniqueHasher,
};

const NAME: &str = "memory";

/// Keeps messages in memory, for as long as the process lives.
///
/// Each life has a lock of its own, so that rooms never wait for each other. The text that a life keeps is
/// bounded ([`MemoryStore::DEFAULT_MAX_BYTES`] unless told otherwise): the oldest messages go first, and
/// [`Appended::Stored`] says which one is the oldest after that.
///
/// ```
/// use chatrooms_core::{MemoryStore, MessageStore};
/// # async fn example() -> Result<(), chatrooms_core::StoreError> {
/// let store = MemoryStore::new();
/// assert!(store.abandoned().await?.is_empty(), "no process leaves anything behind");
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    /// Only the lives that are open: one that is not here has ended, or never began. Nothing is made for one in which nothing has been asked for: many rooms are over before anybody says
    /// something.
    lives: DashMap<Life, Option<Arc<Mutex<Kept>>>, BuildUniqueHasher>,
    max_bytes: usize,
}

impl MemoryStore {
    /// The bytes of text that one life keeps by default: 16 MiB.
    pub const DEFAULT_MAX_BYTES: usize = 16 * 1024 * 1024;

    /// A store with the default bound.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_bytes(Self::DEFAULT_MAX_BYTES)
    }

    /// A store whose lives keep at most so many bytes of text ([`Draft::size`]) each. The newest message is
    /// always kept, however large.
    #[must_use]
    pub fn with_max_bytes(max_bytes: usize) -> Self {
        Self { lives: DashMap::default(), max_bytes }
    }

    /// What a life keeps. The map's own guard ends here, so that a slow life holds up no other.
    fn kept(&self, life: &Life) -> Result<Arc<Mutex<Kept>>, StoreError> {
        if let Some(kept) = &*self.lives.get(life).ok_or(StoreError::Closed)? {
            return Ok(Arc::clone(kept));
        }
        let mut begun = self.lives.get_mut(life).ok_or(StoreError::Closed)?;
        Ok(Arc::clone(begun.get_or_insert_default()))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("lives", &self.lives.len())
            .field("max_bytes", &self.max_bytes)
            .finish()
    }
}

/// What one life keeps.
#[derive(Default)]
struct Kept {
    /// Consecutive, the oldest in front.
    messages: VecDeque<Arc<Message>>,
    /// The number of the newest message ever stored, kept or not.
    head: u64,
    /// The text of `messages`.
    bytes: usize,
    /// The messages that have been sent with a nonce, by user and nonce.
    nonces: HashMap<(UserName, Nonce), u64>,
    /// Set by a close, for those who found the life just before it.
    over: bool,
}

/// Every method leaves the life whole before it can panic, so a poisoned lock tells nothing.
fn lock(kept: &Mutex<Kept>) -> Result<MutexGuard<'_, Kept>, StoreError> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.over { Err(StoreError::Closed) } else { Ok(kept) }
}

impl Kept {
    fn oldest(&self) -> u64 {
        self.messages.front().map_or(self.head + 1, |message| message.seq)
    }

    /// Where the first message after `seq` is, or would be.
    fn position_after(&self, seq: u64) -> usize {
        let first = seq.saturating_add(1).saturating_sub(self.oldest());
        usize::try_from(first).map_or(self.messages.len(), |first| first.min(self.messages.len()))
    }

    fn append(&mut self, draft: Draft, at: Timestamp, max_bytes: usize) -> Appended {
        let mark = draft.user.clone().zip(draft.nonce.clone());
        if let Some(known) = mark.as_ref().and_then(|mark| self.nonces.get(mark)) {
            let at = self.messages[self.position_after(known - 1)].at;
            return Appended::Duplicate { seq: *known, at };
        }
        self.head += 1;
        if let Some(mark) = mark {
            self.nonces.insert(mark, self.head);
        }
        self.bytes += draft.size();
        let message = Arc::new(Message::new(self.head, at, draft));
        self.messages.push_back(Arc::clone(&message));
        while self.bytes > max_bytes && self.messages.len() > 1 {
            self.forget_oldest();
        }
        Appended::Stored { message, oldest: self.oldest() }
    }

    fn forget_oldest(&mut self) {
        let Some(message) = self.messages.pop_front() else { return };
        self.bytes -= message.draft.size();
        if let (Some(user), Some(nonce)) = (&message.draft.user, &message.draft.nonce) {
            self.nonces.remove(&(user.clone(), nonce.clone()));
        }
    }

    fn before(&self, before: Option<u64>, budget: Budget) -> Page {
        let end = before
            .map_or(self.messages.len(), |before| self.position_after(before.saturating_sub(1)));
        let fitting = budget.fitting(self.messages.range(..end).rev());
        let messages = self.messages.range(end - fitting..end).cloned().collect();
        Page { messages, more: end > fitting }
    }

    fn after(&self, after: u64, budget: Budget) -> Page {
        let start = self.position_after(after);
        let fitting = budget.fitting(self.messages.range(start..));
        let end = start + fitting;
        let messages = self.messages.range(start..end).cloned().collect();
        Page { messages, more: end < self.messages.len() }
    }

    fn redact(&mut self, seq: u64, author: Option<&UserName>) -> Redaction {
        let Some(place) = seq.checked_sub(self.oldest()).and_then(|at| usize::try_from(at).ok())
        else {
            return Redaction::NotFound;
        };
        let Some(message) = self.messages.get_mut(place) else { return Redaction::NotFound };
        if author.is_some() && author != message.draft.user.as_ref() {
            return Redaction::NotAuthor;
        }
        if message.redacted {
            return Redaction::Already;
        }
        self.bytes -= message.draft.size();
        *message = Arc::new(message.redact());
        Redaction::Done
    }

    fn trim(&mut self, up_to: u64) {
        while self.messages.front().is_some_and(|message| message.seq <= up_to) {
            self.forget_oldest();
        }
    }
}

#[async_trait]
impl MessageStore for MemoryStore {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        _recent: Budget,
    ) -> Result<Opened, StoreError> {
        if kept.is_some() {
            return Err(StoreError::Closed);
        }
        let life = Life::new(room.clone());
        self.lives.insert(life.clone(), None);
        Ok(Opened::fresh(life))
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        let refused = |error: StoreError| drafts.iter().map(|_| Err(error.clone())).collect();
        if deadline < Instant::now() {
            return refused(StoreError::unavailable(NAME, "the deadline has passed"));
        }
        let kept = match self.kept(life) {
            Ok(kept) => kept,
            Err(closed) => return refused(closed),
        };
        let mut kept = match lock(&kept) {
            Ok(kept) => kept,
            Err(closed) => return refused(closed),
        };
        let at = Timestamp::now();
        drafts.into_iter().map(|draft| Ok(kept.append(draft, at, self.max_bytes))).collect()
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        Ok(lock(&*self.kept(life)?)?.before(before, budget))
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        Ok(lock(&*self.kept(life)?)?.after(after, budget))
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        Ok(lock(&*self.kept(life)?)?.redact(seq, author))
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        lock(&*self.kept(life)?)?.trim(up_to);
        Ok(())
    }

    /// Nobody can open a life again that ends with the process, so that there is nothing to keep.
    async fn note(&self, life: &Life, _: &str) -> Result<(), StoreError> {
        lock(&*self.kept(life)?).map(drop)
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        let Some((_, Some(kept))) = self.lives.remove(life) else { return Ok(0) };
        // What was kept is dropped after the lock, which others may be waiting for.
        let ended = {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *kept, Kept { over: true, ..Kept::default() })
        };
        Ok(ended.messages.len() as u64)
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        Ok(Vec::new())
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

    async fn opened(store: &MemoryStore) -> Life {
        store.open(&RoomName::new("tea").unwrap(), None, ALL).await.unwrap().life
    }

    fn draft(body: &str) -> Draft {
        Draft::new(UserName::new("ada").unwrap(), body)
    }

    /// Appends one draft and tells its number and the oldest one kept.
    async fn append(store: &MemoryStore, life: &Life, draft: Draft) -> (u64, u64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        match store.append(life, vec![draft], deadline).await.remove(0) {
            Ok(Appended::Stored { message, oldest }) => (message.seq, oldest),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_oldest_go_when_the_text_of_a_life_is_over_its_bound() {
        let store = MemoryStore::with_max_bytes(10);
        let life = opened(&store).await;
        assert_eq!(append(&store, &life, draft("aaaa")).await, (1, 1));
        assert_eq!(append(&store, &life, draft("bbbb")).await, (2, 1));
        assert_eq!(append(&store, &life, draft("cccc")).await, (3, 2));
        let all = store.read_before(&life, None, ALL).await.unwrap();
        assert_eq!(all.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [2, 3]);
        assert!(!all.more);
    }

    #[tokio::test]
    async fn a_message_over_the_bound_is_kept_alone() {
        let store = MemoryStore::with_max_bytes(10);
        let life = opened(&store).await;
        append(&store, &life, draft("a")).await;
        assert_eq!(append(&store, &life, draft(&"b".repeat(100))).await, (2, 2));
        assert_eq!(append(&store, &life, draft("c")).await, (3, 3));
    }

    #[tokio::test]
    async fn a_redacted_message_gives_its_bytes_back() {
        let store = MemoryStore::with_max_bytes(10);
        let life = opened(&store).await;
        append(&store, &life, draft("aaaaaaaa")).await;
        assert_eq!(store.redact(&life, 1, None).await.unwrap(), Redaction::Done);
        assert_eq!(append(&store, &life, draft("bbbbbbbb")).await, (2, 1));
    }

    #[tokio::test]
    async fn a_trimmed_nonce_may_be_used_again() {
        let store = MemoryStore::with_max_bytes(4);
        let life = opened(&store).await;
        let marked = Draft { nonce: Nonce::new("n"), ..draft("aaaa") };
        append(&store, &life, marked.clone()).await;
        append(&store, &life, draft("bbbb")).await;
        assert_eq!(append(&store, &life, marked).await, (3, 3));
        assert_eq!(store.kept(&life).unwrap().lock().unwrap().nonces.len(), 1);
    }

    #[tokio::test]
    async fn who_has_found_a_life_just_before_its_end_finds_it_ended() {
        let store = MemoryStore::new();
        let life = opened(&store).await;
        let found = store.kept(&life).unwrap();
        store.close(&life).await.unwrap();
        assert!(matches!(lock(&found), Err(StoreError::Closed)));
    }

    #[tokio::test]
    async fn nothing_remains_of_lives_that_have_ended() {
        let store = MemoryStore::new();
        for _ in 0..100 {
            let life = opened(&store).await;
            append(&store, &life, draft("a")).await;
            assert_eq!(store.close(&life).await.unwrap(), 1);
        }
        assert!(store.lives.is_empty());
    }
}
