//! The statements of an append. Each comes once for a single row and once for [`CHUNK`] rows, which an incomplete
//! chunk fills up with nothing: SQLite takes what is not bound for NULL, and every statement passes over it.

use chatrooms_core::{Data, Draft, Life, Nonce, Timestamp, UserName};
use sqlx::{Row as _, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

/// The most rows in one statement. One journey to SQLite's thread and back costs more than many rows.
pub(crate) const CHUNK: usize = 32;

/// Repeats a literal [`CHUNK`] times, with commas between.
macro_rules! chunk {
    ($row:literal) => {
        concat!(chunk!(@eight $row), ",", chunk!(@eight $row), ",", chunk!(@eight $row), ",", chunk!(@eight $row))
    };
    (@eight $row:literal) => {
        concat!($row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row)
    };
}

const INSERT_LIFE: &str = "INSERT INTO chatrooms_lives (room, epoch, boot) VALUES (?1, ?2, ?3)";

const INSERT_ONE: &str = "INSERT INTO chatrooms_messages (life, seq, at, author, name, body, data, nonce) \
    VALUES (?,?,?,?,?,?,?,?)";

const INSERT_CHUNK: &str = concat!(
    "INSERT INTO chatrooms_messages (life, seq, at, author, name, body, data, nonce) \
    SELECT column1, column2, column3, column4, column5, column6, column7, column8 FROM (VALUES ",
    chunk!("(?,?,?,?,?,?,?,?)"),
    ") WHERE column1 IS NOT NULL"
);

const FIND_ONE: &str = "SELECT 0, seq, at FROM chatrooms_messages INDEXED BY chatrooms_nonces \
    WHERE life = ?2 AND author = ?3 AND nonce = ?4";

const FIND_CHUNK: &str = concat!(
    "WITH wanted (place, life, author, nonce) AS (VALUES ",
    chunk!("(?,?,?,?)"),
    ") SELECT wanted.place, message.seq, message.at FROM wanted \
    CROSS JOIN chatrooms_messages AS message INDEXED BY chatrooms_nonces \
    ON message.life = wanted.life AND message.author = wanted.author AND message.nonce = wanted.nonce"
);

/// Writes the row of a life and returns its id.
pub(crate) async fn life(
    conn: &mut SqliteConnection,
    life: &Life,
    boot: u128,
) -> Result<i64, sqlx::Error> {
    let inserted = sqlx::query(INSERT_LIFE)
        .bind(life.room.as_str())
        .bind(epoch_bytes(life))
        .bind(boot.to_be_bytes().to_vec())
        .execute(conn)
        .await?;
    Ok(inserted.last_insert_rowid())
}

/// Replaces the note of a life.
pub(crate) async fn note(
    conn: &mut SqliteConnection,
    life: i64,
    note: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE chatrooms_lives SET note = ?2 WHERE id = ?1")
        .bind(life)
        .bind(note.to_owned())
        .execute(conn)
        .await
        .map(drop)
}

/// An epoch as the file keeps it.
pub(crate) fn epoch_bytes(life: &Life) -> Vec<u8> {
    life.epoch.as_u128().to_be_bytes().to_vec()
}

/// A message as it is to be written.
#[derive(Clone, Copy)]
pub(crate) struct NewMessage<'a> {
    pub(crate) life: i64,
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) draft: &'a Draft,
}

/// Writes at most [`CHUNK`] messages: all of them, or none and an error.
pub(crate) async fn messages(
    conn: &mut SqliteConnection,
    messages: &[NewMessage<'_>],
) -> Result<(), sqlx::Error> {
    let sql = if messages.len() == 1 { INSERT_ONE } else { INSERT_CHUNK };
    let query = messages.iter().fold(sqlx::query(sql), |query, message| message.bind(query));
    query.execute(conn).await.map(drop)
}

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

impl NewMessage<'_> {
    fn bind<'q>(&self, query: Statement<'q>) -> Statement<'q>
    where
        Self: 'q,
    {
        let draft = self.draft;
        query
            .bind(self.life)
            .bind(integer(self.seq))
            .bind(integer(self.at.0))
            .bind(draft.user.as_ref().map(|user| user.as_str().to_owned()))
            .bind(draft.name.clone())
            .bind(draft.body.clone())
            .bind(draft.data.as_ref().map(|data| Data::as_str(data).to_owned()))
            .bind(draft.nonce.as_ref().map(|nonce| nonce.as_str().to_owned()))
    }
}

/// A user's nonce in a life.
#[derive(Clone, Copy)]
pub(crate) struct Mark<'a> {
    pub(crate) life: i64,
    pub(crate) user: &'a UserName,
    pub(crate) nonce: &'a Nonce,
}

/// Which of at most [`CHUNK`] marks are known: their place among these, and the message's number and time.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    marks: &[Mark<'_>],
) -> Result<Vec<(usize, u64, Timestamp)>, sqlx::Error> {
    let sql = if marks.len() == 1 { FIND_ONE } else { FIND_CHUNK };
    let mut query = sqlx::query(sql);
    for (place, mark) in (0_i64..).zip(marks) {
        query = query
            .bind(place)
            .bind(mark.life)
            .bind(mark.user.as_str().to_owned())
            .bind(mark.nonce.as_str().to_owned());
    }
    let rows = query.fetch_all(conn).await?;
    rows.iter()
        .map(|row| {
            let place = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
            Ok((place, number(row.try_get(1)?), Timestamp(number(row.try_get(2)?))))
        })
        .collect()
}

/// A number as SQLite keeps it; nothing counted here comes near its bound.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as SQLite has kept it.
pub(crate) fn number(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}
