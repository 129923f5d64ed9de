//! P2: a life ends once, is purged once, and never meets another.

use chatrooms_core::{
    Error, Join,
    testing::{Call, Fault},
};
use tokio::time::Instant;

use crate::kit::{House, describe, lobby, millis, secs, settle};

#[tokio::test(start_paused = true)]
async fn a_join_after_the_last_exit_starts_a_new_life() {
    let house = House::new().await;
    let ada = house.client("ada");
    let first = ada.enter("lobby").await;
    ada.say("gone soon").await.unwrap();
    ada.leave("lobby");
    let second = ada.enter("lobby").await;
    assert_ne!(first.epoch, second.epoch);
    assert_eq!(describe(&second), "joined at 0 [ada]");
    assert!(second.first_in_room);
    assert_eq!(ada.history().await, [""; 0]);
    assert_eq!(ada.say("anew").await.unwrap().seq, 1);
}

#[tokio::test(start_paused = true)]
async fn a_purge_that_takes_long_never_touches_the_next_life() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    ada.say("of the first life").await.unwrap();
    house.store.next(Call::Close, Fault::Slow(secs(2)));
    ada.leave("lobby");

    let began = Instant::now();
    let again = ada.enter("lobby").await;
    assert_eq!(began.elapsed(), millis(0), "a join waits for no purge");
    assert_eq!(describe(&again), "joined at 0 [ada]");
    assert_eq!(house.registry.stats().purges.pending, 1);
    ada.say("of the second life").await.unwrap();
    tokio::time::sleep(secs(3)).await;
    assert_eq!(house.registry.stats().purges.pending, 0);
    assert_eq!(ada.history().await, ["of the second life"]);
    drop(ada);
    house.emptied().await;
    assert_eq!(house.registry.stats().purges.done, 2);
}

#[tokio::test(start_paused = true)]
async fn a_life_is_purged_exactly_once() {
    let house = House::new().await;
    for _ in 0..100 {
        let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
        ada.leave("lobby");
        drop(bob);
        drop(ada);
    }
    house.emptied().await;
    let closed = house.store.closed_lives();
    let different: std::collections::HashSet<_> = closed.iter().collect();
    assert_eq!((closed.len(), different.len()), (100, 100));
    assert_eq!(house.registry.stats().purges.done, 100);
}

#[tokio::test(start_paused = true)]
async fn a_purge_that_fails_is_tried_again_with_back_off_and_counted() {
    let house = House::new().await;
    house.store.always(Call::Close, Fault::Fail);
    let ada = house.guest("ada").await;
    drop(ada);
    let tries_after = async |time| {
        tokio::time::sleep(time).await;
        house.store.calls(Call::Close)
    };
    assert_eq!(house.store.calls(Call::Close), 1, "the first try is at once");
    assert_eq!(tries_after(millis(101)).await, 2);
    assert_eq!(tries_after(millis(201)).await, 3);
    assert_eq!(tries_after(secs(60)).await, 10, "each wait is twice the one before it");
    assert_eq!(tries_after(secs(300)).await, 20, "and 30 s at most");
    let purges = house.registry.stats().purges;
    assert_eq!((purges.pending, purges.failed, purges.done), (1, 20, 0));
    house.store.heal();
    house.emptied().await;
    assert_eq!(house.registry.stats().purges.done, 1);
}

#[tokio::test(start_paused = true)]
async fn a_purge_in_which_the_store_panics_is_tried_again() {
    let house = House::new().await;
    house.store.next(Call::Close, Fault::Panic);
    drop(house.guest("ada").await);
    house.emptied().await;
    assert_eq!(house.store.calls(Call::Close), 2);
}

#[tokio::test(start_paused = true)]
async fn purges_that_hang_hold_up_no_other() {
    let house = House::new().await;
    let ada = house.client("ada");
    for stuck in 0..64 {
        let name = format!("stuck {stuck}");
        house.store.always_in(&name, Call::Close, Fault::Hang);
        ada.enter(&name).await;
        if stuck % 32 == 31 {
            ada.session.rooms().iter().for_each(|room| ada.leave(room.as_str()));
        }
    }
    ada.enter("lobby").await;
    ada.leave("lobby");
    tokio::time::sleep(secs(6)).await;
    let closed = house.store.closed_lives();
    assert_eq!(closed.iter().map(|life| &life.room).collect::<Vec<_>>(), [&lobby()]);
    assert_eq!(house.registry.stats().purges.pending, 64);
}

#[tokio::test(start_paused = true)]
async fn what_the_store_still_appends_to_an_ended_life_reaches_nobody() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let late = house.guest("bob").await;
    house.store.next(Call::Append, Fault::Slow(secs(1)));
    let receipt = ada.begin("too late").await;
    drop(late);
    ada.leave("lobby");
    ada.enter("lobby").await;
    ada.told();
    assert_eq!(receipt.wait().await, Err(Error::NotInRoom));
    tokio::time::sleep(secs(2)).await;
    assert_eq!((ada.told(), ada.history().await), (vec![], vec![]));
    assert_eq!(ada.say("in time").await.unwrap().seq, 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_store_answers_too_late_reaches_no_other_life() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.store.next(Call::Append, Fault::HoldAfter);
    let receipt = ada.begin("of the first life").await;
    let held = house.store.held(Call::Append).await;
    ada.leave("lobby");
    ada.enter("lobby").await;
    ada.told();
    held.release();
    assert_eq!(receipt.wait().await.unwrap().seq, 1, "it was stored while its life lasted");
    assert_eq!((ada.told(), ada.history().await), (vec![], vec![]));
    assert_eq!(ada.say("of the second life").await.unwrap().seq, 1);
}

