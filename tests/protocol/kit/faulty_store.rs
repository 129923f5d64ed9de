//! A store that does what it should, until a test tells it not to.

use chatrooms::{
    Appended, Budget, Draft, Epoch, Life, MemoryStore, MessageStore, Opened, Page, Redaction,
    RoomName, StoreError, UserName, async_trait,
};
use tokio::sync::watch;
use tokio::time::Instant;

/// How a store behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    Well,
    /// Says no, and has not done it.
    Refusing,
    /// Does it, and says that it cannot tell.
    Unsure,
    /// Begins and does not go on before its mood changes.
    Stuck,
}

#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    mood: watch::Sender<Mood>,
    stuck: watch::Sender<usize>,
}

impl FaultyStore {
    pub(crate) fn new() -> Self {
        let (mood, stuck) = (watch::Sender::new(Mood::Well), watch::Sender::new(0));
        Self { inner: MemoryStore::new(), mood, stuck }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Waits until a call has got stuck.
    pub(crate) async fn is_stuck(&self) {
        let mut stuck = self.stuck.subscribe();
        stuck.wait_for(|calls| *calls > 0).await.expect("the store lives");
    }

    /// What it feels like, once it does anything at all.
    async fn mood(&self) -> Mood {
        self.stuck.send_modify(|calls| *calls += usize::from(*self.mood.borrow() == Mood::Stuck));
        let mut mood = self.mood.subscribe();
        *mood.wait_for(|mood| *mood != Mood::Stuck).await.expect("the store lives")
    }

    async fn able(&self) -> Result<(), StoreError> {
        match self.mood().await {
            Mood::Refusing => Err(refused()),
            _ => Ok(()),
        }
    }
}

fn refused() -> StoreError {
    StoreError::unavailable("faulty", "told to refuse")
}

fn unsure() -> StoreError {
    StoreError::outcome_unknown("faulty", "told to be unsure")
}

#[async_trait]
impl MessageStore for FaultyStore {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        self.able().await?;
        self.inner.open(room, kept, recent).await
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        match self.mood().await {
            Mood::Refusing => drafts.iter().map(|_| Err(refused())).collect(),
            Mood::Unsure => {
                let stored = self.inner.append(life, drafts, deadline).await;
                stored.iter().map(|_| Err(unsure())).collect()
            }
            Mood::Well | Mood::Stuck => self.inner.append(life, drafts, deadline).await,
        }
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.able().await?;
        self.inner.read_before(life, before, budget).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.able().await?;
        self.inner.read_after(life, after, budget).await
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        self.able().await?;
        self.inner.redact(life, seq, author).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        self.able().await?;
        self.inner.trim(life, up_to).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        self.able().await?;
        self.inner.close(life).await
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        self.inner.abandoned().await
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        self.inner.shutdown().await
    }
}
