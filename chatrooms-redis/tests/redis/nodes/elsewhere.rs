//! A node that is asked about a room whose people are all on other nodes: it answers and does as any of those would, and nobody is told that it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms_core::{
    Epoch, Error, Identity, ModerationError, Page, Post, RoomEnd, RoomEvent, RoomName, RoomPolicy,
    RoomRegistry, async_trait,
    testing::{TestClient, describe_joined, room, user},
};
use tokio::time::timeout;

use super::kit::{hears, mortal, node, node_over, node_with, nothing_is_left};
use crate::support::{Server, eventually, options};

fn somebody(name: &str) -> Identity {
    Identity::new(user(name))
}

fn bodies(page: &Page) -> Vec<&str> {
    page.messages.iter().map(|message| &*message.draft.body).collect()
}

async fn members(node: &RoomRegistry) -> Vec<String> {
    let page = node.members(&room("tea"), None).await.unwrap();
    page.members.iter().map(|member| format!("{}x{}", member.user, member.connections)).collect()
}

#[tokio::test]
async fn a_node_that_nobody_is_on_answers_for_all_rooms() {
    let server = Server::start().await;
    let (a, b, c) = (node(&server).await, node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    let eve = TestClient::joined(&b, "eve", "other").await;
    ada.say("tea", "one").await.unwrap();
    bob.say("tea", "two").await.unwrap();
    hears(&ada, &["tea: +bob", "tea: 1 ada: one", "tea: 2 bob: two"]).await;

    let (rooms, more) = c.rooms(None, 9).await.unwrap();
    let names: Vec<_> = rooms.iter().map(|one| one.room.as_str()).collect();
    assert_eq!((&names[..], more), (&["other", "tea"][..], false));
    assert_eq!(c.stats().rooms, 0, "for that it takes part in none");
    let summary = c.room(&room("tea")).await.unwrap();
    assert_eq!(summary, a.room(&room("tea")).await.unwrap());
    assert_eq!((summary.users, summary.connections, summary.seq), (2, 2, 2));
    assert_eq!(members(&c).await, ["adax1", "bobx1"]);
    assert_eq!(c.connections(&room("tea"), &user("bob")).await, Ok(1));
    assert_eq!(c.connections(&room("tea"), &user("eve")).await, Ok(0));
    assert_eq!(bodies(&c.history(&room("tea"), None, 9).await.unwrap()), ["one", "two"]);
    assert_eq!(bodies(&c.history(&room("tea"), Some(2), 9).await.unwrap()), ["one"]);

    // What happened before it is asked again is in the answer.
    let tab = TestClient::joined(&a, "bob", "tea").await;
    assert_eq!(members(&c).await, ["adax1", "bobx2"]);
    ada.say("tea", "three").await.unwrap();
    assert_eq!(bodies(&c.history(&room("tea"), None, 1).await.unwrap()), ["three"]);
    hears(&ada, &["tea: 3 ada: three"]).await;
    drop((ada, bob, tab, eve));
    nothing_is_left(&server, &[&a, &b, &c]).await;
    assert_eq!(server.channels(), [""; 0]);
}

#[tokio::test]
async fn what_the_host_and_visitors_say_by_any_node_is_said_in_one_order() {
    let server = Server::start().await;
    let (a, c) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let tea = room("tea");
    c.announce(&tea, Post::new("welcome")).await.unwrap();
    let sent = c.publish_as(&somebody("bridge"), &tea, Post::new("over here")).await.unwrap();
    assert_eq!(sent.seq, 2);
    ada.say("tea", "three").await.unwrap();
    let bob = somebody("bob");
    let visit = c.visit(&bob, &tea).await.unwrap();
    assert_eq!(visit.summary().unwrap().connections, 1);
    assert_eq!(visit.members().unwrap().members.len(), 1);
    assert_eq!(visit.publish(Post::new("four")).await.unwrap().seq, 4);
    assert_eq!(visit.history(None, 9).await.unwrap().messages.len(), 4);
    c.redact(&tea, 2).await.unwrap();
    hears(
        &ada,
        &[
            "tea: 1 host: welcome",
            "tea: 2 bridge: over here",
            "tea: 3 ada: three",
            "tea: 4 bob: four",
            "tea: 2 taken back by host",
        ],
    )
    .await;
    a.moderation(&tea).mute(&user("bob"), None).await.unwrap();
    assert_eq!(c.visit(&bob, &tea).await.unwrap().publish(Post::new("x")).await, Err(Error::Muted));
    a.moderation(&tea).ban(&user("bob"), None, None).await.unwrap();
    assert_eq!(c.visit(&bob, &tea).await.err(), Some(Error::Banned));
    drop(visit);
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
}

#[derive(Clone, Debug, Default)]
struct Closed(Arc<Mutex<Vec<RoomEnd>>>);

#[async_trait]
impl RoomPolicy for Closed {
    async fn room_closed(&self, _: &RoomName, _: Epoch, reason: RoomEnd) {
        self.0.lock().unwrap().push(reason);
    }
}

/// Whatever is done holds on all nodes when the call returns.
#[tokio::test]
async fn a_host_moderates_by_any_node() {
    let server = Server::start().await;
    let closed = Closed::default();
    let watched = |closed: &Closed| {
        let closed = closed.clone();
        node_with(&server, |builder| builder.policy(closed))
    };
    let (a, b) = (watched(&closed).await, watched(&closed).await);
    let c = watched(&closed).await;
    let tea = room("tea");
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let (eve, tab) =
        (TestClient::joined(&b, "eve", "tea").await, TestClient::joined(&a, "eve", "tea").await);
    assert_eq!(c.moderation(&tea).kick(&user("nobody"), None).await, Ok(0));
    assert_eq!(c.moderation(&tea).kick(&user("eve"), Some("too loud")).await, Ok(2));
    hears(&eve, &["tea: removed kicked: too loud"]).await;
    hears(&tab, &["tea: removed kicked: too loud"]).await;
    hears(&ada, &["tea: +eve", "tea: -eve"]).await;
    eve.join("tea").await.unwrap();

    assert_eq!(c.moderation(&tea).ban(&user("eve"), None, None).await, Ok(1));
    assert_eq!(tab.join("tea").await.unwrap_err(), Error::Banned);
    assert_eq!(c.moderation(&tea).banned().await.unwrap(), [user("eve")]);
    assert_eq!(c.moderation(&tea).unban(&user("eve")).await, Ok(true));
    assert_eq!(c.moderation(&tea).unban(&user("eve")).await, Ok(false));
    tab.join("tea").await.unwrap();

    c.moderation(&tea).mute(&user("ada"), None).await.unwrap();
    eventually("she is mute", async || ada.say("tea", "x").await == Err(Error::Muted)).await;
    assert_eq!(c.moderation(&tea).muted().await.unwrap(), [user("ada")]);
    assert_eq!(c.moderation(&tea).unmute(&user("ada")).await, Ok(true));
    c.moderation(&tea).set_slow_mode(Duration::from_secs(60)).await.unwrap();
    eventually("it is slow", async || {
        a.moderation(&tea).slow_mode().await == Ok(Duration::from_secs(60))
    })
    .await;

    let life = c.room(&tea).await.unwrap().epoch;
    let other = c.moderation(&tea).of(Epoch::new());
    assert_eq!(other.close(None).await, Ok(0));
    assert_eq!(other.mute(&user("ada"), None).await, Err(ModerationError::NotFound));
    c.moderation(&tea).of(life).announce(Post::new("good night")).await.unwrap();
    assert_eq!(c.moderation(&tea).of(life).close(Some("cleaning")).await, Ok(2));
    assert_eq!(c.room(&tea).await, Err(Error::NotFound));
    eventually("it is closed there", async || ada.session.rooms().is_empty()).await;
    assert_eq!(ada.told().last().unwrap(), "tea: removed room_closed: cleaning");
    nothing_is_left(&server, &[&a, &b, &c]).await;
    eventually("the policy is told", async || !closed.0.lock().unwrap().is_empty()).await;
    assert_eq!(*closed.0.lock().unwrap(), [RoomEnd::Closed], "by whom it was closed, once");
}

#[tokio::test]
async fn whoever_follows_keeps_nothing_alive_and_begins_nothing() {
    let server = Server::start().await;
    let (a, c) = (node(&server).await, node(&server).await);
    let ada = TestClient::new(&a, "ada");
    let first = ada.join("tea").await.unwrap().epoch;
    let bob = somebody("bob");
    let visit = c.visit(&bob, &room("tea")).await.unwrap();
    ada.leave("tea").unwrap();
    eventually("it has ended", async || server.keys_of_rooms().is_empty()).await;
    // The life that was visited is over, whoever begins the next one.
    eventually("it is known", async || visit.publish(Post::new("x")).await == Err(Error::NotFound))
        .await;
    assert_eq!(c.members(&room("tea"), None).await.err(), Some(Error::NotFound));
    assert_eq!(server.keys_of_rooms(), [""; 0]);
    let next = ada.join("tea").await.unwrap();
    assert!(next.first_in_room && next.epoch != first);
    assert_eq!(describe_joined(&next), "joined at 0 [ada]");
    assert_eq!(c.room(&room("tea")).await.unwrap().epoch, next.epoch);
    assert_eq!(members(&c).await, ["adax1"]);
    assert_eq!(visit.summary(), Err(Error::NotFound));
    drop(visit);
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
}

/// Whoever asks while the last one goes finds the room or does not; nothing else ever happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_while_the_last_one_goes_finds_the_room_or_does_not() {
    let server = Server::start().await;
    let (a, c) = (node(&server).await, node(&server).await);
    let asking: Vec<_> = (0..3)
        .map(|n| {
            let c = c.clone();
            tokio::spawn(async move {
                let (tea, mut found) = (room("tea"), 0);
                for _ in 0..150 {
                    let outcome = match n {
                        0 => c.members(&tea, None).await.map(drop),
                        1 => c.history(&tea, None, 9).await.map(drop),
                        _ => c.announce(&tea, Post::new("hello")).await.map(drop),
                    };
                    match outcome {
                        Ok(()) => found += 1,
                        Err(Error::NotFound) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                found
            })
        })
        .collect();
    let ada = TestClient::new(&a, "ada");
    let mut found = 0;
    let mut lives = std::collections::HashSet::new();
    for asked in asking {
        while !asked.is_finished() {
            let joined = ada.join("tea").await.unwrap();
            assert!(joined.first_in_room && lives.insert(joined.epoch));
            assert_eq!(joined.seq, 0, "nothing is said before somebody is there");
            tokio::task::yield_now().await;
            ada.leave("tea").unwrap();
        }
        found += asked.await.unwrap();
    }
    assert!(found > 0 && lives.len() > 10, "found {found} times in {} lives", lives.len());
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
    assert_eq!(server.channels(), [""; 0]);
}

#[tokio::test]
async fn while_redis_is_away_nobody_knows_of_rooms_elsewhere() {
    let mut server = Server::that_keeps().await;
    let (a, c) = (mortal(&server).await, mortal(&server).await);
    let tea = room("tea");
    let ada = TestClient::joined(&a, "ada", "tea").await;
    // Followed, so that something is known of it.
    assert_eq!(members(&c).await, ["adax1"]);
    server.kill();
    eventually("it is noticed", async || {
        c.members(&tea, None).await.err() == Some(Error::StoreUnavailable)
    })
    .await;
    assert_eq!(c.room(&room("other")).await, Err(Error::StoreUnavailable));
    assert_eq!(c.rooms(None, 9).await, Err(Error::StoreUnavailable));
    assert_eq!(c.history(&tea, None, 9).await.err(), Some(Error::StoreUnavailable));
    assert_eq!(c.announce(&tea, Post::new("x")).await, Err(Error::StoreUnavailable));
    assert_eq!(c.visit(&somebody("bob"), &tea).await.err(), Some(Error::StoreUnavailable));
    let moderation = c.moderation(&tea);
    assert_eq!(moderation.kick(&user("ada"), None).await, Err(ModerationError::Unavailable));
    assert_eq!(moderation.banned().await, Err(ModerationError::Unavailable));
    // Where somebody is, what is known of them still is.
    assert_eq!(members(&a).await, ["adax1"]);
    // And what is done there holds for them at once.
    let muted = a.moderation(&tea).mute(&user("ada"), None).await;
    assert_eq!(muted, Err(ModerationError::Unavailable));
    assert_eq!(ada.say("tea", "x").await, Err(Error::Muted));
    server.restart().await;
    eventually("it goes on", async || c.announce(&tea, Post::new("back")).await.is_ok()).await;
    eventually("they were told", async || {
        c.moderation(&tea).muted().await == Ok(vec![user("ada")])
    })
    .await;
    assert_eq!(ada.session.rooms(), [room("tea")], "nobody was kicked after all");
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
}

#[tokio::test]
async fn a_watch_is_told_of_a_room_when_somebody_of_its_node_comes() {
    let server = Server::start().await;
    let (a, c) = (node(&server).await, node(&server).await);
    let mut watch = c.watch_all();
    let ada = TestClient::joined(&a, "ada", "tea").await;
    assert_eq!(members(&c).await, ["adax1"]);
    let mut late = c.watch(&room("tea"));
    c.announce(&room("tea"), Post::new("hello")).await.unwrap();
    let bob = TestClient::new(&c, "bob");
    assert_eq!(describe_joined(&bob.join("tea").await.unwrap()), "joined at 1 [ada bob] (1)");
    drop(bob);
    for watch in [&mut watch, &mut late] {
        let found = watch.next().await.unwrap();
        let RoomEvent::RoomFound { seq: 1, members, .. } = found else { panic!("{found:?}") };
        assert_eq!(members.len(), 1);
        assert!(matches!(watch.next().await, Some(RoomEvent::UserJoined { .. })));
        let mut closed = watch.next().await.unwrap();
        // Unless the room was let go before it was read that he went.
        if matches!(closed, RoomEvent::UserLeft { .. }) {
            closed = watch.next().await.unwrap();
        }
        assert!(matches!(closed, RoomEvent::RoomClosed { reason: RoomEnd::Elsewhere, .. }));
    }
    hears(&ada, &["tea: 1 host: hello", "tea: +bob", "tea: -bob"]).await;
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
}

#[tokio::test]
async fn names_that_nobody_uses_leave_nothing_wherever_they_are_asked_for() {
    let server = Server::start().await;
    let c = node(&server).await;
    let keys = server.keys();
    for n in 0..200 {
        let name = room(&format!("nowhere {n}"));
        assert_eq!(c.room(&name).await, Err(Error::NotFound));
        assert_eq!(c.members(&name, None).await.err(), Some(Error::NotFound));
        assert_eq!(c.announce(&name, Post::new("x")).await, Err(Error::NotFound));
        assert_eq!(c.moderation(&name).close(None).await, Ok(0));
        assert_eq!(
            c.moderation(&name).ban(&user("x"), None, None).await,
            Err(ModerationError::NotFound)
        );
    }
    eventually("nothing is left", async || c.stats().rooms == 0).await;
    assert_eq!((server.keys(), server.channels()), (keys, vec![]));
}

/// What is kept for those who ask again and again holds up no shutdown.
#[tokio::test]
async fn a_node_that_follows_shuts_down_at_once() {
    let server = Server::start().await;
    let a = node(&server).await;
    let c = node_over(&server, options(), |builder| builder).await;
    let ada = TestClient::joined(&a, "ada", "tea").await;
    assert_eq!(members(&c).await, ["adax1"]);
    let stopping = timeout(Duration::from_millis(1500), c.shutdown(Duration::from_secs(60)));
    stopping.await.expect("nobody is there who would have to go");
    assert_eq!(c.members(&room("tea"), None).await.err(), Some(Error::ShuttingDown));
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test]
async fn what_is_given_up_while_it_is_asked_leaves_nothing() {
    let server = Server::start().await;
    let (a, c) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let tea = room("tea");
    for n in 0..60 {
        // Half of them from the very beginning on.
        if n % 2 == 0 {
            eventually("it is let go", async || c.stats().rooms == 0 || n % 10 != 0).await;
        }
        let time = Duration::from_micros(n * 50);
        let _ = timeout(time, c.members(&tea, None)).await;
        let _ = timeout(time, c.moderation(&tea).kick(&user("nobody"), None)).await;
        let _ = timeout(time, c.moderation(&tea).mute(&user("nobody"), None)).await;
    }
    assert_eq!(members(&c).await, ["adax1"]);
    assert_eq!(ada.told(), [""; 0]);
    drop(ada);
    nothing_is_left(&server, &[&a, &c]).await;
    assert_eq!(server.channels(), [""; 0]);
}
