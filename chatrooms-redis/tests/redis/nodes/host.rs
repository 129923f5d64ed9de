//! What a host does to people and rooms, seen from the other nodes.

use std::time::Duration;

use chatrooms_core::{
    CloseReason, Cluster as _, Config, Error, RoomRegistry,
    testing::{TestClient, room, user},
};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::kit::{hears, node, nothing_is_left};
use crate::support::{Server, eventually};

#[tokio::test]
async fn who_is_kicked_goes_on_all_nodes_and_may_come_again() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let (eve, tab) =
        (TestClient::joined(&b, "eve", "tea").await, TestClient::joined(&a, "eve", "tea").await);
    a.moderation(&room("tea")).kick(&user("eve"), Some("too loud")).await.unwrap();
    hears(&eve, &["tea: removed kicked: too loud"]).await;
    hears(&tab, &["tea: removed kicked: too loud"]).await;
    hears(&ada, &["tea: +eve", "tea: -eve"]).await;
    assert!(eve.session.rooms().is_empty());
    eve.join("tea").await.unwrap();
}

/// Whoever is alone on their node, and the only one in the room beside the host's hand.
#[tokio::test]
async fn who_is_banned_is_told_so_and_comes_in_by_no_node() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let eve = TestClient::joined(&b, "eve", "tea").await;
    a.moderation(&room("tea")).ban(&user("eve"), None, None).await.unwrap();
    hears(&eve, &["tea: removed banned"]).await;
    hears(&ada, &["tea: +eve", "tea: -eve"]).await;
    assert_eq!(eve.join("tea").await.unwrap_err(), Error::Banned);
    let bob = TestClient::joined(&b, "bob", "tea").await;
    assert_eq!(b.moderation(&room("tea")).banned().await.unwrap(), [user("eve")]);
    assert!(b.moderation(&room("tea")).unban(&user("eve")).await.unwrap());
    eventually("she may come", async || eve.join("tea").await.is_ok()).await;
    drop((ada, bob));
}

#[tokio::test]
async fn what_two_nodes_impose_at_the_same_time_holds_on_both() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    a.moderation(&room("tea")).mute(&user("bob"), None).await.unwrap();
    b.moderation(&room("tea")).mute(&user("ada"), None).await.unwrap();
    a.moderation(&room("tea")).ban(&user("eve"), None, None).await.unwrap();
    b.moderation(&room("tea")).ban(&user("joe"), None, None).await.unwrap();
    for node in [&a, &b] {
        eventually("both know all of it", async || {
            let tea = room("tea");
            let moderation = node.moderation(&tea);
            moderation.muted().await.unwrap() == [user("ada"), user("bob")]
                && moderation.banned().await.unwrap() == [user("eve"), user("joe")]
        })
        .await;
    }
    assert_eq!(ada.say("tea", "x").await, Err(Error::Muted));
    assert_eq!(bob.say("tea", "x").await, Err(Error::Muted));
    assert!(b.moderation(&room("tea")).unmute(&user("bob")).await.unwrap());
    eventually("he may speak", async || bob.say("tea", "x").await.is_ok()).await;
}

