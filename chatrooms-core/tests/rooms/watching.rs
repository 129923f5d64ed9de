//! The host watches rooms without being in them: one cut, no gap, nothing missed silently.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use chatrooms_core::{
    CloseReason, Config, Epoch, Join, Post, RegistryBuilder, RoomEvent, RoomName, Watch,
    testing::{Call, Fault, FaultyStore},
};
use futures_util::FutureExt as _;

use crate::kit::{Client, House, config, lobby, millis, names, room, secs, settle, user};

/// Everything that waits for a watch, one line each.
fn watched(watch: &mut Watch) -> Vec<String> {
    let next = || watch.next().now_or_never().flatten();
    std::iter::from_fn(next).map(|event| line(&event)).collect()
}

fn line(event: &RoomEvent) -> String {
    let line = match event {
        RoomEvent::RoomFound { seq, members, .. } => {
            format!("found at {seq} [{}]", names(members).join(" "))
        }
        RoomEvent::RoomOpened { seq, .. } => format!("opened at {seq}"),
        RoomEvent::UserJoined { member, .. } => format!("+{}", member.user),
        RoomEvent::UserLeft { user, .. } => format!("-{user}"),
        RoomEvent::Message { message, .. } => format!("{} {}", message.seq, message.draft.body),
        RoomEvent::Redacted { seq, .. } => format!("{seq} taken back"),
        RoomEvent::RoomClosed { reason, purged, lived, .. } => {
            let kept = if *purged { "" } else { " and kept" };
            format!("closed {reason:?} after {lived:?}{kept}")
        }
        other => format!("{other:?}"),
    };
    match event.room().map(RoomName::as_str) {
        None | Some("lobby") => line,
        Some(room) => format!("{room}: {line}"),
    }
}

