//! Moving what the log holds to the database while others write, so that they wait for little when the log is emptied.

use std::{future::pending, sync::Arc, time::Duration};

use sqlx::{Row as _, SqliteConnection};
use tokio::{task::JoinHandle, time::Instant};

use crate::store::Shared;

/// It is moved again until nothing has come meanwhile, so that nothing waits for the disk while nobody can write, and because readers are mostly brief; at most
/// so many times, because somebody may always be writing, or go on reading.
const TIMES: usize = 8;
/// And not again after so long: what was removed must not stay in the log meanwhile.
const LONG: Duration = Duration::from_millis(500);

/// A task that does it, on a connection of its own.
#[derive(Debug, Default)]
pub(crate) enum Backfill {
    #[default]
    NotBegun,
    UnderWay(JoinHandle<bool>),
    /// Whether all was moved, or it is for whoever empties the log to find out why not.
    Done(bool),
}

impl Backfill {
    pub(crate) fn begin(&mut self, shared: &Arc<Shared>) {
        *self = Self::UnderWay(tokio::spawn(move_log(Arc::clone(shared))));
    }

    pub(crate) const fn is_begun(&self) -> bool {
        !matches!(self, Self::NotBegun)
    }

    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::NotBegun => false,
            Self::UnderWay(task) => task.is_finished(),
            Self::Done(_) => true,
        }
    }

    /// Returns once it has ended, and never where none is under way.
    ///
    /// # Cancel safety
    /// The task goes on.
    pub(crate) async fn ended(&mut self) {
        let Self::UnderWay(task) = self else { return pending().await };
        *self = Self::Done(task.await.unwrap_or(true));
    }

    /// Waits for the end of one that is under way; says whether the log can be emptied, as far as that is known.
    pub(crate) async fn finish(&mut self) -> bool {
        if matches!(self, Self::UnderWay(_)) {
            self.ended().await;
        }
        !matches!(self, Self::Done(false))
    }
}

/// Says whether nothing is left that had been written before, such as what somebody still reads from the log.
async fn move_log(shared: Arc<Shared>) -> bool {
    let mut slot = shared.backfiller.lock().await;
    let (mut is_moved, mut before) = (true, None);
    let began = Instant::now();
    for _ in 0..TIMES {
        let Ok(conn) = slot.get().await else { return true };
        let moved = match move_once(conn).await {
            Ok(moved) => moved,
            Err(error) => {
                slot.blame(&error).await;
                return true;
            }
        };
        is_moved = moved.is_all;
        let is_nothing_new = before.replace(moved.frames) == Some(moved.frames);
        if (is_nothing_new && is_moved) || began.elapsed() >= LONG {
            break;
        }
    }
    is_moved
}

struct Moved {
    /// How many frames are in the log.
    frames: i64,
    is_all: bool,
}

async fn move_once(conn: &mut SqliteConnection) -> Result<Moved, sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(conn).await?;
    let [busy, frames, moved]: [i64; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
    Ok(Moved { frames, is_all: busy == 0 && frames == moved })
}

#[cfg(test)]
mod tests {
    use chatrooms_core::{Budget, Draft, Life, MessageStore as _, RoomName, UserName};
    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::SqliteStore;

    const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

    async fn say(store: &SqliteStore, life: &Life) {
        let draft = Draft::new(UserName::new("ada").unwrap(), "text");
        let deadline = Instant::now() + Duration::from_secs(60);
        store.append(life, vec![draft], deadline).await.remove(0).unwrap();
    }

    #[tokio::test]
    async fn the_log_is_moved_while_somebody_writes() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path().join("chat.db")).await.unwrap();
        // The writer, which empties the log, has to wait.
        let mut slot = store.shared.slot.lock().await;
        let writing = "CREATE TABLE of_the_host (text TEXT); BEGIN IMMEDIATE";
        sqlx::raw_sql(writing).execute(slot.get().await.unwrap()).await.unwrap();
        assert!(move_log(Arc::clone(&store.shared)).await);
        let mut backfiller = store.shared.backfiller.lock().await;
        let moved = move_once(backfiller.get().await.unwrap()).await.unwrap();
        assert!(moved.is_all && moved.frames > 0, "{} frames", moved.frames);
    }

    #[tokio::test]
    async fn a_log_that_somebody_reads_from_is_not_all_moved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chat.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let tea = RoomName::new("tea").unwrap();
        let life = store.open(&tea, None, ALL).await.unwrap().life;
        let mut reader = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        let reading = "BEGIN; SELECT count(*) FROM chatrooms_messages";
        sqlx::raw_sql(reading).execute(&mut reader).await.unwrap();
        say(&store, &life).await;
        assert!(!move_log(Arc::clone(&store.shared)).await);
        sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
        // The writer empties the log now, and meanwhile nobody else can move it.
        while !move_log(Arc::clone(&store.shared)).await {}
    }
}
