//! Calls that wait until a test lets them go.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_held_call_goes_on_when_it_is_released() {
    for (fault, happened) in [(Fault::Hold, 0), (Fault::HoldAfter, 1)] {
        let store = FaultyStore::new();
        let life = begin(&store, "tea").await;
        store.next(Call::Append, fault);
        let (appended, ()) = tokio::join!(append(&store, &life), async {
            let held = store.held(Call::Append).await;
            assert_eq!((held.call(), held.room()), (Call::Append, Some(&life.room)));
            tokio::time::sleep(SECOND).await;
            assert_eq!(stored(&store, &life).await, happened);
            held.release();
        });
        assert!(appended.is_ok());
        assert_eq!(stored(&store, &life).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn held_calls_go_on_in_the_order_in_which_they_are_released() {
    let store = FaultyStore::new();
    let rooms = registry(|builder| builder.store(store.clone())).await;
    let ada = TestClient::joined(&rooms, "ada", "tea").await;
    ada.join("pot").await.unwrap();
    assert_eq!(ada.told(), ["pot: joined at 0 [ada]"]);
    store.always(Call::Append, Fault::Hold);
    drop(ada.send("tea", "said first").await.unwrap());
    drop(ada.send("pot", "said second").await.unwrap());

    let (tea, pot) = (store.held(Call::Append).await, store.held(Call::Append).await);
    assert_eq!((tea.room(), pot.room()), (Some(&room("tea")), Some(&room("pot"))));
    pot.release();
    settle().await;
    assert_eq!(ada.told(), ["pot: 1 ada: said second"]);
    tea.release();
    settle().await;
    assert_eq!(ada.told(), ["tea: 1 ada: said first"]);
}

#[tokio::test(start_paused = true)]
async fn healing_lets_everything_go_but_what_a_test_has_taken() {
    let store = FaultyStore::new();
    let (tea, pot) = (begin(&store, "tea").await, begin(&store, "pot").await);
    store.always(Call::Append, Fault::Hold);
    let (first, second, ()) = tokio::join!(append(&store, &tea), append(&store, &pot), async {
        let held = store.held(Call::Append).await;
        store.heal();
        settle().await;
        assert_eq!((stored(&store, &tea).await, stored(&store, &pot).await), (0, 1));
        drop(held);
    });
    assert!(first.is_ok() && second.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_given_up_is_not_held() {
    let store = FaultyStore::new();
    let life = begin(&store, "tea").await;
    store.times(2, Call::ReadAfter, Fault::Hold);
    let given_up = store.read_after(&life, 0, ALL);
    assert!(tokio::time::timeout(SECOND, given_up).await.is_err());
    let reading = tokio::time::timeout(SECOND, store.read_after(&life, 0, ALL));
    let (page, ()) = tokio::join!(reading, async {
        store.stuck(Call::ReadAfter).await;
        store.held(Call::ReadAfter).await.release();
    });
    assert!(page.is_ok_and(|page| page.is_ok()));
    assert!(tokio::time::timeout(SECOND, store.stuck(Call::ReadAfter)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_hangs_says_what_was_asked() {
    let store = FaultyStore::new();
    assert_eq!(
        panic_of(store.held(Call::Append)).await,
        "waited 30s for Append to be held; the store was asked for nothing"
    );
    begin(&store, "tea").await;
    store.abandoned().await.unwrap();
    let began = Instant::now();
    assert_eq!(
        panic_of(store.stuck(Call::Close)).await,
        "waited 30s for Close to be stuck; the store was asked for Open in tea, Abandoned"
    );
    assert_eq!(began.elapsed(), HANG_LIMIT);
}