fn epoch(event: Option<RoomEvent>) -> Epoch {
    match event {
        Some(
            RoomEvent::RoomFound { epoch, .. }
            | RoomEvent::RoomOpened { epoch, .. }
            | RoomEvent::RoomClosed { epoch, .. },
        ) => epoch,
        other => panic!("no epoch in {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_is_told_from_its_beginning_to_its_end() {
    let house = House::new().await;
    let mut watch = house.registry.watch_all();
    let ada = house.guest("ada").await;
    let (bob, tab) = (house.guest("bob").await, house.guest("bob").await);
    ada.say("one").await.unwrap();
    ada.take_back(1).await.unwrap();
    drop(bob);
    tokio::time::sleep(secs(5)).await;
    drop(tab);
    ada.leave("lobby");
    let told = [
        "opened at 0",
        "+ada",
        "+bob",
        "1 one",
        "1 taken back",
        "-bob",
        "-ada",
        "closed Left after 5s",
    ];
    assert_eq!(watched(&mut watch), told);
    ada.enter("lobby").await;
    assert_eq!(watched(&mut watch), ["opened at 0", "+ada"], "the next life");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_when_a_watch_begins_is_told_once_and_then_its_changes() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    house.client("eve").enter("garden").await;
    let eve = house.client("eve");
    eve.enter("garden").await;
    let mut watch = house.registry.watch_all();
    let bob = house.client("bob");
    bob.enter("cellar").await;
    ada.say("two").await.unwrap();
    let mut lines = watched(&mut watch);
    // Between rooms there is no order.
    lines.sort_by_key(|line| line.split_once(": ").map(|(room, _)| room.to_owned()));
    let told = [
        "found at 1 [ada]",
        "2 two",
        "cellar: opened at 0",
        "cellar: +bob",
        "garden: found at 0 [eve]",
    ];
    assert_eq!(lines, told);
    ada.say("three").await.unwrap();
    assert_eq!(watched(&mut watch), ["3 three"]);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_over_before_the_watch_is_asked_is_told_from_where_it_stood() {
    let house = House::new().await;
    let ada = house.guest("ada").await;
    let mut watch = house.registry.watch_all();
    ada.say("one").await.unwrap();
    ada.leave("lobby");
    assert_eq!(watched(&mut watch)[..3], ["found at 0 [ada]", "1 one", "-ada"]);
}

#[tokio::test(start_paused = true)]
async fn one_room_can_be_watched_over_all_its_lives() {
    let house = House::new().await;
    let mut watch = house.registry.watch(&lobby());
    let ada = house.client("ada");
    for _ in 0..2 {
        ada.enter("garden").await;
        ada.enter("lobby").await;
        ada.leave("garden");
        ada.leave("lobby");
    }
    let lines = watched(&mut watch);
    let kinds: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["opened", "+ada", "-ada", "closed", "opened", "+ada", "-ada", "closed"]);
    ada.enter("lobby").await;
    let first = epoch(watch.next().await);
    let mut other = house.registry.watch(&lobby());
    assert_eq!(epoch(other.next().await), first, "found by its epoch");
    watched(&mut watch);
    assert_eq!(watched(&mut other), [""; 0]);
    ada.leave("lobby");
    assert_eq!(watched(&mut other), watched(&mut watch), "all are told the same");
}

#[tokio::test(start_paused = true)]
async fn why_a_room_has_ended_is_told() {
    let house = House::configured(|config| config.linger = secs(30)).await;
    let mut watch = house.registry.watch_all();
    let ada = house.guest("ada").await;
    drop(ada);
    assert_eq!(watched(&mut watch), ["opened at 0", "+ada", "-ada"], "it waits for her");
    tokio::time::sleep(secs(20)).await;
    let ada = house.guest("ada").await;
    assert_eq!(watched(&mut watch), ["+ada"], "the same life");
    drop(ada);
    tokio::time::sleep(secs(31)).await;
    let lines = watched(&mut watch);
    assert!(lines[0] == "-ada" && lines[1].starts_with("closed Expired after 50"), "{lines:?}");

    let _ada = house.guest("ada").await;
    house.registry.moderation(&lobby()).close(None).await.unwrap();
    assert!(watched(&mut watch)[3].starts_with("closed Closed"));

    let ada = house.guest("ada").await;
    ada.say("one").await.unwrap();
    drop(ada);
    watched(&mut watch);
    let mut of_one = house.registry.watch(&lobby());
    watched(&mut of_one);
    house.registry.shutdown(secs(5)).await;
    let lines = watched(&mut watch);
    assert!(lines[0].starts_with("closed PutAway") && lines[0].ends_with("and kept"), "{lines:?}");
    assert!(watch.next().await.is_none(), "nothing more will happen");
    assert_eq!(watched(&mut of_one).len(), 1, "one that watched this room alone is told it, too");
    assert!(of_one.next().await.is_none());
    assert!(house.registry.watch_all().next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_lost_last_connection_without_a_linger_is_told_as_lost() {
    let house = House::new().await;
    let mut watch = house.registry.watch(&lobby());
    let ada = house.guest("ada").await;
    ada.session.close(CloseReason::HeartbeatTimeout);
    assert!(watched(&mut watch)[3].starts_with("closed Lost"));
}

#[tokio::test(start_paused = true)]
async fn what_people_come_back_to_after_a_restart_is_opened_where_it_was() {
    let store = FaultyStore::new();
    let set = |builder: RegistryBuilder| {
        builder.config(config(|config: &mut Config| config.linger = secs(30)))
    };
    let house = House::over(store.clone(), set).await;
    house.guest("ada").await.say("one").await.unwrap();
    house.registry.shutdown(secs(5)).await;
    let house = House::over(store.restart(), set).await;
    let mut watch = house.registry.watch_all();
    assert_eq!(watched(&mut watch), [""; 0], "nobody has come back yet");
    let _ada = house.guest("ada").await;
    assert_eq!(watched(&mut watch), ["opened at 1", "+ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_nobody_entered_was_never_there() {
    let house = House::new().await;
    house.store.always(Call::Open, Fault::Slow(secs(1)));
    let mut watch = house.registry.watch_all();
    let ada = house.client("ada");
    let gave_up = tokio::time::timeout(millis(10), ada.join("lobby", Join::default())).await;
    assert!(gave_up.is_err());
    drop(ada);
    house.emptied().await;
    assert_eq!(watched(&mut watch), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_begun_while_a_room_opens_is_told_its_beginning() {
    let house = House::new().await;
    house.store.always(Call::Open, Fault::Slow(secs(1)));
    let ada = house.client("ada");
    let begin = async {
        settle().await;
        let mut watch = house.registry.watch_all();
        assert_eq!(watched(&mut watch), [""; 0]);
        watch
    };
    let (_, mut watch) = tokio::join!(ada.enter("lobby"), begin);
    assert_eq!(watched(&mut watch), ["opened at 0", "+ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_lags_is_told_so_and_begins_anew() {
    for (events, bytes) in [(4, usize::MAX), (usize::MAX, 2_000)] {
        let house = House::configured(|config| {
            (config.watch_events, config.watch_bytes) = (events, bytes);
        })
        .await;
        let mut watch = house.registry.watch_all();
        let mut attentive = house.registry.watch(&lobby());
        let ada = house.guest("ada").await;
        let eve = house.client("eve");
        eve.enter("garden").await;
        let mut heard = Vec::new();
        for n in 1..=20 {
            ada.say(&n.to_string()).await.unwrap();
            heard.extend(watched(&mut attentive));
        }
        let all: Vec<_> = ["opened at 0".into(), "+ada".into()]
            .into_iter()
            .chain((1..=20).map(|n| format!("{n} {n}")))
            .collect();
        assert_eq!(heard, all, "who keeps up misses nothing");
        let mut lines = watched(&mut watch);
        assert_eq!(lines.remove(0), "Lagged");
        lines.sort();
        assert_eq!(lines, ["found at 20 [ada]", "garden: found at 0 [eve]"]);
        ada.say("more").await.unwrap();
        assert_eq!(watched(&mut watch), ["21 more"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_waits_and_loses_nothing_when_it_is_dropped_while_waiting() {
    let house = House::new().await;
    let mut watch = house.registry.watch_all();
    let early = tokio::time::timeout(millis(10), watch.next()).await;
    assert!(early.is_err());
    let come = async {
        tokio::time::sleep(secs(1)).await;
        house.guest("ada").await
    };
    let (first, _ada) = tokio::join!(watch.next(), come);
    assert_eq!(first.as_ref().map(line).as_deref(), Some("opened at 0"));
    assert_eq!(watched(&mut watch), ["+ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_keeps_nothing_alive_and_is_nobody() {
    let house = House::new().await;
    let watches = [house.registry.watch_all(), house.registry.watch(&lobby())];
    let ada = house.guest("ada").await;
    assert_eq!(house.registry.room(&lobby()).await.unwrap().connections, 1);
    assert_eq!(ada.told(), [""; 0]);
    ada.leave("lobby");
    drop(ada);
    house.emptied().await;
    drop(watches);
}

#[tokio::test(start_paused = true)]
async fn a_large_room_is_watched_edge_by_edge() {
    let house = House::configured(|config| {
        config.presence_exact = 1;
        config.presence_interval = Duration::from_secs(60);
    })
    .await;
    let mut watch = house.registry.watch(&room("lobby"));
    let _ada = house.guest("ada").await;
    let bob = house.guest("bob").await;
    let mut late = house.registry.watch(&room("lobby"));
    assert_eq!(watched(&mut late), ["found at 0 [ada bob]"]);
    house.guest("eve").await;
    drop(bob);
    let told = ["opened at 0", "+ada", "+bob", "+eve", "-eve", "-bob"];
    assert_eq!(watched(&mut watch), told, "where members are told the net change once a minute");
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_kept_is_nothing_to_see_before_somebody_comes_back() {
    for comes_back in [true, false] {
        let linger =
            |builder: RegistryBuilder| builder.config(config(|config| config.linger = secs(30)));
        let before = House::over(FaultyStore::new(), linger).await;
        before.guest("ada").await.say("one").await.unwrap();
        let house = House::over(before.store.restart(), linger).await;
        // Opened after nobody waited for it any more, the room waits on its own.
        house.store.next(Call::Open, Fault::Slow(secs(8)));
        let ada = house.client("ada");
        ada.join("lobby", Join::default()).await.unwrap_err();
        tokio::time::sleep(secs(10)).await;
        assert_eq!(house.registry.stats().rooms, 1);
        let mut watch = house.registry.watch_all();
        assert_eq!(watched(&mut watch), [""; 0]);
        if comes_back {
            ada.enter("lobby").await;
            assert_eq!(watched(&mut watch), ["opened at 1", "+ada"]);
        } else {
            tokio::time::sleep(secs(30)).await;
            assert_eq!(house.registry.stats().rooms, 0);
            assert_eq!(watched(&mut watch), [""; 0]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_opens_before_a_new_watch_comes_to_it_is_told_once() {
    let house = House::new().await;
    house.store.always(Call::Open, Fault::Slow(secs(1)));
    let ada = house.client("ada");
    let begin = async {
        settle().await;
        house.registry.watch_all()
    };
    let (_, mut watch) = tokio::join!(ada.enter("lobby"), begin);
    assert_eq!(watched(&mut watch), ["opened at 0", "+ada"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_waits_in_a_task_is_woken_by_what_happens_and_by_the_end() {
    let house = House::new().await;
    let mut watch = house.registry.watch_all();
    let waits = tokio::spawn(async move { (watch.next().await, watch) });
    settle().await;
    let ada = house.guest("ada").await;
    let (first, mut watch) = tokio::time::timeout(secs(1), waits).await.unwrap().unwrap();
    assert_eq!(first.as_ref().map(line).as_deref(), Some("opened at 0"));
    drop(ada);
    assert_eq!(watched(&mut watch).len(), 3);
    let waits = tokio::spawn(async move { watch.next().await.is_none() });
    settle().await;
    house.registry.shutdown(secs(1)).await;
    assert!(tokio::time::timeout(secs(1), waits).await.unwrap().unwrap(), "it is over");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_gone_keeps_nothing() {
    let house = House::configured(|config| config.keep = 1).await;
    let mut watch = house.registry.watch_all();
    // A record holds messages as long as it lasts.
    let ada = house.unrecorded("ada");
    ada.enter("lobby").await;
    assert_eq!(watched(&mut watch).len(), 2);
    ada.say("one").await.unwrap();
    let page = house.registry.history(&lobby(), None, 1).await.unwrap();
    let message = std::sync::Arc::downgrade(&page.messages[0]);
    drop(page);
    for n in 0..3 {
        ada.say(&n.to_string()).await.unwrap();
        ada.told();
    }
    assert!(message.upgrade().is_some(), "it waits for the watch");
    drop(watch);
    assert!(message.upgrade().is_none(), "what has been trimmed is held by nobody");
}

/// What a watch has been told of a room: whether it is open, its newest message, and who is there.
type Known = HashMap<RoomName, (bool, u64, BTreeSet<String>)>;

fn follow(known: &mut Known, event: &RoomEvent) {
    let Some(room) = event.room().cloned() else { return known.clear() };
    match event {
        RoomEvent::RoomFound { seq, members, .. } => {
            let there = members.iter().map(|member| member.user.to_string()).collect();
            assert!(known.insert(room, (true, *seq, there)).is_none(), "found twice");
        }
        RoomEvent::RoomOpened { seq, .. } => {
            let before = known.insert(room, (true, *seq, BTreeSet::new()));
            assert!(before.is_none_or(|(is_open, ..)| !is_open), "opened while it was open");
        }
        event => {
            let (is_open, head, there) = known.get_mut(&room).expect("a room that has been told");
            assert!(*is_open);
            match event {
                RoomEvent::UserJoined { member, .. } => {
                    assert!(there.insert(member.user.to_string()));
                }
                RoomEvent::UserLeft { user, .. } => assert!(there.remove(user.as_str())),
                RoomEvent::Message { message, .. } => {
                    *head += 1;
                    assert_eq!(message.seq, *head, "dense");
                }
                RoomEvent::RoomClosed { .. } => {
                    assert!(there.is_empty());
                    *is_open = false;
                }
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn watches_that_begin_and_lag_in_a_storm_miss_nothing() {
    for events in [20, 100_000] {
        let house = House::configured(|config| {
            config.watch_events = events;
            (config.sends_per_second, config.send_burst) = (1_000_000, 1_000_000);
        })
        .await;
        let players = (0..6_usize).map(|n| {
            let registry = house.registry.clone();
            tokio::spawn(async move {
                for i in 0..400 {
                    let client = Client::new(&registry, &format!("u{}", n % 4));
                    let room = room(&format!("r{}", (n + i) % 3));
                    if client.session.join(&room, Join::default()).await.is_ok() {
                        let _ = client.session.publish(&room, Post::new("x")).await;
                    }
                    if i % 7 == 0 {
                        registry
                            .moderation(&room)
                            .kick(&user(&format!("u{}", (n + 1) % 4)), None)
                            .await
                            .unwrap();
                    }
                    if i % 50 == 0 {
                        registry.moderation(&room).close(None).await.unwrap();
                    }
                }
            })
        });
        let watchers = (0..4).map(|n| {
            let registry = house.registry.clone();
            tokio::spawn(async move {
                loop {
                    let of_one = registry.watch(&room("r1"));
                    let mut watch = if n % 2 == 0 { registry.watch_all() } else { of_one };
                    let mut known = Known::new();
                    for i in 0..300 {
                        let Some(event) = watch.next().await else { return };
                        follow(&mut known, &event);
                        if i % 100 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                }
            })
        });
        let (players, watchers): (Vec<_>, Vec<_>) = (players.collect(), watchers.collect());
        for player in players {
            player.await.unwrap();
        }
        house.registry.shutdown(secs(5)).await;
        for watcher in watchers {
            watcher.await.unwrap();
        }
    }
}