#[tokio::test(start_paused = true)]
async fn what_still_waits_when_the_room_ends_is_answered_and_never_stored() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.store.next(Call::Append, Fault::Slow(secs(1)));
    let begun = ada.begin("begun").await;
    let waiting = ada.begin("waiting").await;
    ada.leave("lobby");
    let began = Instant::now();
    assert_eq!(waiting.wait().await, Err(Error::NotInRoom));
    assert_eq!(began.elapsed(), millis(0));
    assert_eq!(begun.wait().await, Err(Error::NotInRoom));
    assert_eq!(house.store.batches(), [1]);
}

#[tokio::test(start_paused = true)]
async fn who_reads_when_the_room_ends_is_told_that_they_are_not_in_it() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.store.next(Call::ReadBefore, Fault::Fail);
    let lobby = lobby();
    let read = || ada.session.history(&lobby, None, 9);
    assert_eq!(read().await.unwrap_err(), Error::StoreUnavailable);
    house.store.next(Call::ReadBefore, Fault::Hold);
    let ends = async {
        let held = house.store.held(Call::ReadBefore).await;
        ada.leave("lobby");
        settle().await;
        held.release();
    };
    let (read, ()) = tokio::join!(read(), ends);
    assert_eq!(read.unwrap_err(), Error::NotInRoom);
}

#[tokio::test(start_paused = true)]
async fn a_life_that_cannot_be_opened_is_nobodys_room() {
    let house = House::new().await;
    for fault in [Fault::Fail, Fault::Panic] {
        house.store.next(Call::Open, fault);
        let ada = house.client("ada");
        let refused = ada.join("lobby", Join::default()).await.unwrap_err();
        assert_eq!(refused, Error::StoreUnavailable);
        assert_eq!((house.registry.stats().rooms, ada.session.rooms().len()), (0, 0));
        assert_eq!(ada.told(), [""; 0]);
        ada.enter("lobby").await;
    }
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_for_a_life_to_be_opened_get_in_and_one_is_the_first() {
    let house = House::new().await;
    house.store.next(Call::Open, Fault::Slow(secs(1)));
    let clients = [house.client("ada"), house.client("bob"), house.client("eve")];
    let joins = clients.iter().map(|client| client.enter("lobby"));
    let joined = futures_util::future::join_all(joins).await;
    assert_eq!(joined.iter().filter(|joined| joined.first_in_room).count(), 1);
    assert_eq!(house.store.calls(Call::Open), 1);
    assert!(joined.iter().all(|other| other.epoch == joined[0].epoch));
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_does_not_end_the_room_for_those_who_are_on_their_way() {
    let house = House::new().await;
    house.store.next(Call::Open, Fault::Hold);
    let (ada, bob) = (house.client("ada"), house.client("bob"));
    let (mut adas, mut bobs) = (Box::pin(ada.enter("lobby")), Box::pin(bob.enter("lobby")));
    assert!(futures_util::poll!(&mut adas).is_pending());
    assert!(futures_util::poll!(&mut bobs).is_pending());
    house.store.held(Call::Open).await.release();
    settle().await;
    drop(adas);
    assert_eq!(describe(&bobs.await), "joined at 0 [bob]");
    assert_eq!(house.store.calls(Call::Open), 1);
}

#[tokio::test(start_paused = true)]
async fn an_opening_that_hangs_is_given_up_and_the_next_join_tries_anew() {
    let house = House::new().await;
    house.store.next(Call::Open, Fault::Hang);
    let ada = house.client("ada");
    let began = Instant::now();
    let refused = ada.join("lobby", Join::default()).await.unwrap_err();
    assert_eq!((refused, began.elapsed()), (Error::StoreUnavailable, secs(5)));
    settle().await;
    assert_eq!(house.registry.stats().rooms, 0);
    ada.enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn a_life_that_is_opened_too_late_is_closed_again() {
    let house = House::new().await;
    house.store.next(Call::Open, Fault::Slow(secs(8)));
    let ada = house.client("ada");
    ada.join("lobby", Join::default()).await.unwrap_err();
    let joined = ada.enter("lobby").await;
    tokio::time::sleep(secs(9)).await;
    let open = house.store.open_lives();
    assert_eq!(open.iter().map(|life| life.epoch).collect::<Vec<_>>(), [joined.epoch]);
    assert_eq!(house.store.closed_lives().len(), 1);
    assert_eq!(
        house.registry.rooms(None, 9).await.unwrap().0[0].epoch,
        joined.epoch,
        "the next life stands"
    );
    drop(ada);
    house.emptied().await;
}
