//! F13 and F14: every public future may be dropped after any poll, and nothing is left behind.

use std::{path::Path, pin::pin};

use chatrooms_core::{
    CloseReason, Draft, Epoch, Error, Identity, Post, RoomEnd, RoomEvent, RoomName, RoomPolicy,
    RoomRegistry, RoomRules, async_trait,
    testing::{Call, Fault},
};
use futures_util::FutureExt as _;

use crate::kit::{Client, House, at_once, describe, lobby, millis, secs, user};

/// Takes its time over everything, so that there is something to be cancelled in.
#[derive(Debug)]
struct Unhurried;

#[async_trait]
impl RoomPolicy for Unhurried {
    async fn may_join(&self, _: &Identity, _: &RoomName) -> Result<(), Error> {
        tokio::time::sleep(millis(10)).await;
        Ok(())
    }

    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        tokio::time::sleep(millis(10)).await;
        Ok(draft)
    }

    async fn may_redact(&self, _: &Identity, _: &RoomName, _: u64) -> Result<(), Error> {
        tokio::time::sleep(millis(10)).await;
        Err(Error::Forbidden)
    }

    async fn open_room(&self, _: &RoomName, rules: RoomRules) -> Result<RoomRules, Error> {
        tokio::time::sleep(millis(10)).await;
        Ok(rules)
    }

    async fn room_opened(&self, _: &Identity, _: &RoomName, _: Epoch) {
        tokio::time::sleep(millis(10)).await;
    }

    async fn room_closed(&self, _: &RoomName, _: Epoch, _: RoomEnd) {
        tokio::time::sleep(millis(10)).await;
    }
}

/// A house in which everything waits, on a host with rules and on a store.
async fn house() -> House {
    let house = House::with(|builder| builder.policy(Unhurried)).await;
    for call in
        [Call::Open, Call::Append, Call::Redact, Call::ReadBefore, Call::Close, Call::Shutdown]
    {
        house.store.always(call, Fault::Slow(millis(10)));
    }
    house
}

/// Polls so many times, with time for others in between, and drops; `None` where that was too early.
async fn drop_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Some(done) = future.as_mut().now_or_never() {
            return Some(done);
        }
        tokio::time::sleep(millis(4)).await;
    }
    None
}

