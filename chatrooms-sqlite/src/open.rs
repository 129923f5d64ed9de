//! Opening a database: from a path to a store that works.

use std::{path::PathBuf, sync::Arc};

use chatrooms_core::{Epoch, Life, RoomName};
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    OpenError, SqliteStore, SqliteStoreBuilder,
    connection::{self, Database, Slot},
    insert::number,
    lives::Lives,
    lock::{self, Claimed},
    purge::Purges,
    reader::Readers,
    schema,
    stats::Counters,
    store::Shared,
    writer::Writer,
};

pub(crate) async fn open(builder: SqliteStoreBuilder) -> Result<SqliteStore, OpenError> {
    let claimed = claim(builder.path.clone()).await?;
    let path = claimed.as_ref().map_or_else(|| PathBuf::from(":memory:"), |it| it.path.clone());
    let database = Arc::new(Database::new(&builder, claimed));
    let mut slots = Vec::new();
    let found = connect(&database, builder.readers, &mut slots, path).await;
    let (lives, purges) = match found {
        Ok(found) => found,
        Err(error) => {
            // A connection that is only dropped keeps the lock for a moment longer.
            for mut slot in slots {
                slot.close().await;
            }
            return Err(error);
        }
    };
    let readers = slots.split_off(1);
    let slot = Arc::new(Mutex::new(slots.remove(0)));
    let readers = match &database.file {
        Some(_) => Readers::pool(readers),
        None => Readers::Writer(Arc::clone(&slot)),
    };
    let backfiller = Mutex::new(Slot::unopened(Arc::clone(&database)));
    let counters = Counters::default();
    let shared = Arc::new(Shared { database, slot, backfiller, readers, lives, counters });

    let (jobs, queue) = mpsc::channel(builder.queue);
    let (ending, ended) = watch::channel(false);
    tokio::spawn(Writer::new(Arc::clone(&shared), queue, purges, ending).run());
    Ok(SqliteStore::new(shared, jobs, ended))
}

/// Takes the file, where it is one. A file system may be slow, and the runtime's threads are not for waiting.
async fn claim(path: Option<PathBuf>) -> Result<Option<Claimed>, OpenError> {
    let Some(path) = path else { return Ok(None) };
    match tokio::task::spawn_blocking(move || lock::claim(&path)).await {
        Ok(claimed) => claimed.map(Some),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// Opens the connection that writes, and after it the readers of a file; finds what an earlier process left.
async fn connect(
    database: &Arc<Database>,
    readers: usize,
    slots: &mut Vec<Slot>,
    path: PathBuf,
) -> Result<(Lives, Purges), OpenError> {
    let sqlx = |error| OpenError::from_sqlx(path.clone(), error);
    let conn = open_slot(database, slots).await.map_err(sqlx)?;
    prepare(conn, database, path.clone()).await?;
    let lives = Lives::default();
    let purges = fence(conn, &lives).await.map_err(sqlx)?;
    if database.file.is_some() {
        for _ in 0..readers {
            let conn = open_slot(database, slots).await.map_err(sqlx)?;
            become_reader(conn).await.map_err(sqlx)?;
        }
    }
    Ok((lives, purges))
}

async fn open_slot<'a>(
    database: &Arc<Database>,
    slots: &'a mut Vec<Slot>,
) -> Result<&'a mut SqliteConnection, sqlx::Error> {
    let conn = database.connect().await?;
    let slot = slots.push_mut(Slot::new(Arc::clone(database), conn));
    slot.get().await.map_err(|_| sqlx::Error::WorkerCrashed)
}

/// Brings the schema up to date and makes sure that what is there can be read and written.
async fn prepare(
    conn: &mut SqliteConnection,
    database: &Database,
    path: PathBuf,
) -> Result<(), OpenError> {
    let sqlx = |error| OpenError::from_sqlx(path.clone(), error);
    connection::begin(conn, database.busy_timeout).await.map_err(sqlx)?;
    let found = schema::migrate(conn).await.map_err(sqlx)?;
    // Changes nothing, and needs no space; only a statement that writes shows whether there may be any.
    sqlx::query("DELETE FROM chatrooms_migrations WHERE version = 0")
        .execute(&mut *conn)
        .await
        .map_err(sqlx)?;
    let known = schema::known();
    if found > known {
        return Err(OpenError::NewerSchema { path, found, known });
    }
    connection::commit(conn).await.map_err(sqlx)?;
    for table in ["PRAGMA quick_check(chatrooms_lives)", "PRAGMA quick_check(chatrooms_messages)"] {
        let what: String = sqlx::query(table)
            .fetch_one(&mut *conn)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(sqlx)?;
        if what != "ok" {
            return Err(OpenError::Corrupt { path, what });
        }
    }
    Ok(())
}

/// Fences what an earlier process left; what it had already ended is to be removed.
async fn fence(conn: &mut SqliteConnection, lives: &Lives) -> Result<Purges, sqlx::Error> {
    let mut purges = Purges::default();
    let rows =
        sqlx::query("SELECT id, room, epoch, closed FROM chatrooms_lives").fetch_all(conn).await?;
    for row in rows {
        let id = row.try_get(0)?;
        let room: &str = row.try_get(1)?;
        let epoch: &[u8] = row.try_get(2)?;
        let name = RoomName::new(room).ok().zip(<[u8; 16]>::try_from(epoch).ok());
        match name {
            Some((room, epoch)) if number(row.try_get(3)?) == 0 => {
                let epoch = Epoch::from_u128(u128::from_be_bytes(epoch));
                lives.fence(Life { room, epoch }, id);
            }
            // Closed, or nothing that this crate can have written.
            _ => purges.inherit(id),
        }
    }
    Ok(purges)
}

/// Lets a connection only read, and has it open its files from the start, whatever becomes of their names.
async fn become_reader(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA query_only = ON").execute(&mut *conn).await?;
    sqlx::query("SELECT count(*) FROM chatrooms_migrations").fetch_one(conn).await?;
    Ok(())
}
