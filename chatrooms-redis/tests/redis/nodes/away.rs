//! Rooms while Redis is away, and after.

use std::time::Duration;

use chatrooms_core::{
    CloseReason, Error,
    testing::{TestClient, describe_joined, room},
};
use tokio::time::{Instant, timeout};

use super::kit::{hears, mortal, nothing_is_left};
use crate::support::{LEASE, Server, eventually};

#[tokio::test]
async fn while_redis_is_away_joins_and_sends_are_refused_and_everybody_stays() {
    let mut server = Server::that_keeps().await;
    let (a, b) = (mortal(&server).await, mortal(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let (bob, eve) =
        (TestClient::joined(&b, "bob", "tea").await, TestClient::joined(&b, "eve", "tea").await);
    ada.say("tea", "before").await.unwrap();
    hears(&bob, &["tea: +eve", "tea: 1 ada: before"]).await;
    server.kill();
    eventually("it is noticed", async || {
        ada.say("tea", "lost").await == Err(Error::StoreUnavailable)
    })
    .await;
    let begun = Instant::now();
    let joe = TestClient::new(&b, "joe");
    for _ in 0..20 {
        assert_eq!(joe.join("tea").await.unwrap_err(), Error::StoreUnavailable);
        assert_eq!(joe.join("other").await.unwrap_err(), Error::StoreUnavailable);
        assert_eq!(bob.say("tea", "lost").await, Err(Error::StoreUnavailable));
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // Who goes meanwhile is gone afterwards.
    drop(eve);
    assert_eq!(bob.session.rooms(), [room("tea")]);
    server.restart().await;
    let back = Instant::now();
    eventually("it goes on", async || ada.say("tea", "after").await.is_ok()).await;
    assert!(back.elapsed() < Duration::from_secs(1), "{:?}", back.elapsed());
    eventually("eve has gone", async || a.room(&room("tea")).await.unwrap().users == 2).await;
    let mut told = Vec::new();
    eventually("bob has heard all of it", async || {
        told.extend(bob.told());
        told.len() >= 2
    })
    .await;
    told.sort_unstable();
    assert_eq!(told, ["tea: -eve", "tea: 2 ada: after"]);
    assert_eq!(describe_joined(&joe.join("tea").await.unwrap()), "joined at 2 [ada bob joe] (1 2)");
    drop((ada, bob, joe));
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn a_redis_that_lost_its_data_closes_rooms_and_mixes_nothing() {
    let mut server = Server::start().await;
    let (a, b) = (mortal(&server).await, mortal(&server).await);
    let ada = TestClient::new(&a, "ada");
    let first = ada.join("tea").await.unwrap().epoch;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    ada.say("tea", "before").await.unwrap();
    hears(&bob, &["tea: 1 ada: before"]).await;
    ada.told();
    server.kill();
    server.restart().await;
    hears(&bob, &["tea: removed room_closed"]).await;
    hears(&ada, &["tea: removed room_closed"]).await;
    let mut next = None;
    eventually("a room can be opened again", async || {
        next = ada.join("tea").await.ok();
        next.is_some()
    })
    .await;
    let next = next.unwrap();
    assert!(next.first_in_room && next.epoch != first && next.seq == 0);
    let joined = bob.join("tea").await.unwrap();
    assert_eq!(
        (joined.epoch, describe_joined(&joined)),
        (next.epoch, "joined at 0 [ada bob]".into())
    );
}

/// As one that was stopped, or cut off from Redis, for longer than its lease.
#[tokio::test]
async fn a_node_that_was_taken_for_dead_has_its_people_come_anew() {
    let server = Server::start().await;
    let (a, b) = (mortal(&server).await, mortal(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let alive = "chatrooms:{nodes}:alive";
    let others = server.ask(&["HKEYS", alive]);
    let bob = TestClient::joined(&b, "bob", "tea").await;
    let hosted = async |node: String| {
        let key = format!("chatrooms:{{nodes}}:rooms:{node}");
        server.ask(&["ZCARD", &key]) == "1"
    };
    // Both have the room; the one that registered second is b.
    for node in others.lines() {
        assert!(hosted(node.to_owned()).await);
    }
    let name = b_of(&server, &a).await;
    server.ask(&["HDEL", alive, &name]);
    server.ask(&["SADD", "chatrooms:{nodes}:dead", &name]);
    let ended = timeout(10 * LEASE, async {
        loop {
            if let Some(reason) = bob.session.outbox().closed() {
                return reason;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(ended.await.unwrap(), CloseReason::Moved);
    hears(&ada, &["tea: +bob", "tea: -bob"]).await;
    let again = TestClient::new(&b, "bob");
    eventually("he is back", async || again.join("tea").await.is_ok()).await;
    hears(&ada, &["tea: +bob"]).await;
}

/// The node that is not the one of a room that a alone takes part in.
async fn b_of(server: &Server, a: &chatrooms_core::RoomRegistry) -> String {
    let _mark = TestClient::joined(a, "mark", "mark").await;
    let nodes = server.ask(&["HKEYS", "chatrooms:{nodes}:alive"]);
    let has_no_mark = |node: &&str| {
        let key = format!("chatrooms:{{nodes}}:rooms:{node}");
        server.ask(&["ZSCORE", &key, "mark"]).is_empty()
    };
    nodes.lines().find(has_no_mark).unwrap().to_owned()
}
