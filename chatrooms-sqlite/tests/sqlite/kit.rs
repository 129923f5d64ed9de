//! What these tests are written with.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use chatrooms_core::{
    Appended, Budget, Draft, Life, Message, MessageStore, Page, RoomName, StoreError, UserName,
};
use chatrooms_sqlite::{OpenError, SqliteStore, SqliteStoreBuilder};
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::time::Instant;

/// After this a test that waits for something has hung.
const HANG: Duration = Duration::from_secs(30);

pub(crate) const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

/// Opens a file that an earlier store may be letting go of.
pub(crate) async fn open_again(path: &Path) -> SqliteStore {
    open_with_again(SqliteStore::builder().path(path)).await
}

pub(crate) async fn open_with_again(builder: SqliteStoreBuilder) -> SqliteStore {
    let until = Instant::now() + HANG;
    loop {
        match builder.clone().open().await {
            Err(OpenError::InUse { .. }) if Instant::now() < until => {
                tokio::task::yield_now().await
            }
            opened => return opened.unwrap(),
        }
    }
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let until = Instant::now() + HANG;
    while !condition().await {
        assert!(Instant::now() < until, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Another program's connection to the same file.
pub(crate) async fn stranger(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(HANG)
        .disable_statement_logging()
        .connect()
        .await
        .unwrap()
}

pub(crate) async fn execute(conn: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(conn).await.unwrap();
}

pub(crate) fn draft(body: &str) -> Draft {
    Draft::new(UserName::new("ada").unwrap(), body)
}

pub(crate) async fn begin(store: &SqliteStore, room: &str) -> Life {
    store.open(&RoomName::new(room).unwrap(), None, ALL).await.unwrap().life
}

pub(crate) async fn append(
    store: &SqliteStore,
    life: &Life,
    drafts: Vec<Draft>,
) -> Vec<Result<Appended, StoreError>> {
    store.append(life, drafts, Instant::now() + HANG).await
}

/// Appends one text.
pub(crate) async fn say(
    store: &SqliteStore,
    life: &Life,
    body: &str,
) -> Result<Arc<Message>, StoreError> {
    match append(store, life, vec![draft(body)]).await.remove(0)? {
        Appended::Stored { message, .. } => Ok(message),
        Appended::Duplicate { seq, .. } => panic!("there is no nonce in it, and yet it is {seq}"),
    }
}

/// Appends so many texts, 1,000 at a time.
pub(crate) async fn fill(store: &SqliteStore, life: &Life, count: usize, body: &str) {
    for chunk in (0..count).collect::<Vec<_>>().chunks(1000) {
        for result in append(store, life, vec![draft(body); chunk.len()]).await {
            assert!(matches!(result, Ok(Appended::Stored { .. })), "{result:?}");
        }
    }
}

pub(crate) fn numbers(page: &Page) -> Vec<u64> {
    page.messages.iter().map(|message| message.seq).collect()
}

pub(crate) fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable { store: "sqlite", .. }))
}
