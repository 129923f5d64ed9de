//! P9: a registry stops in order and in time.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Wake, Waker},
};

use chatrooms_core::{
    CloseReason, Error, Identity, Join, Post, ShutdownReport,
    testing::{Call, Fault, FaultyStore},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;

use crate::kit::{Client, House, config, describe, millis, resume, room, secs, settle, user};

/// Somebody who reads to the end and goes, as a socket's loop does; returns why it ended.
fn reader(mut client: Client) -> tokio::task::JoinHandle<Option<CloseReason>> {
    tokio::spawn(async move {
        while client.session.next().await.is_some() {}
        client.session.outbox().closed()
    })
}

#[tokio::test(start_paused = true)]
async fn everybody_is_told_when_to_return_and_nothing_is_left() {
    let house = House::new().await;
    let readers: Vec<_> = futures_util::future::join_all(
        (0..50).map(|n| house.guest(Box::leak(format!("user {n}").into_boxed_str()))),
    )
    .await
    .into_iter()
    .map(reader)
    .collect();
    house.store.always(Call::Close, Fault::Slow(millis(100)));
    let report = house.registry.shutdown(secs(8)).await;
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
    let mut returns = std::collections::BTreeSet::new();
    for reader in readers {
        let Some(CloseReason::ShuttingDown { after }) = reader.await.unwrap() else { panic!() };
        assert!(after <= secs(5));
        returns.insert(after);
    }
    assert!(returns.len() > 40, "not all at the same moment");
    house.emptied().await;
    assert_eq!(house.store.calls(Call::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_are_asked_to_return_spread_over_the_whole_window() {
    let house = House::configured(|config| config.return_window = secs(60)).await;
    let sessions = (0..1000).map(|n| house.client(&format!("user {n}")));
    let readers: Vec<_> = sessions.map(reader).collect();
    house.registry.shutdown(secs(8)).await;
    let mut tenths = [0; 10];
    for reader in readers {
        let Some(CloseReason::ShuttingDown { after }) = reader.await.unwrap() else { panic!() };
        assert!(after <= secs(60), "{after:?}");
        tenths[after.as_millis().min(59_999) as usize / 6_000] += 1;
    }
    // Fair dice leave a tenth outside of this once in 100 million runs.
    assert!(tenths.iter().all(|count| (40..=160).contains(count)), "{tenths:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_in_any_more() {
    let house = House::new().await;
    let (ada, bob) = (house.guest("ada").await, house.client("bob"));
    let stop = house.registry.shutdown(secs(8));
    let late = async {
        settle().await;
        assert!(house.registry.is_stopping());
        let refused = house.registry.open_session(Identity::new(user("eve"))).unwrap_err();
        assert_eq!(refused, Error::ShuttingDown);
        assert_eq!(house.registry.may_open_session(&user("eve")), Err(Error::ShuttingDown));
        assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::ShuttingDown);
        assert_eq!(ada.say("what waits is still answered").await.unwrap().seq, 1);
        drop((ada, bob));
    };
    let (report, ()) = tokio::join!(stop, late);
    assert_eq!(report.cut_off, 0);
    assert_eq!(house.registry.stats().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_was_on_its_way_does_not_get_in() {
    let house = House::new().await;
    house.store.next(Call::Open, Fault::Slow(secs(1)));
    let ada = house.client("ada");
    let stop = async {
        settle().await;
        house.registry.shutdown(secs(1)).await
    };
    let (joined, report) = tokio::join!(ada.join("lobby", Join::default()), stop);
    assert_eq!(joined.unwrap_err(), Error::ShuttingDown);
    assert_eq!(report.cut_off, 1);
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_go_is_cut_off_in_time_for_its_purge() {
    let house = House::new().await;
    let stuck = house.guest("ada").await;
    house.store.next(Call::Close, Fault::Slow(millis(500)));
    let began = Instant::now();
    let report = house.registry.shutdown(secs(8)).await;
    assert_eq!((report.cut_off, report.unfinished_purges), (1, 0));
    assert!(began.elapsed() <= secs(8), "{:?}", began.elapsed());
    assert_eq!(stuck.session.rooms(), []);
    assert_eq!(house.registry.stats().rooms, 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_hold_up_a_shutdown() {
    let house = House::new().await;
    drop(house.guest("ada").await);
    house.store.always(Call::Close, Fault::Hang);
    house.store.always(Call::Shutdown, Fault::Hang);
    let bob = reader(house.guest("bob").await);
    let began = Instant::now();
    let report = house.registry.shutdown(secs(8)).await;
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 1));
    assert!(began.elapsed() <= secs(8), "{:?}", began.elapsed());
    assert!(bob.await.unwrap().is_some());
    for fault in [Fault::Fail, Fault::Panic] {
        let house = House::new().await;
        house.store.always(Call::Shutdown, fault);
        house.registry.shutdown(secs(8)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_tasks_of_adapters() {
    let house = House::new().await;
    let (done, mut is_done) = tokio::sync::oneshot::channel();
    house.registry.spawn(async move {
        tokio::time::sleep(secs(1)).await;
        let _ = done.send(());
    });
    house.registry.shutdown(secs(8)).await;
    assert_eq!(is_done.try_recv(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn no_linger_runs_out_while_a_shutdown_waits() {
    let lingering = |builder: chatrooms_core::RegistryBuilder| {
        builder.config(config(|config| config.linger = secs(2)))
    };
    let store = FaultyStore::new();
    let before = House::over(store.clone(), lingering).await;
    let ada = before.client("ada");
    for name in ["cellar", "attic", "lobby", "garden"] {
        ada.enter(name).await;
        ada.session.publish(&room(name), Post::new("one")).await.unwrap();
    }
    drop(ada);
    before.registry.shutdown(secs(8)).await;

    // Of what was left behind one room waits, one waits again, one is drained, and one keeps the shutdown waiting.
    let between = House::over(store.restart(), lingering).await;
    let (ada, bob, eve) = (between.client("ada"), between.client("bob"), between.client("eve"));
    ada.enter("attic").await;
    drop(ada);
    bob.enter("lobby").await;
    eve.enter("garden").await;
    let began = Instant::now();
    let report = {
        let bob = reader(bob);
        let report = between.registry.shutdown(secs(8)).await;
        bob.await.unwrap();
        report
    };
    assert_eq!((report.cut_off, report.unfinished_purges), (1, 0));
    assert!(began.elapsed() > secs(4), "longer than a linger");
    drop(eve);

    let after = House::over(store.restart(), lingering).await;
    for name in ["cellar", "attic", "lobby", "garden"] {
        assert_eq!(after.client("ada").enter(name).await.seq, 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_task_outlives_a_shutdown() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let lingering = |builder: chatrooms_core::RegistryBuilder| {
        builder.config(config(|config| {
            config.linger = secs(3600);
            // So that a room tells its news from time to time.
            config.presence_exact = 1;
        }))
    };
    let store = FaultyStore::new();
    let before = House::over(store.clone(), lingering).await;
    let ada = before.client("ada");
    for name in ["lobby", "garden"] {
        ada.enter(name).await;
        ada.session.publish(&room(name), Post::new("one")).await.unwrap();
    }
    drop(ada);
    before.registry.shutdown(secs(8)).await;
    settle().await;
    assert_eq!(tasks(), 0, "after rooms that lingered");

    // One of the rooms that were left behind waits for its people, the other has them back.
    let after = House::over(store.restart(), lingering).await;
    let watch = after.registry.watch_all();
    let (ada, bob) = (after.guest("ada").await, after.guest("bob").await);
    after.client("eve").enter("cellar").await;
    store.next(Call::Close, Fault::Fail);
    bob.enter("attic").await;
    bob.leave("attic");
    assert!(tasks() > 0, "there is work to be ended");
    let (ada, bob) = (reader(ada), reader(bob));
    let report = after.registry.shutdown(secs(8)).await;
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
    for reader in [ada, bob] {
        assert!(reader.await.unwrap().is_some());
    }
    settle().await;
    assert_eq!(tasks(), 0);
    drop(watch);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_can_be_cancelled_and_called_again() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    assert!(tokio::time::timeout(secs(1), house.registry.shutdown(secs(100))).await.is_err());
    assert!(house.registry.is_stopping());
    drop(ada);
    let report = house.registry.shutdown(secs(100)).await;
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
    house.emptied().await;
}

/// Who is the last to go, and has the registry stop, in the moment in which they are woken: that is the host's code.
struct Goes {
    waits: Mutex<Option<BoxFuture<'static, usize>>>,
    stops: Mutex<Option<BoxFuture<'static, ShutdownReport>>>,
}

impl Wake for Goes {
    fn wake(self: Arc<Self>) {
        drop(self.waits.lock().unwrap().take());
        let mut stops = self.stops.lock().unwrap();
        let stopped = stops.as_mut().and_then(|stops| stops.as_mut().now_or_never());
        assert_eq!(stopped, None, "a purge has been decided");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_a_purge_that_has_yet_to_begin() {
    let house = House::new().await;
    let ada = house.unrecorded("ada");
    ada.enter("lobby").await;
    ada.told();
    let registry = house.registry.clone();
    let goes = Arc::new(Goes {
        waits: Mutex::new(Some(async move { ada.session.outbox().filled().await }.boxed())),
        stops: Mutex::new(Some(async move { registry.shutdown(secs(8)).await }.boxed())),
    });
    let waker = Waker::from(Arc::clone(&goes));
    let mut waits = goes.waits.lock().unwrap().take().unwrap();
    assert!(waits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    *goes.waits.lock().unwrap() = Some(waits);
    assert_eq!((house.kick("lobby", "ada"), house.registry.stats().sessions), (1, 0));
    let stops = goes.stops.lock().unwrap().take().unwrap();
    let report = stops.await;
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
    assert_eq!(house.store.closed_lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_linger_a_shutdown_purges_every_room() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    let ada = reader(ada);
    house.registry.shutdown(secs(8)).await;
    ada.await.unwrap();
    assert_eq!(house.store.open_lives(), []);
}

#[tokio::test(start_paused = true)]
async fn with_a_linger_a_shutdown_keeps_rooms_for_the_next_process() {
    let store = FaultyStore::new();
    let lingering = |builder: chatrooms_core::RegistryBuilder| {
        builder.config(config(|config| config.linger = secs(30)))
    };
    let before = House::over(store.clone(), lingering).await;
    let ada = before.client("ada");
    let joined = ada.enter("lobby").await;
    ada.say("one").await.unwrap();
    drop(before.guest("bob").await);
    store.next(Call::Append, Fault::Slow(secs(1)));
    drop(ada.begin("two").await);
    drop(ada.begin("three").await);
    let ada = reader(ada);
    let report = before.registry.shutdown(secs(8)).await;
    assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
    ada.await.unwrap();
    assert_eq!(before.registry.stats().rooms, 0);
    tokio::time::sleep(secs(60)).await;
    assert_eq!(store.open_lives().len(), 1, "the old process's timers touch nothing any more");

    let after = House::over(store.restart(), lingering).await;
    let answer = after.client("ada").join("lobby", resume(&joined, 0)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 3 [ada] (1 2 3)");
}
