//! P10: everything has a bound, and an error of its own.

use chatrooms_core::{
    Data, Error, Identity, Join,
    testing::{Call, Fault},
};

use crate::kit::{House, millis, user};

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
