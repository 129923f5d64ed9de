//! Where messages are kept: the contract between this crate and every store.

use std::{error::Error, fmt, sync::Arc};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{Draft, Epoch, Life, Message, RoomName, Timestamp, UserName};

/// Keeps the messages of rooms, gives them their order, and forgets them.
///
/// # Contract
/// What an implementation promises; the functions of the conformance suite (module `conformance` behind the feature of that
/// name) bear the same names.
///
/// 1. **A life starts empty.** [`open`](Self::open) without an epoch begins a life that nobody has seen: head 0, nothing
///    recent. It needs no write and works on a full disk.
/// 2. **The order is dense.** [`append`](Self::append) gives 1, 2, 3, … within a life, in the order of the drafts. A refused
///    draft takes no number.
/// 3. **Accepted means kept.** A message that `append` has returned is found by every later read of the same life,
///    until it is trimmed or the life is closed.
/// 4. **A nonce is stored once.** While a message is kept, another draft of the same user with the same nonce in the
///    same life is answered [`Appended::Duplicate`] and takes no number; also within one batch, and also when the
///    message has been redacted. Other users and other lives may use the same nonce. Case counts,
///    in users and in nonces.
/// 5. **One draft never fails another.** Each draft of a batch has its own result.
/// 6. **Lives never mix.** No call on one life reads, changes or removes anything of another, of the same room name or not.
/// 7. **A closed life stays closed.** After [`close`](Self::close) has been called, `append`, `redact` and reads on that life
///    answer [`StoreError::Closed`] or act as if it was empty, and nothing of it ever comes back, whether the
///    removal itself has succeeded or not. Closing twice, or a life that was never written, is no error.
/// 8. **Pages are gap-free.** [`read_before`](Self::read_before) and [`read_after`](Self::read_after) return consecutive
///    messages, oldest first, next to the given place, within the budget but at least one where there is one and the
///    budget allows for any, and say whether there are more beyond.
/// 9. **A redacted message says nothing.** After [`redact`](Self::redact) no read returns its body or its data; its place, its author
///    and its nonce stay. Redacting it again is no error.
/// 10. **Trimming takes the oldest.** [`trim`](Self::trim) removes all messages up to a number and none after it.
/// 11. **The lives of an earlier process are listed**, and never return by themselves. [`abandoned`](Self::abandoned) names
///     those that were written to and still open when an earlier process ended; each can be opened again by its epoch, with
///     what was kept of it, or closed, opened or not. Until it is opened it counts as ended. A store that ends with its
///     process lists none.
/// 12. **An error means what it says.** [`StoreError::Unavailable`]: nothing was stored and nothing will be.
///     [`StoreError::OutcomeUnknown`]: it may have been. An append that has not begun at its deadline is withdrawn.
/// 13. **A note goes with its life.** [`note`](Self::note) replaces the one text that is kept beside the messages of a life, and writes to that life also
///     where nothing has been said in it. Whoever opens the life again after a restart is given the newest note; with the life it ends and is removed. A
///     store that ends with its process need not keep it, because nobody can ask for it.
///
/// # Concurrency
/// Appends of one life come one batch at a time, and notes of one life one after the other; everything else may come at any time, from any task. While the runtime
/// lives the registry polls these futures to their end, those of the two reads excepted.
#[async_trait]
pub trait MessageStore: fmt::Debug + Send + Sync + 'static {
    /// Opens a life of a room and reads its recent messages: a fresh one, or with `kept` one of [`abandoned`](Self::abandoned).
    ///
    /// # Errors
    /// [`StoreError::Closed`] where `kept` is no abandoned life of that room; [`StoreError::Unavailable`] where it cannot be read.
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError>;

    /// Stores drafts in their order; one result for each.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after the life has ended; else as promise 12 says.
    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>>;

    /// The newest messages before `before` (exclusive), or the newest of all, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Closed`] or [`StoreError::Unavailable`].
    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError>;

    /// The oldest messages after `after` (exclusive), oldest first.
    ///
    /// # Errors
    /// [`StoreError::Closed`] or [`StoreError::Unavailable`].
    async fn read_after(&self, life: &Life, after: u64, budget: Budget)
    -> Result<Page, StoreError>;

    /// Takes a message back; with `author`, only where that user wrote it.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after the life has ended; else as promise 12 says.
    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError>;

    /// Forgets all messages up to `up_to` (inclusive).
    ///
    /// # Errors
    /// [`StoreError::Closed`] or [`StoreError::Unavailable`]; the caller tries again later.
    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError>;

    /// Replaces what is kept beside the messages of a life, for it to go on with after a restart: what a host has imposed on people there. It is this crate's
    /// to read, a text of at most some 300 bytes for each of [`Config::sanctions_per_room`](crate::Config::sanctions_per_room); an empty one says that there is nothing.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after the life has ended; else as promise 12 says. The caller tries again with what is to be kept then.
    async fn note(&self, life: &Life, note: &str) -> Result<(), StoreError>;

    /// Ends a life and removes its messages and its note; returns how many messages were removed by this call.
    ///
    /// The life is over for everybody as soon as this is called. An error says only that the removal has to be tried again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn close(&self, life: &Life) -> Result<u64, StoreError>;

    /// The lives that an earlier process left open and that nobody has opened or closed since.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn abandoned(&self) -> Result<Vec<Life>, StoreError>;

    /// Ends the store's own work in an orderly way. Lives that are open stay, for the next process to find.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn shutdown(&self) -> Result<(), StoreError>;
}

