//! P1 and P6: who is in a room, in one order, over tabs, crashes and late joins.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Wake, Waker},
};

use chatrooms_core::{
    CloseReason, Error, Identity, Join, Post, RoomRegistry,
    testing::{Call, Fault},
};

use crate::kit::{Client, House, describe, lobby, names, room, settle, user};

#[tokio::test(start_paused = true)]
async fn a_room_is_there_while_somebody_is_in_it() {
    let house = House::new().await;
    let ada = house.client("ada");
    assert_eq!(house.registry.stats().rooms, 0);
    ada.enter("lobby").await;
    assert_eq!((house.registry.stats().rooms, house.store.open_lives().len()), (1, 1));
    ada.leave("lobby");
    assert_eq!(house.registry.stats().rooms, 0);
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn those_who_are_there_and_those_who_come_learn_of_each_other() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.client("bob");
    assert_eq!(describe(&bob.enter("lobby").await), "joined at 0 [ada bob]");
    assert_eq!(ada.told(), ["+bob"]);
    assert_eq!(bob.told(), ["joined at 0 [ada bob]"], "nobody is told of themselves");
    ada.leave("lobby");
    assert_eq!(bob.told(), ["-ada"]);
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_in_several_rooms_and_dropping_it_leaves_them_all() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.enter("garden").await;
    bob.enter("garden").await;
    ada.told();
    bob.told();
    let mut rooms = ada.session.rooms();
    rooms.sort();
    assert_eq!(rooms, [room("garden"), room("lobby")]);
    drop(ada);
    let mut told = bob.told();
    told.sort();
    assert_eq!(told, ["-ada", "garden: -ada"]);
    assert_eq!(house.registry.stats().sessions, 1);
}

#[tokio::test(start_paused = true)]
async fn leaving_twice_or_from_outside_changes_nothing() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.told();
    bob.leave("lobby");
    assert_eq!(ada.told(), ["-bob"]);
    assert_eq!(bob.session.leave(&lobby()), Err(Error::NotInRoom));
    assert!(!house.registry.remove_connection(&lobby(), &bob.session));
    assert_eq!(bob.session.leave(&room("nowhere")), Err(Error::NotInRoom));
    bob.session.close(CloseReason::Gone);
    bob.session.close(CloseReason::Kicked);
    drop(bob);
    assert_eq!(ada.told(), [""; 0]);
    assert_eq!(house.registry.stats().rooms, 1);
}

#[tokio::test(start_paused = true)]
async fn adding_a_connection_twice_is_refused_and_harms_nothing() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.told();
    assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::AlreadyInRoom);
    assert_eq!((ada.told(), bob.told()), (vec![], vec![]));
    assert_eq!(house.registry.rooms(None, 9).await.unwrap().0[0].connections, 2);
    ada.say("still here").await.unwrap();
    assert_eq!(bob.told(), ["1 ada: still here"]);
}

