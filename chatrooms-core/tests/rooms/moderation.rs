//! Kicks, bans and closed rooms.

use chatrooms_core::{Error, Identity, Join, Post};

use crate::kit::{House, lobby, room, secs, user};

#[tokio::test(start_paused = true)]
async fn a_kicked_user_is_told_and_out_with_all_tabs_and_may_come_again() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bobs = [house.guest("bob").await, house.guest("bob").await];
    bobs[0].enter("garden").await;
    ada.told();
    bobs[0].told();
    assert_eq!(house.registry.kick(&lobby(), &user("bob"), Some("mind your words")), 2);
    assert_eq!(ada.told(), ["-bob"]);
    for bob in &bobs {
        assert_eq!(bob.told(), ["removed kicked: mind your words"]);
        assert_eq!(bob.say("still?").await, Err(Error::NotInRoom));
        assert_eq!(bob.session.outbox().closed(), None, "the session stays");
    }
    assert_eq!(bobs[0].session.rooms(), [room("garden")]);
    bobs[0].enter("lobby").await;
    assert_eq!(ada.told(), ["+bob"]);
    assert_eq!(house.registry.kick(&lobby(), &user("eve"), None), 0);
    assert_eq!(house.registry.kick(&room("nowhere"), &user("eve"), None), 0);
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn kicking_the_last_one_ends_the_room() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    house.registry.kick(&lobby(), &user("ada"), None);
    assert_eq!(house.registry.stats().rooms, 0);
    assert_eq!(ada.enter("lobby").await.seq, 0);
}

#[tokio::test(start_paused = true)]
async fn a_banned_user_stays_out_for_so_long() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.told();
    assert_eq!(house.registry.ban(&lobby(), &user("bob"), Some(secs(60)), None), 1);
    assert_eq!((ada.told(), bob.told()), (vec!["-bob".into()], vec!["removed banned".into()]));
    tokio::time::sleep(secs(59)).await;
    let other_tab = house.client("bob");
    assert_eq!(other_tab.join("lobby", Join::default()).await.unwrap_err(), Error::Banned);
    let who = Identity::new(user("bob"));
    assert_eq!(house.registry.visit(&who, &lobby()).await.err(), Some(Error::Banned));
    tokio::time::sleep(secs(1)).await;
    other_tab.enter("lobby").await;
    assert_eq!(ada.told(), ["+bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_ban_without_a_time_lasts_as_long_as_the_life_of_the_room() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.client("bob");
    house.registry.ban(&lobby(), &user("bob"), None, None);
    tokio::time::sleep(secs(1_000_000)).await;
    assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::Banned);
    house.registry.ban(&lobby(), &user("bob"), Some(std::time::Duration::MAX), None);
    assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::Banned);
    ada.leave("lobby");
    bob.enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn who_is_banned_while_visiting_says_nothing_any_more() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let who = Identity::new(user("eve"));
    let visit = house.registry.visit(&who, &lobby()).await.unwrap();
    house.registry.ban(&lobby(), &user("eve"), None, None);
    assert_eq!(visit.publish(Post::new("ha")).await, Err(Error::Banned));
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_banned_from_a_room_that_is_not_there() {
    let house = House::new().await;
    assert_eq!(house.registry.ban(&lobby(), &user("bob"), None, None), 0);
    house.client("bob").enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_room_is_over_for_everybody_and_begins_anew() {
    let house = House::new().await;
    let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
    ada.say("one").await.unwrap();
    ada.told();
    bob.told();
    assert_eq!(house.registry.close_room(&lobby(), Some("good night")), 2);
    assert_eq!(ada.told(), ["removed room_closed: good night"]);
    assert_eq!(bob.told(), ["removed room_closed: good night"]);
    assert_eq!(house.registry.stats().rooms, 0);
    assert_eq!(house.registry.close_room(&lobby(), None), 0);
    assert_eq!(ada.enter("lobby").await.seq, 0);
    drop((ada, bob));
    house.emptied().await;
}
