//! Kicks, bans and closed rooms.

use chatrooms_core::{
    Draft, Error, Identity, Join, Post, RoomName, RoomPolicy, async_trait,
    testing::{Call, Fault},
};

use crate::kit::{House, lobby, millis, room, secs, user};

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

#[tokio::test(start_paused = true)]
async fn a_ban_can_be_lifted() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.ban(&lobby(), &user("bob"), None, None);
    let bob = house.client("bob");
    assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::Banned);
    assert!(house.registry.unban(&lobby(), &user("bob")));
    assert!(!house.registry.unban(&lobby(), &user("bob")), "there is none any more");
    bob.enter("lobby").await;
    assert_eq!(ada.told(), ["+bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_muted_user_hears_everything_and_says_nothing() {
    let house = House::new().await;
    let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
    bob.say("before").await.unwrap();
    assert!(house.registry.mute(&lobby(), &user("bob"), Some(secs(60))));
    assert!(!house.registry.mute(&room("nowhere"), &user("bob"), None));
    assert_eq!(bob.say("now").await, Err(Error::Muted));
    assert_eq!(bob.session.signal(&lobby(), "typing", None), Err(Error::Muted));
    let visit = house.registry.visit(bob.session.identity(), &lobby()).await.unwrap();
    assert_eq!(visit.publish(Post::new("from elsewhere")).await, Err(Error::Muted));
    bob.take_back(1).await.unwrap();
    ada.say("listen").await.unwrap();
    assert_eq!(bob.told(), ["1 bob: before", "1 taken back by bob", "2 ada: listen"]);
    tokio::time::sleep(secs(60)).await;
    bob.say("after").await.unwrap();
    house.registry.mute(&lobby(), &user("bob"), None);
    tokio::time::sleep(secs(100_000)).await;
    assert_eq!(bob.say("never").await, Err(Error::Muted));
    assert!(house.registry.unmute(&lobby(), &user("bob")));
    assert!(!house.registry.unmute(&lobby(), &user("bob")));
    bob.say("again").await.unwrap();
    drop((ada, bob));
    assert!(!house.registry.mute(&lobby(), &user("bob"), None), "it ended with the life");
}

#[tokio::test(start_paused = true)]
async fn the_host_can_ask_who_is_muted_and_how_slow_a_room_is() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.mute(&lobby(), &user("eve"), Some(secs(60)));
    house.registry.mute(&lobby(), &user("bob"), None);
    house.registry.slow_mode(&lobby(), secs(10));
    assert_eq!(house.registry.muted(&lobby()), [user("bob"), user("eve")]);
    assert_eq!(house.registry.slow_mode_of(&lobby()), secs(10));
    tokio::time::sleep(secs(60)).await;
    assert_eq!(house.registry.muted(&lobby()), [user("bob")], "the other one's time is over");
    ada.leave("lobby");
    ada.enter("lobby").await;
    assert_eq!(house.registry.muted(&lobby()), [], "it is another life");
    assert_eq!(house.registry.slow_mode_of(&lobby()), secs(0));
}

