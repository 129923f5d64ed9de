//! F17: the runtime may go first. No panic, no hang; what is dropped without it is dropped.

use std::{
    cell::Cell,
    panic,
    sync::{Arc, Once},
    time::Duration,
};

use chatrooms_core::{
    Error, Join,
    testing::{Call, Fault},
};
use tokio::runtime::{Builder, Runtime};

use crate::kit::{Client, House, millis, secs};

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// How many panics this thread has seen so far, caught ones included.
fn panics() -> usize {
    static COUNT: Once = Once::new();
    COUNT.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
    PANICS.get()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
}

/// A house with a room that is busy, one that lingers and one that is being purged; and somebody in the busy one.
async fn busy_house() -> (House, Client) {
    let house = House::configured(|config| {
        config.linger = secs(1000);
        config.presence_exact = 0;
        config.store_timeout = millis(50);
    })
    .await;
    drop(house.guest("lost").await);
    let ada = house.guest("ada").await;
    ada.enter("purged").await;
    house.store.always_in("purged", Call::Close, Fault::Slow(secs(1000)));
    ada.leave("purged");
    ada.enter("failing").await;
    house.store.always_in("failing", Call::Close, Fault::Fail);
    ada.leave("failing");
    house.store.always(Call::Append, Fault::Slow(secs(1000)));
    (house, ada)
}

#[test]
fn everything_can_be_dropped_after_the_runtime() {
    let before = panics();
    for close in [Fault::Slow(secs(1000)), Fault::Fail, Fault::Hang] {
        let runtime = runtime();
        let (house, ada) = runtime.block_on(busy_house());
        let receipt = runtime.block_on(ada.begin("on its way"));
        let bob = runtime.block_on(house.guest("bob"));
        house.store.always(Call::Close, close);
        runtime.shutdown_timeout(secs(10));
        assert_eq!(bob.session.leave(&crate::kit::lobby()), Ok(()));
        drop(bob);
        ada.leave("lobby");
        drop(ada);
        drop(receipt);
        let stats = house.registry.stats();
        assert_eq!((stats.rooms, stats.sessions), (0, 0));
        assert_eq!(stats.purges.pending, 3, "they are left to the next start");
        drop(house);
    }
    assert_eq!(panics(), before);
}

#[test]
fn sessions_that_die_with_their_tasks_leave_their_rooms() {
    let before = panics();
    for threads in [0, 1] {
        let runtime = match threads {
            0 => Builder::new_current_thread().enable_time().build().unwrap(),
            _ => runtime(),
        };
        let house = runtime.block_on(House::new());
        house.store.always(Call::Close, Fault::Slow(secs(1000)));
        for n in 0..10 {
            let mut client = house.unrecorded(&format!("user {n}"));
            runtime.block_on(client.enter("lobby"));
            runtime.spawn(async move { while client.session.next().await.is_some() {} });
        }
        assert_eq!(house.registry.stats().sessions, 10);
        drop(runtime);
        let stats = house.registry.stats();
        assert_eq!((stats.rooms, stats.sessions), (0, 0));
    }
    assert_eq!(panics(), before);
}

#[test]
fn those_who_wait_on_another_runtime_are_answered() {
    let before = panics();
    let (first, second) = (runtime(), runtime());
    let (house, ada) = first.block_on(busy_house());
    let receipt = first.block_on(ada.begin("on its way"));
    let behind = first.block_on(ada.begin("behind it"));
    house.store.always_in("opening", Call::Open, Fault::Hang);
    let bob = Arc::new(house.client("bob"));
    let opening = {
        let bob = Arc::clone(&bob);
        first.spawn(async move { bob.join("opening", Join::default()).await })
    };
    while house.store.calls(Call::Open) < 4 {
        std::thread::yield_now();
    }
    first.shutdown_timeout(secs(10));
    drop(opening);
    let limit = Duration::from_secs(20);
    second.block_on(async {
        let in_time = async |future: futures_util::future::BoxFuture<'_, Error>| {
            tokio::time::timeout(limit, future).await.expect("nobody hangs")
        };
        let outcome = Box::pin(async { receipt.wait().await.unwrap_err() });
        assert_eq!(in_time(outcome).await, Error::OutcomeUnknown);
        let outcome = Box::pin(async { behind.wait().await.unwrap_err() });
        assert_eq!(in_time(outcome).await, Error::StoreUnavailable);
        let eve = house.client("eve");
        let join = Box::pin(async { eve.join("opening", Join::default()).await.unwrap_err() });
        assert_eq!(in_time(join).await, Error::StoreUnavailable);
    });
    drop((ada, bob));
    assert_eq!(panics(), before);
}
