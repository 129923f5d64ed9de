//! The public suite, for every way of having the store.

mod file {
    chatrooms_core::conformance_tests!(lasting, {
        let dir = tempfile::tempdir().unwrap();
        async move || crate::kit::open_again(&dir.path().join("chat.db")).await
    });
}

mod shared_file {
    use std::sync::Arc;

    use chatrooms_core::MessageStore;

    chatrooms_core::conformance_tests!(lasting, {
        let dir = tempfile::tempdir().unwrap();
        async move || {
            let store = crate::kit::open_again(&dir.path().join("chat.db")).await;
            Arc::new(store) as Arc<dyn MessageStore>
        }
    });
}

mod memory {
    use chatrooms_sqlite::SqliteStore;

    chatrooms_core::conformance_tests!(forgetful, async || SqliteStore::in_memory().await.unwrap());
}

mod shared_memory {
    use std::sync::Arc;

    use chatrooms_core::MessageStore;
    use chatrooms_sqlite::SqliteStore;

    chatrooms_core::conformance_tests!(forgetful, async || {
        Arc::new(SqliteStore::in_memory().await.unwrap()) as Arc<dyn MessageStore>
    });
}
