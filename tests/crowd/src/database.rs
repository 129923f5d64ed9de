//! The server's database, as another program meets it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use tokio::time::{Instant, sleep};

use crate::{counts::Counts, dice::Dice, plan::Plan};

/// Between one time and the next that somebody else writes.
const PAUSE: (Duration, Duration) = (Duration::from_secs(12), Duration::from_secs(25));
/// Some of these are longer than the server waits for its store.
const HELD: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// No one may be held so shortly before the end that it outlasts it.
const BEFORE_THE_END: Duration = Duration::from_secs(10);
/// The server itself may hold it while its machine sleeps.
const UNTIL_FREE: Duration = Duration::from_secs(90);
/// What has been ended is removed within this time.
const REMOVED: Duration = Duration::from_secs(60);
/// Dice of its own, beside those of the houses.
const WHO: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct Database(PathBuf);

impl Database {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Holds the write lock for seconds, again and again, as a backup does or somebody who has begun to change something by hand.
    pub(crate) async fn hold_now_and_then(&self, plan: &Plan, counts: &Counts) {
        let ends = Instant::now() + plan.time.saturating_sub(BEFORE_THE_END);
        let mut dice = Dice::new(plan.seed, WHO);
        loop {
            sleep(dice.between(PAUSE.0, PAUSE.1)).await;
            if Instant::now() >= ends {
                return;
            }
            match self.hold(dice.between(HELD.0, HELD.1)).await {
                Ok(()) => counts.add("locks"),
                Err(error) => counts.problem(format!("the database cannot be locked: {error}")),
            }
        }
    }

    async fn hold(&self, time: Duration) -> sqlx::Result<()> {
        let mut connection = self.open().await?;
        connection.execute("BEGIN IMMEDIATE").await?;
        sleep(time).await;
        connection.execute("ROLLBACK").await?;
        connection.close().await
    }

    /// Waits until nothing is left in it of any room.
    pub(crate) async fn is_empty_and_whole(&self) -> Result<(), String> {
        let told = |error: sqlx::Error| format!("the database: {error}");
        let mut connection = self.open().await.map_err(told)?;
        let began = Instant::now();
        loop {
            let left: i64 = sqlx::query_scalar(
                "SELECT (SELECT count(*) FROM chatrooms_lives) + (SELECT count(*) FROM chatrooms_messages)",
            )
            .fetch_one(&mut connection)
            .await
            .map_err(told)?;
            match left {
                0 => break,
                _ if began.elapsed() > REMOVED => {
                    return Err(format!("{left} rows of ended rooms are left in the database"));
                }
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
        let integrity: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&mut connection)
            .await
            .map_err(told)?;
        connection.close().await.map_err(told)?;
        if integrity == "ok" { Ok(()) } else { Err(format!("the database: {integrity}")) }
    }

    async fn open(&self) -> sqlx::Result<SqliteConnection> {
        let options = SqliteConnectOptions::new().filename(&self.0);
        options.busy_timeout(UNTIL_FREE).connect().await
    }
}