/// How much a read may return: at most so many messages, and no more once their text has so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The most messages.
    pub messages: usize,
    /// The most bytes of text ([`Draft::size`]); one message always fits.
    pub bytes: usize,
}

impl Budget {
    /// How many of these messages fit, taken in the order given.
    #[must_use]
    pub fn fitting<'a>(self, messages: impl Iterator<Item = &'a Arc<Message>>) -> usize {
        let mut bytes = 0;
        messages
            .take(self.messages)
            .take_while(|message| {
                let first = bytes == 0;
                bytes += message.draft.size().max(1);
                first || bytes <= self.bytes
            })
            .count()
    }
}

/// A life as it was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The life.
    pub life: Life,
    /// The newest message's number; 0 where there is none.
    pub head: u64,
    /// The oldest kept message's number; `head + 1` where none is kept.
    pub oldest: u64,
    /// The newest messages within the budget, oldest first, up to `head`.
    pub recent: Vec<Arc<Message>>,
    /// Every kept message that has been taken back.
    pub redacted: Vec<u64>,
    /// The newest [`note`](MessageStore::note) of an earlier process; empty where there is none.
    pub note: String,
}

impl Opened {
    /// A life that starts now.
    #[must_use]
    pub const fn fresh(life: Life) -> Self {
        Self {
            life,
            head: 0,
            oldest: 1,
            recent: Vec::new(),
            redacted: Vec::new(),
            note: String::new(),
        }
    }
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub enum Appended {
    /// It is kept.
    Stored {
        /// The message.
        message: Arc<Message>,
        /// The oldest message that the life keeps now.
        oldest: u64,
    },
    /// The user's nonce is known already; nothing was stored.
    Duplicate {
        /// The number of the message that has this nonce.
        seq: u64,
        /// When that was accepted.
        at: Timestamp,
    },
}

/// Consecutive messages.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The messages, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Whether the life keeps more in the direction of the read.
    pub more: bool,
}

/// What became of a request to take a message back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// It is taken back now.
    Done,
    /// It was before.
    Already,
    /// No such message is kept.
    NotFound,
    /// Somebody else wrote it.
    NotAuthor,
}

/// Why a store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The life has ended.
    #[error("the life has ended")]
    Closed,
    /// Nothing was stored and nothing will be; a later try may succeed.
    #[error("{store} is unavailable")]
    Unavailable {
        /// The store's own name, such as `sqlite`.
        store: &'static str,
        /// What it says itself.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// It had begun and may have happened.
    #[error("{store} cannot tell whether it happened")]
    OutcomeUnknown {
        /// The store's own name, such as `sqlite`.
        store: &'static str,
        /// What it says itself.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Wraps a store's own error that left nothing behind.
    pub fn unavailable(
        store: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { store, source: Arc::from(source.into()) }
    }

    /// Wraps a store's own error that leaves it open what happened.
    pub fn outcome_unknown(
        store: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::OutcomeUnknown { store, source: Arc::from(source.into()) }
    }
}

#[async_trait]
impl<S: MessageStore + ?Sized> MessageStore for Arc<S> {
    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        (**self).open(room, kept, recent).await
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        (**self).append(life, drafts, deadline).await
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        (**self).read_before(life, before, budget).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        (**self).read_after(life, after, budget).await
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        (**self).redact(life, seq, author).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        (**self).trim(life, up_to).await
    }

    async fn note(&self, life: &Life, note: &str) -> Result<(), StoreError> {
        (**self).note(life, note).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        (**self).close(life).await
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        (**self).abandoned().await
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        (**self).shutdown().await
    }
}
