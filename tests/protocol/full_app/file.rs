//! A database file in a folder of its own.

use std::{fs, path::PathBuf};

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
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

    /// How many lives and how many messages are in it.
    pub(super) async fn rows(&self) -> (i64, i64) {
        let lives = self.ask("SELECT count(*) FROM chatrooms_lives").await;
        (lives, self.ask("SELECT count(*) FROM chatrooms_messages").await)
    }

    /// Keeps everybody else from writing until [`let_go`](Self::let_go).
    pub(super) async fn hold(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        let mut connection = options.connect().await.expect("the file opens");
        connection.execute("BEGIN IMMEDIATE").await.expect("nobody else writes");
        connection
    }

    pub(super) async fn let_go(mut connection: SqliteConnection) {
        connection.execute("ROLLBACK").await.expect("it was held");
        connection.close().await.expect("the file closes");
    }

    /// Whether a text stands in the file, or in what SQLite keeps beside it.
    pub(super) fn contains(&self, text: &str) -> bool {
        let files = fs::read_dir(self.0.path()).expect("its folder").flatten();
        // One that has gone meanwhile contains nothing.
        let mut contents = files.filter_map(|file| fs::read(file.path()).ok());
        let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|some| some == text.as_bytes());
        contents.any(holds)
    }
}
