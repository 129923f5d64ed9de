//! What one session alone is told: memory that it shares with nobody.

use std::{
    fmt,
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;

use crate::{backlog::Backlog, sync::Arc};

/// An answer that whoever drives a session has encoded; this crate does not look into it.
///
/// It counts among the [answers of all sessions](crate::Config::answer_bytes_in_all) for as long as it is there: whoever writes it keeps it until it is written.
pub struct AnswerFrame {
    frame: Bytes,
    account: Option<Arc<Account>>,
}

impl AnswerFrame {
    /// One that counts nowhere: for whoever writes it at once.
    #[must_use]
    pub const fn new(frame: Bytes) -> Self {
        Self { frame, account: None }
    }

    pub(crate) fn counted(frame: Bytes, account: &Arc<Account>) -> Self {
        account.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        account.backlog.answers.add(frame.len());
        Self { frame, account: Some(Arc::clone(account)) }
    }
}

impl Deref for AnswerFrame {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.frame
    }
}

impl Drop for AnswerFrame {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            account.bytes.fetch_sub(self.frame.len(), Ordering::Relaxed);
            account.backlog.answers.subtract(self.frame.len());
        }
    }
}

impl fmt::Debug for AnswerFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerFrame").field("bytes", &self.frame.len()).finish_non_exhaustive()
    }
}

/// The answers of one session that are there.
#[derive(Debug)]
pub(crate) struct Account {
    /// Relaxed like all that the backlog counts by.
    bytes: AtomicUsize,
    backlog: Arc<Backlog>,
}

impl Account {
    pub(crate) fn new(backlog: Arc<Backlog>) -> Self {
        Self { bytes: AtomicUsize::new(0), backlog }
    }

    /// Whether there are more answers of this session than may be as things stand.
    pub(crate) fn is_over(&self) -> bool {
        let share = self.backlog.answer_share();
        // Nearly always, and then the session's own memory is left alone: this is asked for each copy of a message.
        share != usize::MAX && self.bytes.load(Ordering::Relaxed) > share
    }
}
