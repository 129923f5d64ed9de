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
    lock,
    purge::Purges,
    reader::Readers,
    schema,
    stats::Counters,
    store::Shared,
    writer::Writer,
};

pub(crate) async fn open(builder: SqliteStoreBuilder) -> Result<SqliteStore, OpenError> {
    let claimed = match builder.path.clone() {
        // A file system may be slow, and the runtime's threads are not for waiting.
        Some(path) => {
            let claim = tokio::task::spawn_blocking(move || lock::claim(&path)).await;
            Some(claim.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?)
        }
        None => None,
    };
    let path = claimed.as_ref().map_or_else(|| PathBuf::from(":memory:"), |it| it.path.clone());
    let database = Arc::new(Database::new(&builder, claimed));
    let sqlx = |error| OpenError::from_sqlx(path.clone(), error);

    let mut conn = database.connect().await.map_err(sqlx)?;
    prepare(&mut conn, &database, path.clone()).await?;
    let lives = Lives::default();
    let purges = fence(&mut conn, &lives).await.map_err(sqlx)?;

    let readers = if database.file.is_some() {
        let mut slots = Vec::with_capacity(builder.readers);
        for _ in 0..builder.readers {
            slots.push(Slot::new(Arc::clone(&database), reader(&database).await.map_err(sqlx)?));
        }
        Some(Readers::pool(slots))
    } else {
        None
    };
    let slot = Arc::new(Mutex::new(Slot::new(Arc::clone(&database), conn)));
    let readers = readers.unwrap_or_else(|| Readers::Writer(Arc::clone(&slot)));
    let shared = Arc::new(Shared { database, slot, readers, lives, counters: Counters::default() });

    let (jobs, queue) = mpsc::channel(builder.queue);
    let (ending, ended) = watch::channel(false);
    tokio::spawn(Writer::new(Arc::clone(&shared), queue, purges, ending).run());
    Ok(SqliteStore::new(shared, jobs, ended))
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

/// A connection that only reads, and that has its files open from the start, whatever becomes of their names.
async fn reader(database: &Database) -> Result<SqliteConnection, sqlx::Error> {
    let mut conn = database.connect().await?;
    sqlx::query("PRAGMA query_only = ON").execute(&mut conn).await?;
    sqlx::query("SELECT count(*) FROM chatrooms_migrations").fetch_one(&mut conn).await?;
    Ok(conn)
}
