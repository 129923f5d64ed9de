//! A store that outlives the process that uses it.

use super::*;
use crate::Config;

mod without_a_restart {
    crate::conformance_tests!(forgetful, async || crate::testing::FaultyStore::new());
}

mod with_restarts {
    crate::conformance_tests!(lasting, {
        let store = crate::testing::FaultyStore::new();
        async move || store.restart()
    });
}

mod around_a_shared_store {
    use std::sync::Arc;

    use crate::{MemoryStore, MessageStore, testing::FaultyStore};

    crate::conformance_tests!(forgetful, async || {
        FaultyStore::over(Arc::new(MemoryStore::new()) as Arc<dyn MessageStore>)
    });
}

fn lingering() -> Config {
    Config { linger: 30 * SECOND, ..Config::default() }
}

async fn process(store: &FaultyStore) -> RoomRegistry {
    registry(|builder| builder.store(store.clone()).config(lingering())).await
}

#[tokio::test(start_paused = true)]
async fn what_was_written_to_is_found_by_the_next_process_and_all_else_is_gone() {
    let store = FaultyStore::new();
    let before = process(&store).await;
    let ada = TestClient::joined(&before, "ada", "tea").await;
    ada.join("silent").await.unwrap();
    ada.say("tea", "one").await.unwrap();
    ada.say("tea", "two").await.unwrap();
    ada.redact("tea", 1).await.unwrap();

    let store = store.restart();
    assert_eq!(store.open_lives().len(), 1);
    let after = process(&store).await;
    let joined = TestClient::new(&after, "bob").join("tea").await.unwrap();
    assert_eq!(describe_joined(&joined), "joined at 2 [bob] (1! 2)");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_an_ended_process_is_done_any_more() {
    let store = FaultyStore::new();
    let before = process(&store).await;
    let ada = TestClient::joined(&before, "ada", "tea").await;
    ada.say("tea", "one").await.unwrap();
    store.next(Call::Append, Fault::Slow(SECOND));
    let late = ada.send("tea", "begun").await.unwrap();
    settle().await;

    let next = store.restart();
    let after = process(&next).await;
    let bob = TestClient::joined(&after, "bob", "tea").await;
    assert!(late.wait().await.is_err());
    assert!(ada.say("tea", "not begun").await.is_err());
    assert!(store.abandoned().await.is_err());
    ada.leave("tea").unwrap();
    settle().await;
    assert_eq!((next.calls(Call::Append), next.batches()), (2, vec![1, 1]));
    assert_eq!(next.calls(Call::Close), 0);
    assert_eq!(bob.say("tea", "what was begun is not done").await.unwrap().seq, 2);
}

#[tokio::test(start_paused = true)]
async fn faults_outlast_a_restart_and_a_failed_opening_leaves_a_life_where_it_was() {
    let inner = FaultyStore::new();
    let store = FaultyStore::over(inner.clone());
    let life = begin(&store, "tea").await;
    append(&store, &life).await.unwrap();
    store.next(Call::Open, Fault::Fail);
    inner.next(Call::ReadAfter, Fault::Fail);
    let store = store.restart();
    for opens in [false, false, true, false] {
        let opened = store.open(&life.room, Some(life.epoch), ALL).await;
        assert_eq!(opened.is_ok(), opens);
    }
    assert_eq!(store.abandoned().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn what_a_process_has_left_can_be_lost() {
    let store = FaultyStore::new();
    let life = begin(&store, "tea").await;
    append(&store, &life).await.unwrap();
    let store = store.restart();
    assert_eq!(store.abandoned().await.unwrap(), std::slice::from_ref(&life));
    store.lose_abandoned();
    assert_eq!((store.abandoned().await.unwrap(), store.open_lives()), (vec![], vec![]));
    let opened = store.open(&life.room, Some(life.epoch), ALL).await;
    assert!(matches!(opened, Err(StoreError::Closed)), "{opened:?}");
}
