//! Reading: the readers of a file, and the pages that they return.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatrooms_core::{
    Budget, Data, Draft, Life, Message, Nonce, Page, StoreError, Timestamp, UserName,
};
use futures_util::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use tokio::{
    sync::{OwnedMutexGuard, Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{
    connection::Slot,
    error::{self, NAME},
    insert::{epoch_bytes, integer, number},
    lives::State,
};

/// Where reads go.
#[derive(Debug)]
pub(crate) enum Readers {
    /// Connections of their own.
    Pool(Pool),
    /// The writer's connection, between its transactions: a database in memory has no other.
    Writer(Arc<tokio::sync::Mutex<Slot>>),
}

#[derive(Debug)]
pub(crate) struct Pool {
    /// As many permits as slots.
    free: Semaphore,
    /// Those that nobody has. Never held across an await.
    slots: Mutex<Vec<Slot>>,
}

/// A connection to read from; it goes back by itself.
pub(crate) enum Lease<'a> {
    Pool { pool: &'a Pool, slot: Option<Slot>, _permit: SemaphorePermit<'a> },
    Writer(OwnedMutexGuard<Slot>),
}

impl Readers {
    pub(crate) fn pool(slots: Vec<Slot>) -> Self {
        Self::Pool(Pool { free: Semaphore::new(slots.len()), slots: Mutex::new(slots) })
    }

    /// Waits for a connection, for at most `patience`.
    pub(crate) async fn lease(&self, patience: Duration) -> Result<Lease<'_>, StoreError> {
        let busy = |_| StoreError::unavailable(NAME, "all readers are busy");
        match self {
            Self::Pool(pool) => {
                let permit = timeout(patience, pool.free.acquire()).await.map_err(busy)?;
                let permit = permit.map_err(|_| error::ended())?;
                let slot = pool.slots().pop();
                Ok(Lease::Pool { pool, slot, _permit: permit })
            }
            Self::Writer(slot) => {
                let slot = timeout(patience, Arc::clone(slot).lock_owned()).await.map_err(busy)?;
                Ok(Lease::Writer(slot))
            }
        }
    }

    /// Closes the readers' own connections, those in use as they come back.
    pub(crate) async fn close(&self) {
        let Self::Pool(pool) = self else { return };
        pool.free.close();
        let slots = std::mem::take(&mut *pool.slots());
        for mut slot in slots {
            slot.close().await;
        }
    }
}

impl Pool {
    fn slots(&self) -> std::sync::MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// Does one read. A connection that broke is replaced for the next one.
    pub(crate) async fn read<T>(
        &mut self,
        read: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let result = read(self.get().await?).await;
        if let Err(error) = &result {
            self.blame(error).await;
        }
        result.map_err(error::unavailable)
    }
}

impl Deref for Lease<'_> {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        match self {
            Self::Pool { slot, .. } => {
                slot.as_ref().expect("a lease has its slot until it is dropped")
            }
            Self::Writer(slot) => slot,
        }
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Slot {
        match self {
            Self::Pool { slot, .. } => {
                slot.as_mut().expect("a lease has its slot until it is dropped")
            }
            Self::Writer(slot) => slot,
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Self::Pool { pool, slot, .. } = self {
            // Under the lock, so that one who closes the pool finds it or is found.
            let mut slots = pool.slots();
            if !pool.free.is_closed() {
                slots.extend(slot.take());
            }
        }
    }
}

/// Asks the file how a life stands: its row, its newest and its oldest message.
pub(crate) async fn settle(
    conn: &mut SqliteConnection,
    life: &Life,
    state: &mut State,
) -> Result<(), sqlx::Error> {
    let found = sqlx::query(
        "SELECT id, trimmed, (SELECT coalesce(max(seq), 0) FROM chatrooms_messages WHERE life = chatrooms_lives.id) \
         FROM chatrooms_lives WHERE epoch = ?1",
    )
    .bind(epoch_bytes(life))
    .fetch_optional(conn)
    .await?;
    state.row = None;
    if let Some(found) = found {
        let trimmed = number(found.try_get(1)?);
        state.row = Some(found.try_get(0)?);
        state.head = trimmed.max(number(found.try_get(2)?));
        state.oldest = trimmed + 1;
    }
    state.doubtful = false;
    Ok(())
}

