//! A store around another one, which also writes down what that accepts.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use chatrooms::{
    Appended, Budget, Draft, Epoch, Life, Message, MessageStore, Opened, Page, Redaction, RoomName,
    StoreError, UserName, async_trait,
};
use serde_json::json;
use tokio::{task::spawn_blocking, time::Instant};

use super::journal::Journal;

/// Archives what another store keeps.
///
/// While the archive cannot be written, nothing is accepted any more. What the other store had accepted just before is written as soon as that is
/// possible again; only a crash right between the two loses a batch.
#[derive(Debug)]
pub(crate) struct Archive<S> {
    store: S,
    /// Shared with the threads that write, and never held over an await.
    journal: Arc<Mutex<Journal>>,
}

impl<S: MessageStore> Archive<S> {
    pub(crate) fn new(store: S, out: impl Write + Send + 'static) -> Self {
        Self { store, journal: Arc::new(Mutex::new(Journal::new(out))) }
    }

    /// Writes lines behind all that are still owed.
    async fn write(&self, lines: Vec<String>) -> io::Result<()> {
        let journal = Arc::clone(&self.journal);
        // A disk may take its time, and a thread of the runtime has none.
        let written = spawn_blocking(move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            lines.iter().for_each(|line| journal.add(line));
            journal.flush()
        });
        written.await.unwrap_or_else(|error| Err(error.into()))
    }
}

#[async_trait]
impl<S: MessageStore> MessageStore for Archive<S> {
    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        if let Err(error) = self.write(Vec::new()).await {
            let error = StoreError::unavailable("archive", error);
            return drafts.iter().map(|_| Err(error.clone())).collect();
        }
        let mut results = self.store.append(life, drafts, deadline).await;
        let lines = results.iter().filter_map(stored).map(|message| said(life, message)).collect();
        if let Err(error) = self.write(lines).await {
            // The other store has them: whoever reads it finds them, and the next line is written behind theirs.
            let error = StoreError::outcome_unknown("archive", error);
            let unwritten = results.iter_mut().filter(|result| stored(result).is_some());
            unwritten.for_each(|result| *result = Err(error.clone()));
        }
        results
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        let redaction = self.store.redact(life, seq, author).await?;
        if redaction == Redaction::Done {
            // It is done, whether it can be written down now or with the next line.
            let _owed = self.write(vec![taken_back(life, seq)]).await;
        }
        Ok(redaction)
    }

    async fn shutdown(&self) -> Result<(), StoreError> {
        let written = self.write(Vec::new()).await;
        self.store.shutdown().await?;
        written.map_err(|error| StoreError::unavailable("archive", error))
    }

    // What follows is the other store's alone: the archive is written and never read.

    async fn open(
        &self,
        room: &RoomName,
        kept: Option<Epoch>,
        recent: Budget,
    ) -> Result<Opened, StoreError> {
        self.store.open(room, kept, recent).await
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.store.read_before(life, before, budget).await
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        self.store.read_after(life, after, budget).await
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        self.store.trim(life, up_to).await
    }

    async fn note(&self, life: &Life, note: &str) -> Result<(), StoreError> {
        self.store.note(life, note).await
    }

    async fn close(&self, life: &Life) -> Result<u64, StoreError> {
        self.store.close(life).await
    }

    async fn abandoned(&self) -> Result<Vec<Life>, StoreError> {
        self.store.abandoned().await
    }
}

fn stored(result: &Result<Appended, StoreError>) -> Option<&Message> {
    match result {
        Ok(Appended::Stored { message, .. }) => Some(message),
        _ => None,
    }
}

fn said(life: &Life, message: &Message) -> String {
    let Draft { user, name, body, data, .. } = &message.draft;
    json!({
        "room": life.room, "epoch": life.epoch.to_string(), "seq": message.seq, "at": message.at,
        "user": user, "name": name.as_deref(), "body": &**body,
        "data": data.as_ref().map(|data| data.as_str()),
    })
    .to_string()
}

fn taken_back(life: &Life, seq: u64) -> String {
    json!({ "room": life.room, "epoch": life.epoch.to_string(), "redacted": seq }).to_string()
}
