//! A configured linger keeps an emptied room for those whose connections were lost, and for nobody else.

use std::sync::Arc;

use crate::kit::{
    Client, House, Thoughtful, at_once, config, describe, lobby, millis, resume, secs, settle, user,
};
use chatrooms_core::{
    CloseReason, Error, Identity, Join, MemoryStore, Post, RoomName, RoomPolicy, RoomRegistry,
    RoomRules, async_trait,
    testing::{Call, Fault, FaultyStore},
};

/// A way to end ada's stay; returns how many connections that were.
type End = dyn Fn(&House, &Client) -> usize;

fn end_ada(house: &House, reason: &CloseReason) -> usize {
    house.registry.end_sessions(&user("ada"), reason)
}

async fn house() -> House {
    House::configured(|config| config.linger = secs(30)).await
}

#[tokio::test(start_paused = true)]
async fn a_room_lingers_when_its_last_connection_is_lost() {
    let house = house().await;
    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    drop(ada);
    assert_eq!(house.registry.stats().rooms, 1);
    assert_eq!(
        house.registry.rooms(None, 9).await.unwrap().0,
        [],
        "a lingering room is not listed"
    );
    let who = Identity::new(user("eve"));
    assert_eq!(house.registry.visit(&who, &lobby()).await.err(), Some(Error::NotFound));
    tokio::time::sleep(millis(29_999)).await;
    assert_eq!(house.registry.stats().rooms, 1);
    tokio::time::sleep(millis(2)).await;
    assert_eq!(house.registry.stats().rooms, 0);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_join_ends_the_wait_and_resumes_the_life() {
    let house = house().await;
    let ada = house.client("ada");
    let joined = ada.enter("lobby").await;
    ada.say("one").await.unwrap();
    drop(ada);
    tokio::time::sleep(secs(29)).await;
    let bob = house.client("bob");
    let answer = bob.join("lobby", resume(&joined, 0)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 1 [bob] (1)");
    assert!(answer.first_in_room);
    tokio::time::sleep(secs(60)).await;
    assert_eq!(house.registry.stats().rooms, 1);
    assert_eq!(bob.say("two").await.unwrap().seq, 2);
    drop(bob);
    tokio::time::sleep(secs(29)).await;
    assert_eq!(house.registry.stats().rooms, 1, "a new wait has its full time");
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn who_has_come_back_is_still_there_while_a_shutdown_waits() {
    let house = house().await;
    drop(house.guest("ada").await);
    let bob = house.guest("bob").await;
    let registry = house.registry.clone();
    let stopping = tokio::spawn(async move { registry.shutdown(secs(8)).await });
    settle().await;
    assert!(house.registry.is_stopping());
    assert_eq!(house.registry.connections(&lobby(), &user("bob")).await, Ok(1));
    assert_eq!(bob.say("last words").await.unwrap().seq, 1);
    drop(bob);
    assert_eq!(stopping.await.unwrap().cut_off, 0);
}

#[tokio::test(start_paused = true)]
async fn who_goes_by_leaving_or_is_made_to_go_leaves_nothing_behind() {
    let house = house().await;
    let ends: [&End; 8] = [
        &|_, ada| usize::from(ada.session.leave(&lobby()).is_ok()),
        &|house, _| end_ada(house, &CloseReason::LoggedOut),
        &|house, _| end_ada(house, &CloseReason::Kicked),
        &|house, _| end_ada(house, &CloseReason::Banned),
        &|house, _| end_ada(house, &CloseReason::Unauthorized),
        &|house, _| at_once(house.registry.moderation(&lobby()).kick(&user("ada"), None)).unwrap(),
        &|house, _| {
            at_once(house.registry.moderation(&lobby()).ban(&user("ada"), None, None)).unwrap()
        },
        &|house, _| at_once(house.registry.moderation(&lobby()).close(None)).unwrap(),
    ];
    for end in ends {
        let ada = house.guest("ada").await;
        assert_eq!(end(&house, &ada), 1);
        assert_eq!(house.registry.stats().rooms, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn lost_connections_of_every_kind_linger() {
    let house = house().await;
    for reason in [
        CloseReason::Gone,
        CloseReason::SlowConsumer,
        CloseReason::HeartbeatTimeout,
        CloseReason::Moved,
        CloseReason::Internal,
        CloseReason::ShuttingDown { after: secs(1) },
    ] {
        let ada = house.guest("ada").await;
        ada.session.close(reason);
        assert_eq!(house.registry.rooms(None, 9).await.unwrap().0.len(), 0);
        assert_eq!(house.registry.stats().rooms, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_logout_counts_also_where_the_socket_went_first() {
    let house = house().await;
    let ada = house.guest("ada").await;
    ada.session.outbox().close(CloseReason::LoggedOut);
    drop(ada);
    assert_eq!(house.registry.stats().rooms, 0);
    let ada = house.guest("ada").await;
    ada.session.outbox().close(CloseReason::Moved);
    house.registry.end_sessions(&user("ada"), &CloseReason::LoggedOut);
    assert_eq!(house.registry.stats().rooms, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_last_is_still_stored_in_a_lingering_room() {
    let house = house().await;
    let ada = house.client("ada");
    let joined = ada.enter("lobby").await;
    house.store.next(Call::Append, Fault::Slow(secs(1)));
    drop(ada.begin("last words").await);
    drop(ada);
    tokio::time::sleep(secs(2)).await;
    let bob = house.client("bob");
    let answer = bob.join("lobby", resume(&joined, 0)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 1 [bob] (1)");
}

#[tokio::test(start_paused = true)]
async fn what_a_visitor_says_too_late_is_not_kept_for_those_who_come_back() {
    let lingers = config(|config| config.linger = secs(30));
    let house = House::with(|builder| builder.config(lingers).policy(Thoughtful)).await;
    let ada = house.guest("ada").await;
    let eve = Identity::new(user("eve"));
    let visit = house.registry.visit(&eve, &lobby()).await.unwrap();
    let (sent, ()) = tokio::join!(visit.publish(Post::new("too late")), async { drop(ada) });
    assert_eq!(sent.unwrap_err(), Error::NotFound);
    assert_eq!(describe(&house.client("ada").enter("lobby").await), "joined at 0 [ada]");
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_dropped_takes_its_lingering_rooms_with_it() {
    let store = Arc::new(MemoryStore::new());
    let lingers = config(|config| config.linger = secs(30));
    let registry =
        RoomRegistry::builder().store(Arc::clone(&store)).config(lingers).start().await.unwrap();
    let ada = Client::new(&registry, "ada");
    ada.enter("lobby").await;
    drop(ada);
    assert_eq!(registry.stats().rooms, 1);
    drop(registry);
    settle().await;
    assert_eq!(Arc::strong_count(&store), 1, "nothing waits on for who might come back");
}

#[tokio::test(start_paused = true)]
async fn bans_outlast_a_linger_and_can_be_spoken_in_it() {
    let house = house().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).ban(&user("eve"), None, None).await.unwrap();
    drop(ada);
    house.registry.moderation(&lobby()).ban(&user("bob"), None, None).await.unwrap();
    for banned in ["eve", "bob"] {
        let refused = house.client(banned).join("lobby", Join::default()).await.unwrap_err();
        assert_eq!(refused, Error::Banned);
        assert_eq!(house.registry.stats().rooms, 1, "a refused join does not end the wait");
    }
    tokio::time::sleep(secs(31)).await;
    house.client("eve").enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn closing_a_lingering_room_ends_it() {
    let house = house().await;
    drop(house.guest("ada").await);
    assert_eq!(house.registry.moderation(&lobby()).close(None).await.unwrap(), 0);
    house.emptied().await;
}

/// A house whose lobby held one message of ada's when its process went down.
async fn after_a_restart(linger: std::time::Duration) -> (House, Arc<chatrooms_core::Joined>) {
    let store = FaultyStore::new();
    let lingering = |builder: chatrooms_core::RegistryBuilder| {
        builder.config(config(|config| config.linger = secs(30)))
    };
    let before = House::over(store.clone(), lingering).await;
    let ada = before.client("ada");
    let joined = ada.enter("lobby").await;
    ada.say("one").await.unwrap();
    ada.say("two").await.unwrap();
    ada.take_back(1).await.unwrap();
    ada.enter("garden").await;
    std::mem::forget(ada);
    let with = |builder: chatrooms_core::RegistryBuilder| {
        builder.config(config(|config| config.linger = linger))
    };
    (House::over(store.restart(), with).await, joined)
}

#[tokio::test(start_paused = true)]
async fn an_earlier_process_lives_are_purged_at_the_start() {
    let (house, _) = after_a_restart(secs(0)).await;
    house.emptied().await;
    assert_eq!(describe(&house.client("ada").enter("lobby").await), "joined at 0 [ada]");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_process_lives_wait_for_their_people() {
    let (house, joined) = after_a_restart(secs(30)).await;
    tokio::time::sleep(secs(29)).await;
    let bob = house.client("bob");
    let answer = bob.join("lobby", resume(&joined, 1)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 2 [bob] (2) more taken back [1]");
    assert_eq!(bob.say("three").await.unwrap().seq, 3);
    tokio::time::sleep(secs(60)).await;
    assert_eq!(house.store.open_lives().len(), 1);
    assert_eq!(bob.history().await, ["", "two", "three"]);
}

/// The messages that bob missed are all at hand after the restart, and that one of those he has seen was taken back is not known any more.
#[tokio::test(start_paused = true)]
async fn a_return_is_no_resume_where_not_all_can_be_told_that_was_taken_back() {
    let (store, small) = (FaultyStore::new(), |builder: chatrooms_core::RegistryBuilder| {
        builder.config(config(|config| (config.linger, config.keep) = (secs(30), 8)))
    });
    let before = House::over(store.clone(), small).await;
    let (ada, bob) = (before.guest("ada").await, before.client("bob"));
    for body in ["1", "2", "3", "4", "5"] {
        ada.say(body).await.unwrap();
    }
    let joined = bob.enter("lobby").await;
    bob.leave("lobby");
    ada.take_back(1).await.unwrap();
    for body in ["6", "7", "8", "9"] {
        ada.say(body).await.unwrap();
    }
    let again = bob.join("lobby", resume(&joined, 5)).await.unwrap();
    assert!(!again.resumed);
    std::mem::forget((ada, bob));
    let house = House::over(store.restart(), small).await;
    let again = house.client("bob").join("lobby", resume(&joined, 5)).await.unwrap();
    assert_eq!(describe(&again), "joined at 9 [bob] (3 4 5 6 7 8 9)");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_process_lives_do_not_wait_for_ever() {
    let (house, joined) = after_a_restart(secs(30)).await;
    tokio::time::sleep(secs(31)).await;
    house.emptied().await;
    let answer = house.client("ada").join("lobby", resume(&joined, 0)).await.unwrap();
    assert!(!answer.resumed);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_return_does_not_end_the_wait() {
    let (house, joined) = after_a_restart(secs(30)).await;
    house.store.next(Call::Open, Fault::Slow(secs(1)));
    let ada = house.client("ada");
    let cancelled = tokio::time::timeout(millis(500), ada.enter("lobby")).await;
    assert!(cancelled.is_err());
    tokio::time::sleep(secs(20)).await;
    let answer = ada.join("lobby", resume(&joined, 1)).await.unwrap();
    assert!(answer.resumed);
    ada.leave("lobby");

    let (house, _) = after_a_restart(secs(30)).await;
    house.store.next(Call::Open, Fault::Slow(secs(1)));
    let ada = house.client("ada");
    assert!(tokio::time::timeout(millis(500), ada.enter("lobby")).await.is_err());
    drop(ada);
    tokio::time::sleep(secs(31)).await;
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_return_that_fails_once_can_be_tried_again() {
    for fault in [Fault::Fail, Fault::Panic] {
        let (house, joined) = after_a_restart(secs(30)).await;
        house.store.next(Call::Open, fault);
        let ada = house.client("ada");
        let refused = ada.join("lobby", resume(&joined, 1)).await.unwrap_err();
        assert_eq!(refused, Error::StoreUnavailable);
        assert!(ada.join("lobby", resume(&joined, 1)).await.unwrap().resumed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_return_that_fails_for_too_long_leaves_nothing_behind() {
    let (house, _) = after_a_restart(secs(3)).await;
    house.store.next(Call::Open, Fault::Slow(secs(4)));
    house.store.next(Call::Open, Fault::Fail);
    let ada = house.client("ada");
    let (joined, ()) = tokio::join!(ada.enter("lobby"), settle());
    assert_eq!(joined.seq, 2, "who was on the way in time gets in");
    ada.leave("lobby");

    let (house, _) = after_a_restart(secs(3)).await;
    house.store.next(Call::Open, Fault::Slow(secs(10)));
    let ada = house.client("ada");
    ada.join("lobby", Join::default()).await.unwrap_err();
    drop(ada);
    tokio::time::sleep(secs(20)).await;
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_return_that_is_opened_too_late_is_there_for_the_next_try() {
    let (house, joined) = after_a_restart(secs(30)).await;
    house.store.next(Call::Open, Fault::Slow(secs(8)));
    let ada = house.client("ada");
    let refused = ada.join("lobby", resume(&joined, 1)).await.unwrap_err();
    assert_eq!(refused, Error::StoreUnavailable);
    tokio::time::sleep(secs(10)).await;
    assert!(ada.join("lobby", resume(&joined, 1)).await.unwrap().resumed);
    ada.leave("lobby");

    // Where the room has begun another life meanwhile, the old one is over.
    let (house, _) = after_a_restart(secs(30)).await;
    house.store.next(Call::Open, Fault::Slow(secs(8)));
    let ada = house.client("ada");
    ada.join("lobby", Join::default()).await.unwrap_err();
    let next = ada.enter("lobby").await;
    assert_eq!(next.seq, 0);
    tokio::time::sleep(secs(10)).await;
    let open = house.store.open_lives();
    assert_eq!(open.iter().map(|life| life.epoch).collect::<Vec<_>>(), [next.epoch]);
    drop(ada);
    tokio::time::sleep(secs(31)).await;
    house.emptied().await;
}

/// A policy that takes a second over the rules of a room.
#[derive(Debug)]
struct Hesitant;

#[async_trait]
impl RoomPolicy for Hesitant {
    async fn open_room(&self, _: &RoomName, rules: RoomRules) -> Result<RoomRules, Error> {
        tokio::time::sleep(secs(1)).await;
        Ok(rules)
    }
}

/// Its wait has run out by the time at which somebody who is on their way comes to it, in a process that stops.
#[tokio::test(start_paused = true)]
async fn a_return_in_a_process_that_stops_leaves_the_life_to_the_next_one() {
    for fault in [None, Some(Fault::Fail)] {
        let lingers = |builder: chatrooms_core::RegistryBuilder| {
            builder.config(config(|config| config.linger = secs(3)))
        };
        let store = FaultyStore::new();
        let before = House::over(store.clone(), lingers).await;
        let ada = before.client("ada");
        let joined = ada.enter("lobby").await;
        ada.say("one").await.unwrap();
        std::mem::forget(ada);
        let house = House::over(store.restart(), |builder| lingers(builder).policy(Hesitant)).await;
        tokio::time::sleep(millis(2500)).await;
        if let Some(fault) = fault {
            house.store.next(Call::Open, fault);
        }
        let ada = house.client("ada");
        let stop = async {
            settle().await;
            house.registry.shutdown(secs(8)).await
        };
        let (refused, report) = tokio::join!(ada.join("lobby", resume(&joined, 0)), stop);
        let expected = if fault.is_some() { Error::StoreUnavailable } else { Error::ShuttingDown };
        assert_eq!((refused.unwrap_err(), house.store.calls(Call::Open)), (expected, 2));
        assert_eq!((report.cut_off, report.unfinished_purges), (1, 0));
        let left: Vec<_> = house.store.open_lives().iter().map(|life| life.epoch).collect();
        assert_eq!((left, house.store.closed_lives()), (vec![joined.epoch], vec![]));
        let next = House::over(house.store.restart(), lingers).await;
        let again = next.client("ada").join("lobby", resume(&joined, 0)).await.unwrap();
        assert_eq!(describe(&again), "resumed at 1 [ada] (1)");
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_that_somebody_else_has_ended_is_not_missed() {
    let (house, joined) = after_a_restart(secs(30)).await;
    house.store.lose_abandoned();
    let ada = house.client("ada");
    let answer = ada.join("lobby", resume(&joined, 1)).await.unwrap();
    assert_eq!(describe(&answer), "joined at 0 [ada]");
}
