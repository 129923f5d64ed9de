//! What the application keeps for itself in the store's SQLite file: its cookie key, whose names are whose, who has logged out, and who opened the rooms
//! that outlive the process.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::PoisonError,
    time::{Duration, SystemTime},
};

use chatrooms::{Epoch, UserName, sqlite::FileHold};
use serde::Serialize;
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;

use crate::{
    claims::Changes,
    clock::{from_millis, to_millis},
    username,
    visitor::BrowserId,
    void_page::{Page, VoidPage},
    voided::Unsaved,
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS full_app_settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS full_app_names (name TEXT PRIMARY KEY, browser BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS full_app_void_pages (page BLOB PRIMARY KEY, marks BLOB NOT NULL, last INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS full_app_creators (epoch BLOB PRIMARY KEY, browser BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// The application's own tables, beside the store's.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Over awaits, because a connection does one thing at a time. `None` once closed.
    connection: Mutex<Option<SqliteConnection>>,
    /// Keeps other processes away for as long as there is a connection: the store, which was opened before, ends before.
    hold: std::sync::Mutex<Option<FileHold>>,
}

impl Ledger {
    pub(crate) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(Duration::from_secs(5))
            // As the store does. A commit that waits for the disk would keep the store from writing meanwhile, and everybody's messages with it.
            .synchronous(SqliteSynchronous::Normal)
            // Whoever has left is not to be read in the file's free pages.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
        Ok(Self { connection: Mutex::new(Some(connection)), hold: Default::default() })
    }

    /// Has other processes kept away until it is closed.
    pub(crate) fn holding(self, hold: FileHold) -> Self {
        Self { hold: Some(hold).into(), ..self }
    }

    /// The key that is kept, or this one, which is kept from now on.
    pub(crate) async fn key_or(&self, fresh: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        sqlx::query(
            "INSERT INTO full_app_settings (name, value) VALUES ('key', ?1) ON CONFLICT DO NOTHING",
        )
        .bind(fresh)
        .execute(&mut *connection)
        .await?;
        sqlx::query("SELECT value FROM full_app_settings WHERE name = 'key'")
            .fetch_one(connection)
            .await?
            .try_get(0)
    }

    /// Since when cookies are good.
    pub(crate) async fn valid_from(&self) -> Result<SystemTime, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let row = sqlx::query(
            "SELECT CAST(value AS INTEGER) FROM full_app_settings WHERE name = 'valid_from'",
        )
        .fetch_optional(connection)
        .await?;
        row.map_or(Ok(SystemTime::UNIX_EPOCH), |row| Ok(moment(row.try_get(0)?)))
    }

    /// Who has logged out.
    pub(crate) async fn logouts(&self) -> Result<Vec<(Page, VoidPage)>, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let rows = sqlx::query("SELECT page, marks, last FROM full_app_void_pages")
            .fetch_all(connection)
            .await?;
        let damaged = || sqlx::Error::Decode("no page of logouts".into());
        let read = |row: &SqliteRow| {
            let page = VoidPage::read(row.try_get(1)?, moment(row.try_get(2)?));
            Ok((Page::from_bytes(id(row.try_get(0)?)?), page.ok_or_else(damaged)?))
        };
        rows.iter().map(read).collect()
    }

    /// Which names belonged to which browsers. One that is no name any more is nobody's.
    pub(crate) async fn names(&self) -> Result<Vec<(UserName, BrowserId)>, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let rows =
            sqlx::query("SELECT name, browser FROM full_app_names").fetch_all(connection).await?;
        let mut names = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Ok(name) = username::read(row.try_get(0)?) {
                names.push((name, browser(row.try_get(1)?)?));
            }
        }
        Ok(names)
    }

    /// Keeps whose names these are now.
    pub(crate) async fn save_names(&self, changes: &Changes) -> Result<(), sqlx::Error> {
        let owned = changes.iter().filter_map(|(name, owner)| Some((name, owner.as_ref()?)));
        let owned: Vec<_> = owned.map(|(name, owner)| (name.as_str(), owner.to_string())).collect();
        let given_up = changes.iter().filter(|(_, owner)| owner.is_none());
        let given_up: Vec<_> = given_up.map(|(name, _)| name.as_str()).collect();
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        if !owned.is_empty() {
            sqlx::query(
                "INSERT OR REPLACE INTO full_app_names (name, browser)
                 SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?1)",
            )
            .bind(json(&owned)?)
            .execute(&mut *connection)
            .await?;
        }
        if !given_up.is_empty() {
            sqlx::query(
                "DELETE FROM full_app_names WHERE name IN (SELECT value FROM json_each(?1))",
            )
            .bind(json(&given_up)?)
            .execute(connection)
            .await?;
        }
        Ok(())
    }

    /// Keeps logouts, and lets those go that are not needed any more.
    pub(crate) async fn save(&self, unsaved: &Unsaved) -> Result<(), sqlx::Error> {
        let pages = unsaved.pages.iter();
        let pages: Vec<_> = pages
            .map(|(at, page)| (hex(&at.to_bytes()), hex(page.marks()), column(page.last)))
            .collect();
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        if !pages.is_empty() {
            sqlx::query(
                "INSERT OR REPLACE INTO full_app_void_pages (page, marks, last)
                 SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2 FROM json_each(?1)",
            )
            .bind(json(&pages)?)
            .execute(&mut *connection)
            .await?;
        }
        let Some(valid_from) = unsaved.valid_from.map(column) else { return Ok(()) };
        // In this order: whatever comes between, no logout is forgotten before all cookies of its age are void.
        sqlx::query("INSERT OR REPLACE INTO full_app_settings (name, value) VALUES ('valid_from', CAST(?1 AS BLOB))")
            .bind(valid_from)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM full_app_void_pages WHERE last < ?1")
            .bind(valid_from)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Who opened these lives, as far as it was written down. What was written down of any other is forgotten.
    pub(crate) async fn creators_of(
        &self,
        lives: &HashSet<Epoch>,
    ) -> Result<HashMap<Epoch, BrowserId>, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let rows = sqlx::query("SELECT epoch, browser FROM full_app_creators")
            .fetch_all(&mut *transaction)
            .await?;
        let mut creators = HashMap::new();
        for row in &rows {
            let life = epoch(row.try_get(0)?)?;
            if lives.contains(&life) {
                creators.insert(life, browser(row.try_get(1)?)?);
            } else {
                forget_creator(life).execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        Ok(creators)
    }

    /// Keeps who opened a life.
    pub(crate) async fn keep_creator(
        &self,
        life: Epoch,
        creator: BrowserId,
    ) -> Result<(), sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        sqlx::query("INSERT OR REPLACE INTO full_app_creators (epoch, browser) VALUES (?1, ?2)")
            .bind(life.as_u128().to_be_bytes().to_vec())
            .bind(creator.0.to_vec())
            .execute(connection)
            .await
            .map(drop)
    }

    /// The life is over.
    pub(crate) async fn forget_creator(&self, life: Epoch) -> Result<(), sqlx::Error> {
        let mut connection = self.connection.lock().await;
        let connection = connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        forget_creator(life).execute(connection).await.map(drop)
    }

    /// Waits until the file has been let go of.
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database was not closed in order");
        }
        self.hold.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