#[tokio::test(start_paused = true)]
async fn a_user_with_thirty_tabs_comes_once_and_goes_once() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let mut tabs = Vec::new();
    for _ in 0..30 {
        let tab = house.client("bob");
        tab.enter("lobby").await;
        tabs.push(tab);
    }
    assert_eq!(ada.told(), ["+bob"]);
    let members = ada.session.members(&lobby(), None).unwrap();
    assert_eq!(names(&members.members), ["ada", "bobx30"]);
    assert_eq!(house.registry.sessions_of(&user("bob")), 30);
    let last = tabs.pop();
    drop(tabs);
    assert_eq!(ada.told(), [""; 0], "one tab is still open");
    drop(last);
    assert_eq!(ada.told(), ["-bob"]);
    drop(ada);
    house.emptied().await;
    assert_eq!(house.store.closed_lives().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_left_follows_its_joined() {
    let house = House::configured(|config| config.joins_per_second = u32::MAX).await;
    let ada = house.guest("ada").await;
    for round in 0..2_000 {
        let bob = house.guest("bob").await;
        if round % 2 == 0 {
            bob.leave("lobby");
        }
        drop(bob);
        assert_eq!(ada.told(), ["+bob", "-bob"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_ended_gets_in_nowhere_however_late_its_join_runs() {
    let house = House::new().await;
    let ada = house.client("ada");
    house.store.next(Call::Open, Fault::Slow(crate::kit::secs(1)));
    let join = ada.join("lobby", Join::default());
    let end = async {
        settle().await;
        ada.session.close(CloseReason::LoggedOut);
    };
    let (joined, ()) = tokio::join!(join, end);
    assert_eq!(joined.unwrap_err(), Error::SessionEnded);
    assert_eq!(ada.join("lobby", Join::default()).await.unwrap_err(), Error::SessionEnded);
    assert_eq!(house.registry.stats().rooms, 0);
    drop(ada);
    house.emptied().await;
}

#[test]
fn a_session_can_be_dropped_outside_of_a_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let house = runtime.block_on(House::new());
    let ada = runtime.block_on(house.guest("ada"));
    let bob = runtime.block_on(house.guest("bob"));
    ada.told();
    drop(bob);
    assert_eq!(ada.told(), ["-bob"]);
    ada.leave("lobby");
    drop(ada);
    assert_eq!(house.registry.stats().sessions, 0);
    runtime.block_on(house.emptied());
}

/// What wakes a task is the host's code, which may panic.
struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        panic!("told to panic")
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_end_panics_somewhere_is_out_of_all_its_rooms() {
    let house = House::new().await;
    let (ada, bob) = (house.unrecorded("ada"), house.unrecorded("bob"));
    for name in ["garden", "lobby"] {
        ada.enter(name).await;
        bob.enter(name).await;
    }
    bob.told();
    let waker = Waker::from(Arc::new(Panicking));
    let mut filled = Box::pin(bob.session.outbox().filled());
    assert!(filled.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let end = || ada.session.close(CloseReason::Kicked);
    catch_unwind(AssertUnwindSafe(end)).expect_err("bob is woken");
    for name in ["garden", "lobby"] {
        assert_eq!(house.registry.connections(&room(name), &user("ada")).await, Ok(0), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_sessions_of_a_user_end_at_once_and_nobody_elses() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bobs = [house.guest("bob").await, house.guest("bob").await];
    bobs[1].enter("garden").await;
    ada.told();
    bobs[1].told();
    assert_eq!(house.registry.end_sessions(&user("bob"), &CloseReason::LoggedOut), 2);
    assert_eq!(ada.told(), ["-bob"]);
    assert_eq!(house.registry.rooms(None, 9).await.unwrap().0.len(), 1);
    for bob in &bobs {
        assert_eq!(bob.session.outbox().closed(), Some(CloseReason::LoggedOut));
        assert_eq!(bob.session.rooms(), []);
        assert_eq!(bob.told(), [""; 0], "the end of a session is no removal from a room");
    }
    assert_eq!(house.registry.end_sessions(&user("eve"), &CloseReason::LoggedOut), 0);
    assert_eq!(ada.session.outbox().closed(), None);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_session_that_ends_can_still_be_taken() {
    let house = House::new().await;
    let mut ada = house.unrecorded("ada");
    ada.enter("lobby").await;
    ada.told();
    ada.say("one").await.unwrap();
    ada.session.close(CloseReason::Moved);
    assert!(ada.session.next().await.is_some());
    assert!(ada.session.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn rooms_are_listed_by_name_and_page_by_page() {
    let house = House::new().await;
    let ada = house.client("ada");
    for name in ["c", "a", "b"] {
        ada.enter(name).await;
    }
    let page = async |after: Option<&str>, limit| {
        let (rooms, more) = house.registry.rooms(after.map(room).as_ref(), limit).await.unwrap();
        let names: Vec<_> = rooms.iter().map(|summary| summary.room.to_string()).collect();
        (names.join(" "), more)
    };
    assert_eq!(page(None, 9).await, ("a b c".into(), false));
    assert_eq!(page(None, 2).await, ("a b".into(), true));
    assert_eq!(page(Some("b"), 2).await, ("c".into(), false));
    assert_eq!(page(None, 0).await, (String::new(), true));
    assert_eq!(page(None, usize::MAX).await, ("a b c".into(), false));
}

#[tokio::test(start_paused = true)]
async fn a_visitor_sees_and_says_what_they_may_without_being_there() {
    let house = House::new().await;
    let who = Identity::new(user("eve"));
    let missing = house.registry.visit(&who, &lobby()).await.err();
    assert_eq!(missing, Some(Error::NotFound), "looking at a room does not open it");
    assert_eq!(house.registry.stats().rooms, 0);

    let ada = house.guest("ada").await;
    let visit = house.registry.visit(&who, &lobby()).await.unwrap();
    assert_eq!(visit.publish(Post::new("hello")).await.unwrap().seq, 1);
    assert_eq!(ada.told(), ["1 eve: hello"]);
    assert_eq!(names(&visit.members().unwrap().members), ["ada"]);
    assert_eq!(visit.history(None, 9).await.unwrap().messages.len(), 1);
    assert_eq!((visit.summary().unwrap().users, visit.summary().unwrap().seq), (1, 1));

    ada.leave("lobby");
    assert_eq!(visit.publish(Post::new("anybody?")).await.unwrap_err(), Error::NotFound);
    assert_eq!(visit.members().unwrap_err(), Error::NotFound);
    assert_eq!(visit.summary().unwrap_err(), Error::NotFound);
    assert_eq!(visit.history(None, 9).await.unwrap_err(), Error::NotFound);
    house.registry.announce(&lobby(), Post::new("anybody?")).await.unwrap_err();
    assert_eq!(house.registry.stats().rooms, 0);
}

#[tokio::test(start_paused = true)]
async fn the_default_registry_needs_nothing() {
    let registry = RoomRegistry::default();
    let ada = Client::new(&registry, "ada");
    ada.enter("lobby").await;
    assert_eq!(ada.say("hello").await.unwrap().seq, 1);
}