/// What was noted of a life.
pub(crate) async fn note(conn: &mut SqliteConnection, life: i64) -> Result<String, sqlx::Error> {
    sqlx::query("SELECT note FROM chatrooms_lives WHERE id = ?1")
        .bind(life)
        .fetch_one(conn)
        .await?
        .try_get(0)
}

/// The numbers of all messages of a life that have been taken back.
pub(crate) async fn redacted(
    conn: &mut SqliteConnection,
    life: i64,
) -> Result<Vec<u64>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq FROM chatrooms_messages WHERE life = ?1 AND redacted = 1 ORDER BY seq",
    )
    .bind(life)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| row.try_get(0).map(number)).collect()
}

/// The newest messages before a number, oldest first.
pub(crate) async fn before(
    conn: &mut SqliteConnection,
    life: i64,
    before: u64,
    budget: Budget,
) -> Result<Vec<Arc<Message>>, sqlx::Error> {
    const SQL: &str = "SELECT seq, at, author, name, body, data, nonce, redacted FROM chatrooms_messages \
        WHERE life = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
    let mut messages = page(conn, SQL, life, before, budget).await?;
    messages.reverse();
    Ok(messages)
}

/// The oldest messages after a number, oldest first.
pub(crate) async fn after(
    conn: &mut SqliteConnection,
    life: i64,
    after: u64,
    budget: Budget,
) -> Result<Vec<Arc<Message>>, sqlx::Error> {
    const SQL: &str = "SELECT seq, at, author, name, body, data, nonce, redacted FROM chatrooms_messages \
        WHERE life = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    page(conn, SQL, life, after, budget).await
}

async fn page(
    conn: &mut SqliteConnection,
    sql: &'static str,
    life: i64,
    place: u64,
    budget: Budget,
) -> Result<Vec<Arc<Message>>, sqlx::Error> {
    let limit = i64::try_from(budget.messages).unwrap_or(i64::MAX);
    let mut rows = sqlx::query(sql).bind(life).bind(integer(place)).bind(limit).fetch(conn);
    let mut messages = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = rows.try_next().await? {
        let message = message(&row)?;
        bytes = bytes.saturating_add(message.draft.size().max(1));
        if bytes > budget.bytes && !messages.is_empty() {
            break;
        }
        messages.push(Arc::new(message));
    }
    Ok(messages)
}

fn message(row: &SqliteRow) -> Result<Message, sqlx::Error> {
    let user: Option<&str> = row.try_get(2)?;
    let body: &str = row.try_get(4)?;
    let name: Option<&str> = row.try_get(3)?;
    let data: Option<&str> = row.try_get(5)?;
    let nonce: Option<&str> = row.try_get(6)?;
    let draft = Draft {
        user: user
            .map(UserName::new)
            .transpose()
            .map_err(|error| sqlx::Error::Decode(error.into()))?,
        name: name.map(Into::into),
        body: body.into(),
        data: data.map(Data::new),
        nonce: nonce.and_then(Nonce::new),
    };
    let at = Timestamp(number(row.try_get(1)?));
    Ok(Message { seq: number(row.try_get(0)?), at, draft, redacted: row.try_get(7)? })
}

/// A page with what lies beyond it, seen from a life that keeps `state`.
pub(crate) fn page_before(messages: Vec<Arc<Message>>, before: u64, state: State) -> Page {
    let first = messages.first().map_or(before.min(state.head + 1), |message| message.seq);
    Page { messages, more: first > state.oldest }
}

/// The same in the other direction.
pub(crate) fn page_after(messages: Vec<Arc<Message>>, after: u64, state: State) -> Page {
    let last = messages.last().map_or(after.max(state.oldest - 1), |message| message.seq);
    Page { messages, more: last < state.head }
}