impl Ledger {
    /// Says something to SQLite by this connection.
    pub(crate) async fn tell(&self, statement: &'static str) {
        let mut connection = self.connection.lock().await;
        sqlx::raw_sql(statement).execute(connection.as_mut().unwrap()).await.unwrap();
    }
}

fn forget_creator(life: Epoch) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query("DELETE FROM full_app_creators WHERE epoch = ?1")
        .bind(life.as_u128().to_be_bytes().to_vec())
}

fn epoch(column: Vec<u8>) -> Result<Epoch, sqlx::Error> {
    let bits = column.try_into().map_err(|_| sqlx::Error::Decode("no epoch".into()))?;
    Ok(Epoch::from_u128(u128::from_be_bytes(bits)))
}

/// Many rows for one statement. A transaction of many would be begun and ended by this side, which may be late, and the store would wait for it.
fn json(rows: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn browser(column: Vec<u8>) -> Result<BrowserId, sqlx::Error> {
    id(column).map(BrowserId)
}

fn id(column: Vec<u8>) -> Result<[u8; 16], sqlx::Error> {
    column.try_into().map_err(|_| sqlx::Error::Decode("no id".into()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn column(at: SystemTime) -> i64 {
    i64::try_from(to_millis(at)).unwrap_or(i64::MAX)
}

fn moment(column: i64) -> SystemTime {
    from_millis(column.try_into().unwrap_or(0)).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use chatrooms::{
        MessageStore as _,
        sqlite::{OpenError, SqliteStore},
    };

    use super::*;
    use crate::void_page::NUMBERS;

    async fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        std::fs::write(&path, "").unwrap();
        let ledger = Ledger::open(&path).await.unwrap();
        (folder, ledger)
    }

    #[tokio::test]
    async fn other_processes_are_kept_away_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let ledger = Ledger::open(&path).await.unwrap().holding(store.hold_file());
        store.shutdown().await.unwrap();
        let next = SqliteStore::open(&path).await;
        assert!(matches!(next, Err(OpenError::InUse { .. })), "names are still written to it");
        ledger.close().await;
        SqliteStore::open(&path).await.unwrap();
    }

    #[tokio::test]
    async fn the_first_key_stays() {
        let (_folder, ledger) = ledger().await;
        assert_eq!(ledger.key_or(b"first").await.unwrap(), b"first");
        assert_eq!(ledger.key_or(b"second").await.unwrap(), b"first");
    }

    #[tokio::test]
    async fn names_are_kept_with_their_owners_until_they_are_given_up() {
        let (_folder, ledger) = ledger().await;
        let [ada, bob] = ["ada", "bob"].map(|name| UserName::new(name).unwrap());
        let [one, two] = [1, 2].map(|number| BrowserId([number; 16]));
        let changes = [(ada.clone(), Some(one)), (bob.clone(), Some(one))];
        ledger.save_names(&Changes::from(changes)).await.unwrap();
        let changes = [(ada, None), (bob.clone(), Some(two))];
        ledger.save_names(&Changes::from(changes)).await.unwrap();
        assert_eq!(ledger.names().await.unwrap(), [(bob, two)]);
    }

    #[tokio::test]
    async fn creators_are_kept_until_their_life_is_over_or_has_not_come_back() {
        let (_folder, ledger) = ledger().await;
        let [first, second, third] = [(); 3].map(|()| Epoch::new());
        let ada = BrowserId([1; 16]);
        for life in [first, second, third] {
            ledger.keep_creator(life, ada).await.unwrap();
        }
        ledger.forget_creator(first).await.unwrap();
        let lives = HashSet::from([first, second]);
        assert_eq!(ledger.creators_of(&lives).await.unwrap(), HashMap::from([(second, ada)]));
        let all = HashSet::from([first, second, third]);
        assert_eq!(ledger.creators_of(&all).await.unwrap(), HashMap::from([(second, ada)]));
    }

    #[tokio::test]
    async fn logouts_are_kept_as_long_as_they_matter() {
        let (_folder, ledger) = ledger().await;
        let at = |second: u64| from_millis(1_700_000_000_000 + second * 1000).unwrap();
        assert_eq!(ledger.valid_from().await.unwrap(), SystemTime::UNIX_EPOCH);
        assert_eq!(ledger.logouts().await.unwrap(), []);

        let page = |number: u128, last| {
            let (page, place) = Page::of(BrowserId(number.to_be_bytes()));
            let mut void = VoidPage::new(at(last));
            void.mark(place, at(last));
            (page, void)
        };
        let save = async |pages, valid_from| {
            ledger.save(&Unsaved { pages, valid_from }).await.unwrap();
        };
        save(vec![page(1, 1), page(NUMBERS, 2)], None).await;
        assert_eq!(ledger.logouts().await.unwrap(), [page(1, 1), page(NUMBERS, 2)]);
        save(vec![page(NUMBERS + 7, 3)], None).await;
        assert_eq!(ledger.logouts().await.unwrap(), [page(1, 1), page(NUMBERS + 7, 3)]);
        save(Vec::new(), Some(at(2))).await;
        assert_eq!(ledger.logouts().await.unwrap(), [page(NUMBERS + 7, 3)]);
        assert_eq!(ledger.valid_from().await.unwrap(), at(2));
    }
}
