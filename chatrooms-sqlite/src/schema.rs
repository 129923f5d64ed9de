//! The tables, and how they came to be. All of them begin with `chatrooms_`, so that a host may keep its own beside them.

use sqlx::{Row as _, SqliteConnection};

/// Each entry brings the schema from its index to the next version. What has been released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The version that this crate knows.
pub(crate) fn known() -> i64 {
    MIGRATIONS.len() as i64
}

/// Brings the schema up to date, unless it is newer; returns the version that the file has then.
pub(crate) async fn migrate(conn: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let found = version(conn).await?;
    for (version, migration) in
        (1..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(usize::MAX))
    {
        sqlx::raw_sql(*migration).execute(&mut *conn).await?;
        sqlx::query(
            "INSERT INTO chatrooms_migrations (version, applied_at) VALUES (?1, unixepoch())",
        )
        .bind::<i64>(version)
        .execute(&mut *conn)
        .await?;
    }
    Ok(found.max(known()))
}

async fn version(conn: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let table = sqlx::query(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'chatrooms_migrations'",
    )
    .fetch_optional(&mut *conn)
    .await?;
    if table.is_none() {
        return Ok(0);
    }
    sqlx::query("SELECT coalesce(max(version), 0) FROM chatrooms_migrations")
        .fetch_one(conn)
        .await?
        .try_get(0)
}
