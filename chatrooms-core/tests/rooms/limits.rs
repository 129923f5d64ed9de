//! P10: everything has a bound, and an error of its own.

use std::time::SystemTime;

use chatrooms_core::{
    CloseReason, Data, Error, Identity, Join,
    testing::{Call, Fault},
};
use tokio::time::Instant;

use crate::kit::{House, millis, secs, user};

#[tokio::test(start_paused = true)]
async fn a_session_is_in_so_many_rooms() {
    let house = House::configured(|config| config.rooms_per_session = 2).await;
    let ada = house.client("ada");
    ada.enter("a").await;
    ada.enter("b").await;
    assert_eq!(ada.join("c", Join::default()).await.unwrap_err(), Error::TooManyRooms);
    assert_eq!(house.store.calls(Call::Open), 2, "a join that must fail opens nothing");
    ada.leave("a");
    ada.enter("c").await;
}

#[tokio::test(start_paused = true)]
async fn joins_at_the_same_time_are_counted_too() {
    let house = House::configured(|config| config.rooms_per_session = 2).await;
    house.store.always(Call::Open, Fault::Slow(millis(10)));
    let ada = house.client("ada");
    let joins = ["a", "b", "c"].map(|room| ada.join(room, Join::default()));
    let joined = futures_util::future::join_all(joins).await;
    assert_eq!(joined.iter().filter(|joined| joined.is_ok()).count(), 2);
    assert_eq!(house.registry.stats().rooms, 2);
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_join_twice_at_the_same_time_gets_in_once() {
    let house = House::new().await;
    house.store.always(Call::Open, Fault::Slow(millis(10)));
    let ada = house.client("ada");
    let joins = ["a", "a"].map(|room| ada.join(room, Join::default()));
    let joined = futures_util::future::join_all(joins).await;
    assert!(joined[0].is_ok());
    assert_eq!(joined[1].as_ref().unwrap_err(), &Error::AlreadyInRoom);
    assert_eq!(ada.told().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_room_holds_so_many_connections() {
    let house = House::configured(|config| config.members_per_room = 2).await;
    let (ada, _bob) = (house.guest("ada").await, house.guest("bob").await);
    ada.told();
    let eve = house.client("eve");
    assert_eq!(eve.join("lobby", Join::default()).await.unwrap_err(), Error::RoomFull);
    assert_eq!((ada.told(), eve.told(), eve.session.rooms().len()), (vec![], vec![], 0));
    ada.leave("lobby");
    eve.enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_rooms() {
    let house = House::configured(|config| config.rooms = 2).await;
    let ada = house.client("ada");
    ada.enter("a").await;
    ada.enter("b").await;
    assert_eq!(ada.join("c", Join::default()).await.unwrap_err(), Error::ServerFull);
    house.client("bob").enter("a").await;
    ada.leave("b");
    ada.enter("c").await;
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_user_has_so_many_sessions_and_all_users_so_many() {
    let house = House::configured(|config| {
        config.sessions_per_user = 2;
        config.sessions = 3;
    })
    .await;
    let open = |name| house.registry.open_session(Identity::new(user(name)));
    let may = |name| house.registry.may_open_session(&user(name));
    let first = open("ada").unwrap();
    let _second = open("ada").unwrap();
    assert_eq!(open("ada").unwrap_err(), Error::TooManySessions);
    assert_eq!(may("ada"), Err(Error::TooManySessions));
    assert_eq!(house.registry.stats().sessions, 2);
    let bob = open("bob").unwrap();
    assert_eq!(open("eve").unwrap_err(), Error::ServerFull);
    assert_eq!((may("eve"), house.registry.stats().sessions), (Err(Error::ServerFull), 3));
    drop((first, bob));
    assert_eq!(may("eve"), Ok(()));
    let _eve = open("eve").unwrap();
    let _third = open("ada").unwrap();
    assert_eq!(house.registry.stats().sessions, 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_connection_says_about_itself_is_bounded() {
    let house = House::new().await;
    let ada = house.client("ada");
    let join = |bytes| Join { meta: Some(Data::new("1".repeat(bytes))), ..Join::default() };
    let refused = ada.join("lobby", join(1025)).await.unwrap_err();
    assert_eq!(refused, Error::TooLarge { what: "meta", limit: 1024 });
    assert_eq!(house.store.calls(Call::Open), 0);
    ada.join("lobby", join(1024)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn bounds_of_zero_refuse_and_harm_nothing() {
    let house = House::configured(|config| {
        config.sessions_per_user = 0;
        config.history = 0;
        config.presence_exact = 0;
    })
    .await;
    let refused = house.registry.open_session(Identity::new(user("ada"))).unwrap_err();
    assert_eq!(refused, Error::TooManySessions);
    house.emptied().await;

    let house = House::configured(|config| {
        config.history = 0;
        config.keep = 0;
        config.recent = 0;
        config.sends_per_second = 0;
        config.store_timeout = std::time::Duration::MAX;
    })
    .await;
    let ada = house.guest("ada").await;
    ada.say("gone at once").await.unwrap();
    assert_eq!(ada.history().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn joining_faster_than_allowed_is_refused_with_the_time_to_wait() {
    let house = House::configured(|config| {
        (config.joins_per_second, config.join_burst) = (2, 3);
    })
    .await;
    let _keeper = house.guest("keeper").await;
    let tabs = [house.client("ada"), house.client("ada")];
    for tab in [0, 1, 0] {
        tabs[tab].enter("lobby").await;
        tabs[tab].leave("lobby");
    }
    let refused = tabs[1].join("lobby", Join::default()).await.unwrap_err();
    let Error::RateLimited { retry_after } = refused else { panic!("{refused}") };
    assert_eq!(retry_after, millis(500));
    house.client("bob").enter("lobby").await;
    tokio::time::sleep(retry_after).await;
    tabs[1].enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn a_user_opens_so_many_rooms_and_joins_those_that_others_have_opened() {
    let house = House::configured(|config| config.new_rooms_per_minute = 2).await;
    let (ada, bob) = (house.client("ada"), house.client("bob"));
    ada.enter("a").await;
    ada.enter("b").await;
    let refused = ada.join("c", Join::default()).await.unwrap_err();
    assert_eq!(refused, Error::RateLimited { retry_after: millis(30_000) });
    assert_eq!((house.store.calls(Call::Open), house.registry.stats().rooms), (2, 2));
    bob.enter("c").await;
    ada.enter("c").await;
    tokio::time::sleep(millis(30_000)).await;
    ada.enter("d").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_asks_so_often() {
    let house = House::configured(|config| {
        (config.requests_per_second, config.request_burst) = (4, 2);
    })
    .await;
    let tabs = [house.client("ada"), house.client("ada")];
    let ask = |tab: usize| tabs[tab].session.count_request();
    assert_eq!([ask(0), ask(0)], [Ok(()), Ok(())]);
    assert_eq!(ask(0), Err(Error::RateLimited { retry_after: millis(250) }));
    assert_eq!(ask(1), Ok(()), "every session has an allowance of its own");
    tokio::time::sleep(millis(250)).await;
    assert_eq!(ask(0), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn whoever_drives_a_session_knows_when_its_credentials_end() {
    let house = House::new().await;
    let ends = |at: Option<SystemTime>| {
        let who = Identity::new(user("ada"));
        let who = if let Some(at) = at { who.expires_at(at) } else { who };
        let session = house.registry.open_session(who).unwrap();
        session.expires().map(|at| at.duration_since(Instant::now()))
    };
    let now = SystemTime::now();
    assert_eq!(ends(None), None);
    assert_eq!(ends(Some(now - secs(1))), Some(secs(0)));
    let left = ends(Some(now + secs(3600))).unwrap();
    assert!(left > secs(1800) && left <= secs(3600), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn where_too_much_waits_in_all_those_who_take_the_least_are_let_go() {
    let house = House::configured(|config| {
        (config.outbox_bytes, config.outbox_bytes_in_all) = (1_000_000, 40_000);
    })
    .await;
    let (asleep, awake) = (house.guest("asleep").await, house.guest("awake").await);
    let ada = house.guest("ada").await;
    let mut said = 0;
    while asleep.session.outbox().closed().is_none() {
        ada.say(&"x".repeat(1000)).await.unwrap();
        said += 1;
        assert!(said < 60, "what waits for one is more than may wait for all");
        assert!(!awake.told().is_empty() && !ada.told().is_empty());
        tokio::time::sleep(millis(100)).await;
    }
    assert_eq!(asleep.session.outbox().closed(), Some(CloseReason::SlowConsumer));
    assert!(said > 30, "{said} messages were too many");
    assert_eq!([&awake, &ada].map(|client| client.session.outbox().closed()), [None, None]);
    ada.say("there is room again").await.unwrap();
    assert_eq!(awake.session.outbox().closed(), None);
}
