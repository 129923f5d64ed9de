//! Kicks, bans and closed rooms.

use chatrooms_core::{
    Draft, Epoch, Error, Identity, Join, ModerationError, Post, RoomName, RoomPolicy, async_trait,
    testing::{Call, Fault},
};

use crate::kit::{Client, House, Thoughtful, lobby, millis, room, secs, user};

#[tokio::test(start_paused = true)]
async fn a_kicked_user_is_told_and_out_with_all_tabs_and_may_come_again() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bobs = [house.guest("bob").await, house.guest("bob").await];
    bobs[0].enter("garden").await;
    ada.told();
    bobs[0].told();
    assert_eq!(
        house
            .registry
            .moderation(&lobby())
            .kick(&user("bob"), Some("mind your words"))
            .await
            .unwrap(),
        2
    );
    assert_eq!(ada.told(), ["-bob"]);
    for bob in &bobs {
        assert_eq!(bob.told(), ["removed kicked: mind your words"]);
        assert_eq!(bob.say("still?").await, Err(Error::NotInRoom));
        assert_eq!(bob.session.outbox().closed(), None, "the session stays");
    }
    assert_eq!(bobs[0].session.rooms(), [room("garden")]);
    bobs[0].enter("lobby").await;
    assert_eq!(ada.told(), ["+bob"]);
    assert_eq!(house.registry.moderation(&lobby()).kick(&user("eve"), None).await.unwrap(), 0);
    assert_eq!(
        house.registry.moderation(&room("nowhere")).kick(&user("eve"), None).await.unwrap(),
        0
    );
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn kicking_the_last_one_ends_the_room() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    house.registry.moderation(&lobby()).kick(&user("ada"), None).await.unwrap();
    assert_eq!(house.registry.stats().rooms, 0);
    assert_eq!(ada.enter("lobby").await.seq, 0);
}

