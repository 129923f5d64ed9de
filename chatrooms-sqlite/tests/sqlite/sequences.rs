//! The sequences of the model, the same as on a store in memory, on a file that each process opens anew.

use chatrooms_core::MessageStore as _;
use chatrooms_sqlite::SqliteStore;

use crate::{kit::open_again, model};

#[test]
fn everybody_is_told_what_the_model_says() {
    model::hold("SqliteStore", 4, || {
        let dir = tempfile::tempdir().unwrap();
        async move |before: Option<SqliteStore>| {
            if let Some(store) = before {
                store.shutdown().await.unwrap();
            }
            open_again(&dir.path().join("chat.db")).await
        }
    });
}