/// Runs a story for every number of polls until its future completes; the story returns whether it did.
async fn for_every_poll(story: impl AsyncFn(usize) -> bool) {
    for polls in 0.. {
        assert!(polls < 100, "it never completes");
        if story(polls).await {
            assert!(polls > 1, "there was nothing to be cancelled in");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_join_leaves_nothing_or_a_member() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.client("ada");
        let done = drop_after(polls, ada.enter("lobby")).await.is_some();
        tokio::time::sleep(secs(1)).await;
        let is_member = !ada.session.rooms().is_empty();
        assert_eq!((is_member, house.registry.stats().rooms), (done, usize::from(done)));
        if !is_member {
            assert_eq!(ada.told(), [""; 0]);
            assert_eq!(describe(&ada.enter("lobby").await), "joined at 0 [ada]");
        }
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_join_is_no_news_or_a_coming_and_a_going() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.guest("ada").await;
        let bob = house.client("bob");
        let done = drop_after(polls, bob.enter("lobby")).await.is_some();
        tokio::time::sleep(secs(1)).await;
        drop(bob);
        let expected: &[&str] = if done { &["+bob", "-bob"] } else { &[] };
        assert_eq!(ada.told(), expected);
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_dropped_with_its_session_leaves_nothing() {
    for_every_poll(async |polls| {
        let house = house().await;
        let done = drop_after(polls, async {
            let ada = house.client("ada");
            ada.enter("lobby").await;
        })
        .await;
        house.emptied().await;
        done.is_some()
    })
    .await;
}

/// What somebody in the lobby was told of must be what its history holds.
async fn is_stored_as_shown(witness: &Client) {
    tokio::time::sleep(secs(1)).await;
    let shown: Vec<_> = witness.told();
    let bodies = witness.history().await;
    let stored: Vec<_> =
        bodies.iter().zip(1..).map(|(body, seq)| format!("{seq} ada: {body}")).collect();
    assert_eq!(shown, stored);
    assert!(stored.len() <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_message_is_stored_and_shown_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
        let done = drop_after(polls, ada.say("hello")).await.is_some();
        is_stored_as_shown(&bob).await;
        ada.say("and on").await.unwrap();
        drop((ada, bob));
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_given_up_before_it_was_sent_is_stored_nowhere() {
    for_every_poll(async |polls| {
        let house = house().await;
        let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
        let lobby = lobby();
        let send = ada.session.send(&lobby, Post::new("hello"));
        let done = drop_after(polls, send).await.is_some();
        is_stored_as_shown(&bob).await;
        assert_eq!(bob.history().await.len(), usize::from(done));
        drop((ada, bob));
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_no_longer_for_the_outcome_undoes_nothing() {
    for_every_poll(async |polls| {
        let house = house().await;
        let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
        let receipt = ada.begin("hello").await;
        let done = drop_after(polls, receipt.wait()).await.is_some();
        is_stored_as_shown(&bob).await;
        assert_eq!(bob.history().await, ["hello"]);
        drop((ada, bob));
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_sender_goes_is_stored_and_shown_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let bob = house.guest("bob").await;
        let done = drop_after(polls, async {
            let ada = house.guest("ada").await;
            bob.told();
            ada.say("hello").await.unwrap();
            std::mem::forget(ada);
        })
        .await
        .is_some();
        tokio::time::sleep(secs(1)).await;
        let told: Vec<_> = bob.told().into_iter().filter(|line| line.contains("hello")).collect();
        assert_eq!(told.len(), bob.history().await.len());
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_post_without_a_session_is_stored_and_shown_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let bob = house.guest("bob").await;
        let done = drop_after(polls, async {
            let who = Identity::new(user("ada"));
            let visit = house.registry.visit(&who, &lobby()).await.unwrap();
            visit.publish(Post::new("hello")).await.unwrap();
        })
        .await;
        is_stored_as_shown(&bob).await;
        drop(bob);
        house.emptied().await;
        done.is_some()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_announcement_is_stored_and_shown_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let bob = house.guest("bob").await;
        let announce = async { house.registry.announce(&lobby(), Post::new("hello")).await };
        let done = drop_after(polls, announce).await.is_some();
        tokio::time::sleep(secs(1)).await;
        assert_eq!(bob.told().len(), bob.history().await.len());
        drop(bob);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_moderators_cancelled_announcement_is_stored_and_shown_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let bob = house.guest("bob").await;
        let lobby = lobby();
        let moderation = house.registry.moderation(&lobby);
        let done = drop_after(polls, moderation.announce(Post::new("hello"))).await.is_some();
        tokio::time::sleep(secs(1)).await;
        assert_eq!(bob.told().len(), bob.history().await.len());
        drop(bob);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_visit_and_what_a_visitor_looks_for_harm_nothing() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.guest("ada").await;
        ada.say("hello").await.unwrap();
        let (who, lobby) = (Identity::new(user("bob")), lobby());
        let visit = || house.registry.visit(&who, &lobby);
        let done = drop_after(polls, visit()).await.is_some();
        let look = async { visit().await.unwrap().history(None, 9).await };
        let done = drop_after(polls, look).await.is_some() && done;
        assert_eq!(ada.history().await, ["hello"]);
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_message_on_the_hosts_word_is_stored_and_shown_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let bob = house.guest("bob").await;
        let (ada, lobby) = (Identity::new(user("ada")), lobby());
        let publish = house.registry.publish_as(&ada, &lobby, Post::new("hello"));
        let done = drop_after(polls, publish).await.is_some();
        is_stored_as_shown(&bob).await;
        drop(bob);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hosts_cancelled_look_at_the_history_harms_nothing() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.guest("ada").await;
        ada.say("hello").await.unwrap();
        let lobby = lobby();
        let look = house.registry.history(&lobby, None, 9);
        let done = drop_after(polls, look).await.is_some();
        assert_eq!(ada.history().await, ["hello"]);
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_redaction_is_done_and_told_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let (ada, bob) = (house.guest("ada").await, house.guest("bob").await);
        ada.say("hello").await.unwrap();
        bob.told();
        let done = drop_after(polls, ada.take_back(1)).await.is_some();
        tokio::time::sleep(secs(1)).await;
        let is_told = bob.told() == ["1 taken back by ada"];
        assert_eq!(is_told, bob.history().await == [""]);
        ada.take_back(1).await.unwrap();
        drop((ada, bob));
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_redaction_that_is_given_up_before_it_was_asked_for_is_not_done() {
    for_every_poll(async |polls| {
        let house = house().await;
        let (ada, lobby) = (house.guest("ada").await, lobby());
        ada.say("hello").await.unwrap();
        let done = drop_after(polls, ada.session.redact(&lobby, 1)).await.is_some();
        tokio::time::sleep(secs(1)).await;
        assert_eq!(ada.history().await, [if done { "" } else { "hello" }]);
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_redaction_of_the_host_is_done_and_told_or_neither() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.guest("ada").await;
        ada.say("hello").await.unwrap();
        ada.told();
        let done = drop_after(polls, house.registry.redact(&lobby(), 1)).await.is_some();
        tokio::time::sleep(secs(1)).await;
        let is_told = ada.told() == ["1 taken back by host"];
        assert_eq!(is_told, ada.history().await == [""]);
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_look_at_the_history_harms_nothing() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.guest("ada").await;
        ada.say("hello").await.unwrap();
        let done = drop_after(polls, ada.history()).await.is_some();
        assert_eq!(ada.history().await, ["hello"]);
        drop(ada);
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_by_not_waiting_for_the_next_event() {
    let house = house().await;
    let mut ada = house.guest("ada").await;
    let mut watch = house.registry.watch(&lobby());
    assert!(matches!(watch.next().await, Some(RoomEvent::RoomFound { .. })));
    for polls in 0..5 {
        assert!(drop_after(polls, ada.session.next()).await.is_none());
        let mut batch = Vec::new();
        assert!(drop_after(polls, ada.session.outbox().take(&mut batch, 1)).await.is_none());
        assert!(drop_after(polls, ada.session.outbox().filled()).await.is_none());
        assert!(drop_after(polls, ada.session.outbox().closing()).await.is_none());
        assert!(drop_after(polls, watch.next()).await.is_none());
    }
    ada.say("hello").await.unwrap();
    assert_eq!(ada.told(), ["1 ada: hello"]);
    let told = watch.next().await;
    assert!(matches!(&told, Some(RoomEvent::Message { message, .. }) if message.seq == 1));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_shutdown_goes_on_when_it_is_called_again() {
    for_every_poll(async |polls| {
        let house = house().await;
        let mut ada = house.guest("ada").await;
        let ada = tokio::spawn(async move { while ada.session.next().await.is_some() {} });
        let done = drop_after(polls, house.registry.shutdown(secs(8))).await.is_some();
        let report = house.registry.shutdown(secs(8)).await;
        assert_eq!((report.cut_off, report.unfinished_purges), (0, 0));
        ada.await.unwrap();
        house.emptied().await;
        done
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_start_leaves_everything_to_the_next_one() {
    for_every_poll(async |polls| {
        let house = house().await;
        let ada = house.guest("ada").await;
        ada.say("hello").await.unwrap();
        std::mem::forget(ada);
        let store = house.store.restart();
        store.always(Call::Abandoned, Fault::Slow(millis(10)));
        let start = || RoomRegistry::builder().store(store.clone()).policy(Unhurried).start();
        let done = drop_after(polls, start()).await.is_some();
        let _next = start().await.unwrap();
        tokio::time::sleep(secs(1)).await;
        assert_eq!(store.open_lives(), []);
        done
    })
    .await;
}

/// There is nothing to be cancelled in; over a cluster there is, which the tests of `chatrooms-redis` see to.
#[tokio::test(start_paused = true)]
async fn what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled() {
    let house = house().await;
    let _ada = house.guest("ada").await;
    let (rooms, lobby, name) = (&house.registry, lobby(), user("ada"));
    let moderation = rooms.moderation(&lobby);
    assert_eq!(at_once(rooms.rooms(None, 9)).unwrap().0.len(), 1);
    assert_eq!(at_once(rooms.room(&lobby)).unwrap().users, 1);
    assert_eq!(at_once(rooms.members(&lobby, None)).unwrap().members.len(), 1);
    assert_eq!(at_once(rooms.connections(&lobby, &name)), Ok(1));
    assert_eq!(at_once(moderation.banned()), Ok(vec![]));
    assert_eq!(at_once(moderation.muted()), Ok(vec![]));
    assert_eq!(at_once(moderation.slow_mode()), Ok(secs(0)));
}

/// The same.
#[tokio::test(start_paused = true)]
async fn what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled() {
    let house = house().await;
    let _guests = (house.guest("ada").await, house.guest("bob").await);
    let (lobby, eve) = (lobby(), user("eve"));
    let moderation = house.registry.moderation(&lobby);
    assert_eq!(at_once(moderation.mute(&eve, None)), Ok(()));
    assert_eq!(at_once(moderation.unmute(&eve)), Ok(true));
    assert_eq!(at_once(moderation.ban(&eve, None, None)), Ok(0));
    assert_eq!(at_once(moderation.unban(&eve)), Ok(true));
    assert_eq!(at_once(moderation.set_slow_mode(secs(1))), Ok(()));
    drop(moderation.kick(&user("bob"), None));
    assert_eq!(at_once(moderation.kick(&user("bob"), None)), Ok(1), "it was not asked for before");
    assert_eq!(at_once(moderation.close(None)), Ok(1));
}

/// Over a cluster there is: see the tests of `chatrooms-redis`.
#[tokio::test(start_paused = true)]
async fn without_other_nodes_a_logout_has_nobody_to_wait_for() {
    let house = house().await;
    let (ada, reason) = (house.client("ada"), CloseReason::LoggedOut);
    ada.enter("lobby").await;
    let name = user("ada");
    drop(house.registry.end_sessions_everywhere(&name, &reason));
    assert_eq!(ada.session.rooms(), [lobby()]);
    let ended = house.registry.end_sessions_everywhere(&name, &reason).now_or_never();
    assert_eq!(ended, Some(Ok(1)));
    assert!(ada.session.rooms().is_empty());
}

/// As above.
#[tokio::test(start_paused = true)]
async fn without_other_nodes_a_leave_has_nobody_to_wait_for() {
    let house = house().await;
    let ada = house.client("ada");
    ada.enter("lobby").await;
    let visit = house.registry.visit(ada.session.identity(), &lobby()).await.unwrap();
    drop(visit.catch_up());
    assert_eq!(visit.catch_up().now_or_never(), Some(()));
    drop(ada.session.catch_up(&lobby()));
    drop(ada.session.leave_everywhere(&lobby()));
    assert_eq!(ada.session.rooms(), [lobby()]);
    assert_eq!(ada.session.catch_up(&lobby()).now_or_never(), Some(()));
    assert_eq!(ada.session.leave_everywhere(&lobby()).now_or_never(), Some(Ok(())));
    let again = ada.session.leave_everywhere(&lobby()).now_or_never();
    assert_eq!(again, Some(Err(Error::NotInRoom)));
}

/// Every public future of the crate, by its file and its name, and a test that drops it after any poll.
const DROPPED: &[(&str, &str, fn())] = &[
    ("builder.rs", "start", a_cancelled_start_leaves_everything_to_the_next_one),
    ("host.rs", "announce", a_cancelled_announcement_is_stored_and_shown_or_neither),
    (
        "host.rs",
        "connections",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    ("host.rs", "history", a_hosts_cancelled_look_at_the_history_harms_nothing),
    (
        "host.rs",
        "members",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    ("host.rs", "publish_as", a_cancelled_message_on_the_hosts_word_is_stored_and_shown_or_neither),
    ("host.rs", "redact", a_cancelled_redaction_of_the_host_is_done_and_told_or_neither),
    (
        "host.rs",
        "room",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "announce",
        a_moderators_cancelled_announcement_is_stored_and_shown_or_neither,
    ),
    (
        "moderation.rs",
        "ban",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "banned",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "close",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "kick",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "mute",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "muted",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "set_slow_mode",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "slow_mode",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "unban",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    (
        "moderation.rs",
        "unmute",
        what_a_host_does_to_people_of_this_process_is_done_when_it_is_first_polled,
    ),
    ("outbox.rs", "closing", nothing_is_lost_by_not_waiting_for_the_next_event),
    ("outbox.rs", "filled", nothing_is_lost_by_not_waiting_for_the_next_event),
    ("outbox.rs", "take", nothing_is_lost_by_not_waiting_for_the_next_event),
    ("registry.rs", "add_connection", a_cancelled_join_leaves_nothing_or_a_member),
    ("registry.rs", "end_sessions_everywhere", without_other_nodes_a_logout_has_nobody_to_wait_for),
    (
        "registry.rs",
        "rooms",
        what_a_host_asks_about_rooms_of_this_process_is_answered_when_it_is_first_polled,
    ),
    ("registry.rs", "visit", a_cancelled_visit_and_what_a_visitor_looks_for_harm_nothing),
    ("session.rs", "catch_up", without_other_nodes_a_leave_has_nobody_to_wait_for),
    ("session.rs", "history", a_cancelled_look_at_the_history_harms_nothing),
    ("session.rs", "join", a_cancelled_join_leaves_nothing_or_a_member),
    ("session.rs", "leave_everywhere", without_other_nodes_a_leave_has_nobody_to_wait_for),
    ("session.rs", "next", nothing_is_lost_by_not_waiting_for_the_next_event),
    ("session.rs", "publish", a_cancelled_message_is_stored_and_shown_or_neither),
    ("session.rs", "redact", a_redaction_that_is_given_up_before_it_was_asked_for_is_not_done),
    ("session.rs", "send", a_message_that_is_given_up_before_it_was_sent_is_stored_nowhere),
    ("shutdown.rs", "shutdown", a_cancelled_shutdown_goes_on_when_it_is_called_again),
    ("visit.rs", "catch_up", without_other_nodes_a_leave_has_nobody_to_wait_for),
    ("visit.rs", "history", a_cancelled_visit_and_what_a_visitor_looks_for_harm_nothing),
    ("visit.rs", "publish", a_cancelled_post_without_a_session_is_stored_and_shown_or_neither),
    ("watch.rs", "next", nothing_is_lost_by_not_waiting_for_the_next_event),
    ("writes.rs", "wait", whoever_waits_no_longer_for_the_outcome_undoes_nothing),
];

#[test]
fn every_public_future_is_dropped_after_any_poll_by_a_test() {
    let mut futures = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        // What is there for tests only is not for dropping.
        if path.is_dir() || path.ends_with("testing.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let lines = source.lines().filter_map(|line| line.trim().strip_prefix("pub async fn "));
        for line in lines {
            let name = line.split(['(', '<']).next().unwrap().to_owned();
            futures.push((path.file_name().unwrap().to_str().unwrap().to_owned(), name));
        }
    }
    futures.sort();
    let dropped = DROPPED.iter().map(|(file, name, _)| ((*file).into(), (*name).into()));
    assert_eq!(futures, dropped.collect::<Vec<(String, String)>>());
}