#[tokio::test(start_paused = true)]
async fn a_banned_user_stays_out_for_so_long() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    ada.told();
    assert_eq!(
        house.registry.moderation(&lobby()).ban(&user("bob"), Some(secs(60)), None).await,
        Ok(1)
    );
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
    house.registry.moderation(&lobby()).ban(&user("bob"), None, None).await.unwrap();
    tokio::time::sleep(secs(1_000_000)).await;
    assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::Banned);
    let for_ever = Some(std::time::Duration::MAX);
    house.registry.moderation(&lobby()).ban(&user("bob"), for_ever, None).await.unwrap();
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
    house.registry.moderation(&lobby()).ban(&user("eve"), None, None).await.unwrap();
    assert_eq!(visit.publish(Post::new("ha")).await, Err(Error::Banned));
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_banned_from_a_room_that_is_not_there() {
    let house = House::new().await;
    let banned = house.registry.moderation(&lobby()).ban(&user("bob"), None, None).await;
    assert_eq!(banned, Err(ModerationError::NotFound));
    house.client("bob").enter("lobby").await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_room_is_over_for_everybody_and_begins_anew() {
    let house = House::new().await;
    let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
    ada.say("one").await.unwrap();
    ada.told();
    bob.told();
    assert_eq!(house.registry.moderation(&lobby()).close(Some("good night")).await.unwrap(), 2);
    assert_eq!(ada.told(), ["removed room_closed: good night"]);
    assert_eq!(bob.told(), ["removed room_closed: good night"]);
    assert_eq!(house.registry.stats().rooms, 0);
    assert_eq!(house.registry.moderation(&lobby()).close(None).await.unwrap(), 0);
    assert_eq!(ada.enter("lobby").await.seq, 0);
    drop((ada, bob));
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_ban_can_be_lifted() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).ban(&user("bob"), None, None).await.unwrap();
    let bob = house.client("bob");
    assert_eq!(bob.join("lobby", Join::default()).await.unwrap_err(), Error::Banned);
    assert!(house.registry.moderation(&lobby()).unban(&user("bob")).await.unwrap());
    assert!(
        !house.registry.moderation(&lobby()).unban(&user("bob")).await.unwrap(),
        "there is none any more"
    );
    bob.enter("lobby").await;
    assert_eq!(ada.told(), ["+bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_muted_user_hears_everything_and_says_nothing() {
    let house = House::new().await;
    let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
    bob.say("before").await.unwrap();
    house.registry.moderation(&lobby()).mute(&user("bob"), Some(secs(60))).await.unwrap();
    let nowhere = house.registry.moderation(&room("nowhere")).mute(&user("bob"), None).await;
    assert_eq!(nowhere, Err(ModerationError::NotFound));
    assert_eq!(bob.say("now").await, Err(Error::Muted));
    assert_eq!(bob.session.signal(&lobby(), "typing", None), Err(Error::Muted));
    let visit = house.registry.visit(bob.session.identity(), &lobby()).await.unwrap();
    assert_eq!(visit.publish(Post::new("from elsewhere")).await, Err(Error::Muted));
    bob.take_back(1).await.unwrap();
    ada.say("listen").await.unwrap();
    assert_eq!(bob.told(), ["1 bob: before", "1 taken back by bob", "2 ada: listen"]);
    tokio::time::sleep(secs(60)).await;
    bob.say("after").await.unwrap();
    house.registry.moderation(&lobby()).mute(&user("bob"), None).await.unwrap();
    tokio::time::sleep(secs(100_000)).await;
    assert_eq!(bob.say("never").await, Err(Error::Muted));
    assert!(house.registry.moderation(&lobby()).unmute(&user("bob")).await.unwrap());
    assert!(!house.registry.moderation(&lobby()).unmute(&user("bob")).await.unwrap());
    bob.say("again").await.unwrap();
    drop((ada, bob));
    house.emptied().await;
    house.client("bob").enter("lobby").await;
    assert_eq!(
        house.registry.moderation(&lobby()).muted().await.unwrap(),
        [],
        "it ended with the life"
    );
}

#[tokio::test(start_paused = true)]
async fn the_host_can_ask_who_is_muted_and_how_slow_a_room_is() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).mute(&user("eve"), Some(secs(60))).await.unwrap();
    house.registry.moderation(&lobby()).mute(&user("bob"), None).await.unwrap();
    house.registry.moderation(&lobby()).set_slow_mode(secs(10)).await.unwrap();
    assert_eq!(
        house.registry.moderation(&lobby()).muted().await.unwrap(),
        [user("bob"), user("eve")]
    );
    assert_eq!(house.registry.moderation(&lobby()).slow_mode().await.unwrap(), secs(10));
    tokio::time::sleep(secs(60)).await;
    assert_eq!(
        house.registry.moderation(&lobby()).muted().await.unwrap(),
        [user("bob")],
        "the other one's time is over"
    );
    ada.leave("lobby");
    ada.enter("lobby").await;
    assert_eq!(
        house.registry.moderation(&lobby()).muted().await.unwrap(),
        [],
        "it is another life"
    );
    assert_eq!(house.registry.moderation(&lobby()).slow_mode().await.unwrap(), secs(0));
}

#[tokio::test(start_paused = true)]
async fn who_is_muted_while_the_policy_thinks_is_not_heard() {
    let house = House::with(|builder| builder.policy(Thoughtful)).await;
    let ada = house.guest("ada").await;
    let mute = async { house.registry.moderation(&lobby()).mute(&user("ada"), None).await };
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
    house.registry.moderation(&lobby()).set_slow_mode(secs(10)).await.unwrap();
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
    house.registry.moderation(&lobby()).set_slow_mode(secs(0)).await.unwrap();
    ada.say("three").await.unwrap();
    let nowhere = house.registry.moderation(&room("nowhere")).set_slow_mode(secs(1)).await;
    assert_eq!(nowhere, Err(ModerationError::NotFound));
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_what_was_not_kept_does_not_count() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).set_slow_mode(secs(10)).await.unwrap();
    house.store.next(Call::Append, Fault::Fail);
    assert_eq!(ada.say("lost").await, Err(Error::StoreUnavailable));
    ada.say("again").await.unwrap();
    assert_eq!(ada.say("more").await, Err(Error::SlowMode { retry_after: secs(10) }));
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_one_of_several_at_once_passes() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).set_slow_mode(secs(10)).await.unwrap();
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
    house.registry.moderation(&lobby()).set_slow_mode(secs(10)).await.unwrap();
    ada.say("one").await.unwrap();
    assert_eq!(ada.say("two").await.unwrap_err().code(), "slow_mode");
    let lobby = lobby();
    let visit = house.registry.visit(&eve, &lobby).await.unwrap();
    visit.publish(Post::new("three")).await.unwrap();
    assert_eq!(visit.publish(Post::new("four")).await.unwrap_err().code(), "slow_mode");
    house.registry.moderation(&lobby).mute(&user("eve"), None).await.unwrap();
    assert_eq!(visit.publish(Post::new("five")).await, Err(Error::Muted));
    house.registry.moderation(&lobby).ban(&user("eve"), None, None).await.unwrap();
    assert_eq!(visit.publish(Post::new("six")).await, Err(Error::Banned));
    assert_eq!(ada.told(), ["1 host: one", "2 host: three"]);
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_a_message_may_be_sent_again_and_costs_nothing_new() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).set_slow_mode(secs(10)).await.unwrap();
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
    house.registry.moderation(&lobby()).set_slow_mode(secs(3)).await.unwrap();
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

