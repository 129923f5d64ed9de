//! A policy gives each life of a room its own bounds, and hears of its beginning and its end.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms_core::{
    Config, Epoch, Error, Identity, Join, Post, RegistryBuilder, RoomEnd, RoomName, RoomPolicy,
    RoomRules, async_trait, testing::FaultyStore,
};

use crate::kit::{House, config, describe, lobby, millis, resume, room, secs, settle};

/// Rules after the name of the room, and a diary of what the policy is told.
#[derive(Clone, Debug, Default)]
struct Rules(Arc<Mutex<Vec<String>>>);

impl Rules {
    fn diary(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

#[async_trait]
impl RoomPolicy for Rules {
    async fn open_room(&self, room: &RoomName, mut rules: RoomRules) -> Result<RoomRules, Error> {
        match room.as_str() {
            "pair" => rules.members = 2,
            "short" => rules.keep = 8,
            "patient" => rules.linger = secs(30),
            "slow" => rules.slow_mode = secs(10),
            "unknown" => return Err(Error::NotFound),
            "panics" => panic!("told to panic"),
            "hangs" => std::future::pending().await,
            "thinks" => tokio::time::sleep(secs(1)).await,
            _ => {}
        }
        Ok(rules)
    }

    async fn room_opened(&self, by: &Identity, room: &RoomName, epoch: Epoch) {
        match room.as_str() {
            "opens badly" => panic!("told to panic"),
            "opens slowly" => tokio::time::sleep(secs(1)).await,
            "opens never" => std::future::pending().await,
            _ => {}
        }
        self.note(format!("{room} opened by {} in {epoch}", by.user()));
    }

    async fn room_closed(&self, room: &RoomName, epoch: Epoch, reason: RoomEnd) {
        self.note(format!("{room} closed {reason:?} in {epoch}"));
    }
}

async fn house() -> House {
    House::with(|builder| builder.policy(Rules::default())).await
}

#[tokio::test(start_paused = true)]
async fn each_room_has_its_own_bounds() {
    let house = house().await;
    let (ada, bob, eve) = (house.client("ada"), house.client("bob"), house.client("eve"));
    let slow_room = room("slow");
    for client in [&ada, &bob] {
        client.enter("pair").await;
    }
    assert_eq!(eve.join("pair", Join::default()).await.unwrap_err(), Error::RoomFull);
    eve.enter("lobby").await;

    let slow = |body: &'static str| ada.session.publish(&slow_room, Post::new(body));
    ada.enter("slow").await;
    slow("one").await.unwrap();
    assert_eq!(slow("two").await, Err(Error::SlowMode { retry_after: secs(10) }));
    house.registry.moderation(&slow_room).set_slow_mode(Duration::ZERO).await.unwrap();
    slow("two").await.unwrap();

    ada.enter("short").await;
    for n in 0..30 {
        ada.session.publish(&room("short"), Post::new(n.to_string())).await.unwrap();
    }
    let kept = house.registry.history(&room("short"), None, 200).await.unwrap().messages.len();
    assert!(kept <= 8, "{kept} are kept");

    for name in ["patient", "hasty"] {
        ada.enter(name).await;
    }
    drop(ada);
    let lingering = house.registry.stats().rooms;
    assert_eq!(lingering, 3, "pair and lobby with people, patient without");
    tokio::time::sleep(secs(31)).await;
    assert_eq!(house.registry.stats().rooms, 2);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_may_not_be_opened_is_refused_to_all_who_wait_for_it() {
    let house = house().await;
    let (ada, bob) = (house.client("ada"), house.client("bob"));
    for (name, error, takes) in [
        ("unknown", Error::NotFound, Duration::ZERO),
        ("panics", Error::Internal, Duration::ZERO),
        ("hangs", Error::Internal, secs(5)),
    ] {
        let began = tokio::time::Instant::now();
        let (first, second) =
            tokio::join!(ada.join(name, Join::default()), bob.join(name, Join::default()));
        assert_eq!((first.unwrap_err(), second.unwrap_err()), (error.clone(), error));
        assert_eq!(began.elapsed(), takes);
        assert_eq!(house.registry.stats().rooms, 0);
    }
    assert!(ada.enter("thinks").await.first_in_room, "and one that takes its time is waited for");
    drop((ada, bob));
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_given_up_while_the_policy_thinks_leaves_nothing() {
    let house = house().await;
    let ada = house.client("ada");
    {
        let mut join = pin!(ada.join("thinks", Join::default()));
        assert!(futures_util::poll!(join.as_mut()).is_pending());
    }
    drop(ada);
    house.emptied().await;
}

#[tokio::test(start_paused = true)]
async fn the_policy_hears_of_each_life_its_beginning_and_then_its_end() {
    let rules = Rules::default();
    let house = House::with(|builder| builder.policy(rules.clone())).await;
    let (ada, bob) = (house.client("ada"), house.client("bob"));
    let first = ada.enter("lobby").await.epoch;
    bob.enter("lobby").await;
    ada.leave("lobby");
    bob.leave("lobby");
    let second = bob.enter("lobby").await.epoch;
    house.registry.moderation(&lobby()).close(None).await.unwrap();
    settle().await;
    let told = [
        format!("lobby opened by ada in {first}"),
        format!("lobby closed Left in {first}"),
        format!("lobby opened by bob in {second}"),
        format!("lobby closed Closed in {second}"),
    ];
    assert_eq!(rules.diary(), told);

    let epoch = ada.enter("opens slowly").await.epoch;
    ada.leave("opens slowly");
    assert_eq!(rules.diary(), [""; 0], "nobody waits for a hook");
    tokio::time::sleep(secs(2)).await;
    let told = [
        format!("opens slowly opened by ada in {epoch}"),
        format!("opens slowly closed Left in {epoch}"),
    ];
    assert_eq!(rules.diary(), told, "the end comes after the beginning");

    for name in ["opens badly", "opens never"] {
        let epoch = ada.enter(name).await.epoch;
        ada.leave(name);
        tokio::time::sleep(secs(6)).await;
        assert_eq!(rules.diary(), [format!("{name} closed Left in {epoch}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_the_policy_is_told() {
    for linger in [secs(0), secs(60)] {
        let rules = Rules::default();
        let house = House::with(|builder| {
            builder.policy(rules.clone()).config(config(|config| config.linger = linger))
        })
        .await;
        let ada = house.client("ada");
        ada.enter("opens slowly").await;
        drop(ada);
        house.registry.shutdown(secs(30)).await;
        assert_eq!(rules.diary().len(), 2, "{linger:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_keeps_those_rooms_that_their_own_rules_keep() {
    let ruled = |builder: RegistryBuilder| builder.policy(Rules::default());
    let store = FaultyStore::new();
    let before = House::over(store.clone(), ruled).await;
    let ada = before.client("ada");
    let mut joined = Vec::new();
    for name in ["patient", "hasty"] {
        joined.push(ada.enter(name).await);
        ada.session.publish(&room(name), Post::new("one")).await.unwrap();
    }
    before.registry.shutdown(secs(8)).await;
    let kept: Vec<_> = store.open_lives().iter().map(|life| life.room.to_string()).collect();
    assert_eq!(kept, ["patient"]);

    let after = House::over(store.restart(), ruled).await;
    // What is recorded goes by the bounds of the registry, and these rooms have their own.
    let bob = after.unrecorded("bob");
    let answer = bob.join("patient", resume(&joined[0], 0)).await.unwrap();
    assert_eq!(describe(&answer), "resumed at 1 [bob] (1)");
    let answer = bob.join("hasty", resume(&joined[1], 0)).await.unwrap();
    assert_eq!(describe(&answer), "joined at 0 [bob]");
}

#[tokio::test]
async fn nobody_waits_for_what_the_policy_does_when_it_is_told() {
    #[derive(Debug)]
    struct Gate(std::sync::mpsc::Sender<String>, String);

    #[async_trait]
    impl RoomPolicy for Gate {
        async fn room_opened(&self, by: &Identity, _: &RoomName, _: Epoch) {
            let role = by.claim::<&str>().copied().unwrap_or_default();
            self.0.send(format!("{} {role} after {}", by.user(), self.1)).unwrap();
        }
    }

    let (sender, told) = std::sync::mpsc::channel();
    let house = House::with(|builder| builder.policy(Gate(sender, "that".into()))).await;
    let ada = Identity::new(crate::kit::user("ada")).claims("host");
    let session = house.registry.open_session(ada).unwrap();
    session.join(&lobby(), Join::default()).await.unwrap();
    assert!(told.try_recv().is_err(), "it runs in a task of its own, not in the join");
    tokio::task::yield_now().await;
    assert_eq!(told.recv_timeout(secs(30)).unwrap(), "ada host after that", "claims and all");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_hangs_delays_a_start_once() {
    let house = House::new().await;
    let clients: Vec<_> = (0..100).map(|n| house.client(&format!("u{n}"))).collect();
    for (n, client) in clients.iter().enumerate() {
        let name = format!("hangs {n}");
        client.enter(&name).await;
        client.session.publish(&room(&name), Post::new("one")).await.unwrap();
    }

    #[derive(Debug)]
    struct Hangs;

    #[async_trait]
    impl RoomPolicy for Hangs {
        async fn open_room(&self, _: &RoomName, _: RoomRules) -> Result<RoomRules, Error> {
            std::future::pending().await
        }
    }

    let began = tokio::time::Instant::now();
    let again = House::over(house.store.restart(), |builder| {
        builder.policy(Hangs).config(config(|config| config.linger = secs(60)))
    })
    .await;
    assert_eq!(began.elapsed(), secs(5));
    assert_eq!(again.store.open_lives().len(), 100, "and leaves them to the configuration");
}

#[tokio::test(start_paused = true)]
async fn rooms_left_behind_wait_as_long_as_their_own_rules_say() {
    let store = FaultyStore::new();
    let house = House::over(store.clone(), |builder| {
        builder.config(config(|config: &mut Config| config.linger = secs(60)))
    })
    .await;
    let ada = house.client("ada");
    for name in ["lobby", "patient", "panics", "unknown"] {
        ada.enter(name).await;
        ada.session.publish(&room(name), Post::new("one")).await.unwrap();
    }
    drop(ada);
    let house = House::over(store.restart(), |builder| {
        let config = config(|config: &mut Config| config.linger = secs(10));
        builder.policy(Rules::default()).config(config)
    })
    .await;
    let open = || {
        let lives = house.store.open_lives();
        let mut names: Vec<_> = lives.iter().map(|life| life.room.to_string()).collect();
        names.sort();
        names
    };
    settle().await;
    assert_eq!(open(), ["lobby", "panics", "patient"], "one that may not be opened is purged");
    tokio::time::sleep(secs(10) + millis(1)).await;
    assert_eq!(open(), ["patient"], "a policy that fails leaves it to the configuration");
    tokio::time::sleep(secs(20)).await;
    assert_eq!(open(), [""; 0]);
}