#[tokio::test]
async fn slow_mode_holds_on_all_nodes() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let _ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    a.moderation(&room("tea")).set_slow_mode(Duration::from_secs(60)).await.unwrap();
    eventually("it is slow there, too", async || {
        b.moderation(&room("tea")).slow_mode().await.unwrap() == Duration::from_secs(60)
    })
    .await;
    bob.say("tea", "one").await.unwrap();
    let refused = bob.say("tea", "two").await;
    assert!(matches!(refused, Err(Error::SlowMode { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_room_that_is_closed_is_closed_for_all_and_lives_again_at_once() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::new(&a, "ada");
    let first = ada.join("tea").await.unwrap().epoch;
    ada.told();
    let bob = TestClient::joined(&b, "bob", "tea").await;
    hears(&ada, &["tea: +bob"]).await;
    a.moderation(&room("tea")).close(Some("cleaning")).await.unwrap();
    let next = ada.join("tea").await.unwrap();
    assert!(next.first_in_room && next.epoch != first);
    hears(&bob, &["tea: removed room_closed: cleaning"]).await;
    hears(&ada, &["tea: removed room_closed: cleaning", "tea: joined at 0 [ada]"]).await;
    assert_eq!(bob.join("tea").await.unwrap().epoch, next.epoch);
    drop((ada, bob));
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn a_room_that_is_closed_is_over_on_the_other_nodes_before_they_look_by_themselves() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let begun = Instant::now();
    for _ in 0..5 {
        let bob = TestClient::joined(&b, "bob", "tea").await;
        let _ada = TestClient::joined(&a, "ada", "tea").await;
        hears(&bob, &["tea: +ada"]).await;
        a.moderation(&room("tea")).close(None).await.unwrap();
        hears(&bob, &["tea: removed room_closed"]).await;
    }
    // They look once a second.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_is_logged_out_is_logged_out_on_all_nodes_and_may_come_again() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let (eve, tab) =
        (TestClient::joined(&a, "eve", "tea").await, TestClient::joined(&b, "eve", "tea").await);
    hears(&ada, &["tea: +eve"]).await;
    assert_eq!(a.end_sessions(&user("eve"), &CloseReason::LoggedOut), 1);
    let again = TestClient::joined(&a, "eve", "other").await;
    eventually("the other tab has ended", async || tab.session.outbox().closed().is_some()).await;
    assert_eq!(tab.session.outbox().closed(), Some(CloseReason::LoggedOut));
    assert_eq!(eve.session.outbox().closed(), Some(CloseReason::LoggedOut));
    hears(&ada, &["tea: -eve"]).await;
    assert!(again.session.outbox().closed().is_none(), "it came after that");
}

#[tokio::test]
async fn when_a_logout_has_been_awaited_nobody_is_there_on_any_node() {
    let server = Server::start().await;
    let nodes = [node(&server).await, node(&server).await, node(&server).await];
    for round in 0..20 {
        let room = room(&format!("tea {round}"));
        let eve = user(&format!("eve {round}"));
        let tabs = join_all(
            nodes
                .iter()
                .chain(&nodes[1..])
                .map(async |node| TestClient::joined(node, eve.as_str(), room.as_str()).await),
        );
        let tabs = tabs.await;
        // Some are on their way in.
        let late = TestClient::new(&nodes[1], eve.as_str());
        let (late_one, ended) = tokio::join!(
            late.join(room.as_str()),
            nodes[0].end_sessions_everywhere(&eve, &CloseReason::LoggedOut)
        );
        assert_eq!(ended, Ok(6));
        assert!(tabs.iter().chain([&late]).all(|tab| tab.session.outbox().closed().is_some()));
        drop(late_one);
        for node in &nodes {
            assert_eq!(node.room(&room).await.map(|_| ()), Err(Error::NotFound), "round {round}");
        }
    }
    nothing_is_left(&server, &nodes.each_ref()).await;
}

#[tokio::test]
async fn a_logout_does_not_wait_for_a_node_that_has_left() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    drop(TestClient::joined(&b, "eve", "tea").await);
    b.shutdown(Duration::from_secs(5)).await;
    assert_eq!(a.end_sessions_everywhere(&user("eve"), &CloseReason::LoggedOut).await, Ok(0));
}

#[tokio::test]
async fn a_logout_says_that_a_node_has_not_answered_and_holds_all_the_same() {
    let mut server = Server::that_keeps().await;
    let mut config = Config::default();
    config.store_timeout = Duration::from_millis(300);
    let cluster = server.node().await;
    let a = RoomRegistry::builder().config(config).cluster(cluster).start().await.unwrap();
    // It takes part, and nobody does there what others say.
    let mute = server.node().await;
    let b = node(&server).await;
    let (here, there) = (TestClient::new(&a, "eve"), TestClient::new(&b, "eve"));
    let away = Err(Error::StoreUnavailable);
    let ended = a.end_sessions_everywhere(&user("eve"), &CloseReason::LoggedOut).await;
    assert_eq!(ended, away);
    assert!(here.session.outbox().closed().is_some());
    eventually("the other has heard", async || there.session.outbox().closed().is_some()).await;
    drop((here, there));
    mute.leave().await;
    eventually("nobody is waited for", async || {
        a.end_sessions_everywhere(&user("eve"), &CloseReason::LoggedOut).await == Ok(0)
    })
    .await;
    let again = TestClient::new(&a, "eve");
    server.kill();
    assert_eq!(a.end_sessions_everywhere(&user("eve"), &CloseReason::LoggedOut).await, away);
    assert!(again.session.outbox().closed().is_some());
}

#[tokio::test]
async fn who_is_told_something_is_told_on_all_nodes_and_once() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let (eve, tab) = (TestClient::new(&a, "eve"), TestClient::new(&b, "eve"));
    a.notify(&user("eve"), "mail", Some(chatrooms_core::Data::new("1"))).unwrap();
    b.notify(&user("eve"), "news", None).unwrap();
    for client in [&eve, &tab] {
        let mut told = Vec::new();
        eventually("both are told", async || {
            told.extend(client.told());
            told.len() >= 2
        })
        .await;
        told.sort_unstable();
        assert_eq!(told, ["notice mail 1", "notice news"]);
    }
}

#[tokio::test]
async fn a_logout_while_redis_is_away_is_heard_afterwards() {
    let mut server = Server::that_keeps().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let tab = TestClient::new(&b, "eve");
    server.kill();
    eventually("it is noticed", async || TestClient::new(&a, "ada").join("tea").await.is_err())
        .await;
    a.end_sessions(&user("eve"), &CloseReason::LoggedOut);
    server.restart().await;
    eventually("it is heard", async || tab.session.outbox().closed().is_some()).await;
}

#[tokio::test]
async fn what_the_host_says_is_said_on_all_nodes() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    hears(&ada, &["tea: +bob"]).await;
    a.announce(&room("tea"), chatrooms_core::Post::new("hello")).await.unwrap();
    hears(&bob, &["tea: 1 host: hello"]).await;
    hears(&ada, &["tea: 1 host: hello"]).await;
}