/// Somebody's life of the lobby, after one of ada's with which a moderation still reckons.
async fn after_another_life() -> (House, Epoch, Client, Client) {
    let house = House::new().await;
    let ada = house.client("ada");
    let first = ada.enter("lobby").await.epoch;
    ada.leave("lobby");
    let (bob, eve) = (house.guest("bob").await, house.guest("eve").await);
    bob.told();
    (house, first, bob, eve)
}

#[tokio::test(start_paused = true)]
async fn what_is_meant_for_one_life_does_nothing_to_the_next() {
    let (house, first, bob, eve) = after_another_life().await;
    let lobby = lobby();
    let stale = house.registry.moderation(&lobby).of(first);
    assert_eq!(stale.kick(&user("eve"), None).await.unwrap(), 0);
    assert_eq!(stale.ban(&user("eve"), None, None).await, Err(ModerationError::NotFound));
    assert_eq!(stale.mute(&user("eve"), None).await, Err(ModerationError::NotFound));
    assert_eq!(stale.set_slow_mode(secs(10)).await, Err(ModerationError::NotFound));
    assert_eq!(stale.announce(Post::new("a ghost")).await, Err(Error::NotFound));
    assert_eq!(stale.close(None).await.unwrap(), 0);
    assert_eq!((bob.told(), eve.told()), (vec![], vec![]));
    eve.say("untouched").await.unwrap();
    eve.say("at any pace").await.unwrap();

    let meant =
        house.registry.moderation(&lobby).of(house.registry.room(&lobby).await.unwrap().epoch);
    meant.ban(&user("eve"), None, None).await.unwrap();
    meant.mute(&user("bob"), None).await.unwrap();
    meant.set_slow_mode(secs(10)).await.unwrap();
    assert!(
        !stale.unban(&user("eve")).await.unwrap() && !stale.unmute(&user("bob")).await.unwrap()
    );
    assert_eq!(
        (
            stale.banned().await.unwrap(),
            stale.muted().await.unwrap(),
            stale.slow_mode().await.unwrap()
        ),
        (vec![], vec![], secs(0))
    );
    assert_eq!(
        (meant.banned().await.unwrap(), meant.muted().await.unwrap()),
        (vec![user("eve")], vec![user("bob")])
    );
    assert_eq!(meant.slow_mode().await.unwrap(), secs(10));
    meant.announce(Post::new("good night")).await.unwrap();
    assert_eq!(meant.close(None).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn bans_and_mutes_are_bounded_together() {
    let house = House::configured(|config| config.sanctions_per_room = 2).await;
    let (lobby, bob) = (lobby(), house.guest("bob").await);
    let _eve = house.guest("eve").await;
    let moderation = house.registry.moderation(&lobby);
    moderation.mute(&user("ada"), None).await.unwrap();
    moderation.ban(&user("cy"), Some(secs(60)), None).await.unwrap();
    let full = ModerationError::TooMany { limit: 2 };
    assert_eq!(moderation.mute(&user("bob"), None).await, Err(full));
    assert_eq!(moderation.ban(&user("bob"), None, None).await, Err(full));
    bob.say("neither banned nor removed").await.unwrap();
    assert_eq!(
        moderation.ban(&user("cy"), Some(secs(60)), None).await,
        Ok(0),
        "it is there already"
    );
    tokio::time::sleep(secs(60)).await;
    assert_eq!(moderation.ban(&user("bob"), None, None).await, Ok(1), "one has ended");
    assert!(moderation.unmute(&user("ada")).await.unwrap());
    moderation.mute(&user("eve"), None).await.unwrap();
}
