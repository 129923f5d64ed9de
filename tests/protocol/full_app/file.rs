//! A database file in a folder of its own.

use std::path::PathBuf;

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

pub(super) struct File(TempDir);

impl File {
    pub(super) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("chat.db")
    }

    /// As it is said on the command line.
    pub(super) fn store(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// What SQLite itself says about it, read beside whoever has it open.
    pub(super) async fn ask<T>(&self, question: &'static str) -> T
    where
        for<'r> T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
    {
        let options = SqliteConnectOptions::new().filename(self.path());
        let mut connection = options.connect().await.expect("the file opens");
        let answer = sqlx::query_scalar(question).fetch_one(&mut connection).await.expect(question);
        connection.close().await.expect("the file closes");
        answer
    }
}