#[tokio::test(start_paused = true)]
async fn who_is_muted_while_the_policy_thinks_is_not_heard() {
    #[derive(Debug)]
    struct Thoughtful;

    #[async_trait]
    impl RoomPolicy for Thoughtful {
        async fn before_publish(
            &self,
            _: &Identity,
            _: &RoomName,
            draft: Draft,
        ) -> Result<Draft, Error> {
            tokio::time::sleep(secs(1)).await;
            Ok(draft)
        }
    }

    let house = House::with(|builder| builder.policy(Thoughtful)).await;
    let ada = house.guest("ada").await;
    let mute = async { house.registry.mute(&lobby(), &user("ada"), None) };
    let (said, _) = tokio::join!(ada.say("too late"), mute);
    assert_eq!(said, Err(Error::Muted));
    let began = tokio::time::Instant::now();
    assert_eq!(ada.say("in vain").await, Err(Error::Muted));
    assert_eq!(began.elapsed(), secs(0), "the policy is not asked in vain");
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_everybody_waits_for_themselves() {
    let house = House::new().await;
    let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
    ada.say("fast").await.unwrap();
    assert!(house.registry.slow_mode(&lobby(), secs(10)));
    ada.say("one").await.unwrap();
    tokio::time::sleep(secs(3)).await;
    assert_eq!(ada.say("two").await, Err(Error::SlowMode { retry_after: secs(7) }));
    bob.say("bob's own").await.unwrap();
    ada.session.signal(&lobby(), "typing", None).unwrap();
    house.registry.announce(&lobby(), Post::new("the host waits for nothing")).await.unwrap();
    house.registry.announce(&lobby(), Post::new("indeed")).await.unwrap();
    let eve = house.guest("eve").await;
    let as_eve = Post::new("on the host's word");
    house.registry.publish_as(eve.session.identity(), &lobby(), as_eve).await.unwrap();
    eve.say("on her own").await.unwrap();
    tokio::time::sleep(secs(7)).await;
    ada.say("two").await.unwrap();
    house.registry.slow_mode(&lobby(), secs(0));
    ada.say("three").await.unwrap();
    assert!(!house.registry.slow_mode(&room("nowhere"), secs(1)));
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_what_was_not_kept_does_not_count() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.slow_mode(&lobby(), secs(10));
    house.store.next(Call::Append, Fault::Fail);
    assert_eq!(ada.say("lost").await, Err(Error::StoreUnavailable));
    ada.say("again").await.unwrap();
    assert_eq!(ada.say("more").await, Err(Error::SlowMode { retry_after: secs(10) }));
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_one_of_several_at_once_passes() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.slow_mode(&lobby(), secs(10));
    house.store.always(Call::Append, Fault::Slow(secs(1)));
    let (first, second) = tokio::join!(ada.say("one"), ada.say("two"));
    assert_eq!(first.map(|sent| sent.seq), Ok(1));
    assert_eq!(second.unwrap_err().code(), "slow_mode");
}

/// Takes the names away, as a policy may.
#[derive(Debug)]
struct Anonymous;

#[async_trait]
impl RoomPolicy for Anonymous {
    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        Ok(Draft { user: None, name: None, ..draft })
    }
}

#[tokio::test(start_paused = true)]
async fn who_speaks_under_no_name_is_muted_and_slowed_all_the_same() {
    let house = House::with(|builder| builder.policy(Anonymous)).await;
    let (ada, eve) = (house.guest("ada").await, Identity::new(user("eve")));
    house.registry.slow_mode(&lobby(), secs(10));
    ada.say("one").await.unwrap();
    assert_eq!(ada.say("two").await.unwrap_err().code(), "slow_mode");
    let lobby = lobby();
    let visit = house.registry.visit(&eve, &lobby).await.unwrap();
    visit.publish(Post::new("three")).await.unwrap();
    assert_eq!(visit.publish(Post::new("four")).await.unwrap_err().code(), "slow_mode");
    house.registry.mute(&lobby, &user("eve"), None);
    assert_eq!(visit.publish(Post::new("five")).await, Err(Error::Muted));
    house.registry.ban(&lobby, &user("eve"), None, None);
    assert_eq!(visit.publish(Post::new("six")).await, Err(Error::Banned));
    assert_eq!(ada.told(), ["1 host: one", "2 host: three"]);
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_a_message_may_be_sent_again_and_costs_nothing_new() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.slow_mode(&lobby(), secs(10));
    ada.say_once("one", "n").await.unwrap();
    let again = ada.say_once("one", "n").await.unwrap();
    assert_eq!((again.seq, again.duplicate), (1, true));
    assert_eq!(ada.say_once("two", "m").await.unwrap_err().code(), "slow_mode");
    tokio::time::sleep(secs(10)).await;
    assert!(ada.say_once("one", "n").await.unwrap().duplicate);
    ada.say("two").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_a_message_that_is_refused_late_does_not_free_a_newer_one() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.slow_mode(&lobby(), secs(3));
    house.store.next(Call::Append, Fault::Hold);
    let first = ada.begin("one").await;
    let held = house.store.held(Call::Append).await;
    tokio::time::sleep(millis(4900)).await;
    let second = ada.begin("two").await;
    tokio::time::sleep(millis(200)).await;
    drop(held);
    let _ = first.wait().await;
    assert_eq!(ada.say("three").await.unwrap_err().code(), "slow_mode");
    let _ = second.wait().await;
}
