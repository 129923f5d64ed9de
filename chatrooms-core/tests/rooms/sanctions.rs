//! What is imposed in a room is kept beside its messages, and holds for as long as its life: also over a restart.

use chatrooms_core::{
    Error, Join, MessageStore as _, RegistryBuilder, RoomName, RoomPolicy, RoomRules, async_trait,
    testing::{Call, Fault, FaultyStore},
};

use crate::kit::{House, config, lobby, millis, room, secs, settle, user};

fn lingering(builder: RegistryBuilder) -> RegistryBuilder {
    builder.config(config(|config| config.linger = secs(30)))
}

async fn process(store: &FaultyStore) -> House {
    House::over(store.clone(), lingering).await
}

#[tokio::test(start_paused = true)]
async fn what_is_imposed_outlasts_a_restart_and_ends_with_the_life() {
    let store = FaultyStore::new();
    let before = process(&store).await;
    let ada = before.guest("ada").await;
    let lobby = lobby();
    let moderation = before.registry.moderation(&lobby);
    moderation.ban(&user("eve"), None, None).await.unwrap();
    moderation.ban(&user("cy"), Some(secs(60)), None).await.unwrap();
    moderation.ban(&user("dan"), None, None).await.unwrap();
    moderation.mute(&user("bob"), None).await.unwrap();
    moderation.set_slow_mode(secs(10)).await.unwrap();
    assert!(moderation.unban(&user("dan")).await.unwrap());
    drop(ada);
    before.registry.shutdown(secs(8)).await;

    let store = store.restart();
    let after = process(&store).await;
    let (ada, bob) = (after.guest("ada").await, after.guest("bob").await);
    for banned in ["eve", "cy"] {
        let refused = after.client(banned).join("lobby", Join::default()).await.unwrap_err();
        assert_eq!(refused, Error::Banned, "{banned}");
    }
    after.guest("dan").await;
    assert_eq!(bob.say("but").await, Err(Error::Muted));
    ada.say("one").await.unwrap();
    assert_eq!(ada.say("two").await.unwrap_err().code(), "slow_mode");
    tokio::time::sleep(secs(61)).await;
    after.guest("cy").await;

    // What another process lifts stays lifted in the one after it.
    let moderation = after.registry.moderation(&lobby);
    assert!(
        moderation.unban(&user("eve")).await.unwrap()
            && moderation.unmute(&user("bob")).await.unwrap()
    );
    moderation.set_slow_mode(secs(0)).await.unwrap();
    drop((ada, bob));
    after.registry.shutdown(secs(8)).await;
    let last = process(&store.restart()).await;
    let (bob, eve) = (last.guest("bob").await, last.guest("eve").await);
    bob.say("again").await.unwrap();
    bob.say("at any pace").await.unwrap();
    last.registry.moderation(&lobby).mute(&user("bob"), None).await.unwrap();
    bob.leave("lobby");
    eve.leave("lobby");
    drop((bob, eve));
    last.emptied().await;
    last.guest("bob").await.say("in another life").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ban_holds_at_once_whatever_the_store_does_and_is_kept_as_soon_as_it_can_be() {
    for fault in [Fault::Fail, Fault::Unsure, Fault::Panic, Fault::Slow(secs(20)), Fault::Hold] {
        let store = FaultyStore::new();
        let before = process(&store).await;
        let ada = before.guest("ada").await;
        store.always(Call::Note, fault);
        let lobby = lobby();
        let began = tokio::time::Instant::now();
        before.registry.moderation(&lobby).ban(&user("eve"), None, None).await.unwrap();
        before.registry.moderation(&lobby).ban(&user("bob"), None, None).await.unwrap();
        assert!(before.registry.moderation(&lobby).unban(&user("bob")).await.unwrap());
        let refused = before.client("eve").join("lobby", Join::default()).await.unwrap_err();
        assert_eq!((refused, began.elapsed()), (Error::Banned, secs(0)), "{fault:?}");
        ada.say("the room goes on").await.unwrap();
        before.guest("bob").await;
        tokio::time::sleep(secs(9)).await;
        assert!(store.calls(Call::Note) < 12, "{fault:?}: not without a pause");
        store.heal();
        tokio::time::sleep(secs(30)).await;
        let calls = store.calls(Call::Note);
        tokio::time::sleep(secs(60)).await;
        assert_eq!(store.calls(Call::Note), calls, "{fault:?}: once it is kept, that is all");
        drop(ada);

        let after = process(&store.restart()).await;
        let refused = after.client("eve").join("lobby", Join::default()).await.unwrap_err();
        assert_eq!(refused, Error::Banned, "{fault:?}");
        after.guest("bob").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_is_not_kept_yet() {
    let store = FaultyStore::new();
    let before = process(&store).await;
    let ada = before.guest("ada").await;
    store.times(3, Call::Note, Fault::Fail);
    before.registry.moderation(&lobby()).ban(&user("eve"), None, None).await.unwrap();
    drop(ada);
    let report = before.registry.shutdown(secs(8)).await;
    assert_eq!(report.unkept_sanctions, 0);
    let after = process(&store.restart()).await;
    let refused = after.client("eve").join("lobby", Join::default()).await.unwrap_err();
    assert_eq!(refused, Error::Banned);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_in_how_many_rooms_it_could_not_be_kept() {
    for fault in [Fault::Fail, Fault::Hang] {
        let store = FaultyStore::new();
        let house = process(&store).await;
        let ada = house.guest("ada").await;
        ada.enter("garden").await;
        ada.say("kept as it is").await.unwrap();
        store.always_in("lobby", Call::Note, fault);
        for name in ["lobby", "garden"] {
            house.registry.moderation(&room(name)).ban(&user("eve"), None, None).await.unwrap();
        }
        drop(ada);
        let began = tokio::time::Instant::now();
        let report = house.registry.shutdown(secs(8)).await;
        assert_eq!(report.unkept_sanctions, 1, "{fault:?}");
        assert!(began.elapsed() <= secs(8), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_noted_of_a_life_that_is_over_nor_tried_again() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).ban(&user("ada"), None, None).await.unwrap();
    settle().await;
    assert_eq!(house.store.open_lives(), []);
    ada.enter("lobby").await;
    house.store.always(Call::Note, Fault::Fail);
    house.registry.moderation(&lobby()).mute(&user("eve"), None).await.unwrap();
    settle().await;
    assert!(house.store.calls(Call::Note) > 0);
    ada.leave("lobby");
    drop(ada);
    house.emptied().await;
    let calls = house.store.calls(Call::Note);
    tokio::time::sleep(secs(60)).await;
    assert_eq!(house.store.calls(Call::Note), calls);
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn changes_that_come_together_are_noted_together_and_what_changes_nothing_is_not() {
    let house = House::new().await;
    let _ada = house.guest("ada").await;
    let lobby = lobby();
    let moderation = house.registry.moderation(&lobby);
    house.store.always(Call::Note, Fault::Slow(millis(100)));
    for n in 0..100 {
        moderation.mute(&user(&format!("u{n}")), None).await.unwrap();
    }
    tokio::time::sleep(secs(1)).await;
    assert_eq!(house.store.calls(Call::Note), 2);
    moderation.unmute(&user("nobody")).await.unwrap();
    moderation.unban(&user("nobody")).await.unwrap();
    assert_eq!(
        (moderation.muted().await.unwrap().len(), moderation.banned().await.unwrap()),
        (100, vec![])
    );
    moderation.set_slow_mode(secs(1)).await.unwrap();
    tokio::time::sleep(secs(1)).await;
    moderation.set_slow_mode(secs(1)).await.unwrap();
    tokio::time::sleep(secs(1)).await;
    assert_eq!(house.store.calls(Call::Note), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_imposed_on_a_lingering_room_is_kept_too() {
    let store = FaultyStore::new();
    let before = process(&store).await;
    before.guest("ada").await.say("one").await.unwrap();
    before.registry.moderation(&lobby()).ban(&user("eve"), None, None).await.unwrap();
    let after = process(&store.restart()).await;
    let refused = after.client("eve").join("lobby", Join::default()).await.unwrap_err();
    assert_eq!(refused, Error::Banned);
    tokio::time::sleep(secs(31)).await;
    after.emptied().await;
    assert_eq!(after.store.abandoned().await.unwrap(), []);
}

/// Lets everybody speak every five seconds.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl RoomPolicy for Slow {
    async fn open_room(&self, _: &RoomName, mut rules: RoomRules) -> Result<RoomRules, Error> {
        rules.slow_mode = secs(5);
        Ok(rules)
    }
}

#[tokio::test(start_paused = true)]
async fn the_slow_mode_that_was_set_goes_before_that_of_the_rules() {
    for set in [None, Some(secs(0)), Some(secs(7))] {
        let store = FaultyStore::new();
        let slow = |builder: RegistryBuilder| lingering(builder).policy(Slow);
        let before = House::over(store.clone(), slow).await;
        let ada = before.guest("ada").await;
        let lobby = lobby();
        before.registry.moderation(&lobby).ban(&user("eve"), None, None).await.unwrap();
        if let Some(wait) = set {
            before.registry.moderation(&lobby).set_slow_mode(wait).await.unwrap();
        }
        drop(ada);
        before.registry.shutdown(secs(8)).await;
        let after = House::over(store.restart(), slow).await;
        let _ada = after.guest("ada").await;
        assert_eq!(
            after.registry.moderation(&lobby).slow_mode().await.unwrap(),
            set.unwrap_or(secs(5))
        );
    }
}
