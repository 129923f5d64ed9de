//! What a node does while Redis is away, and what it finds afterwards.

use std::time::Duration;

use chatrooms_core::{Cluster, ClusterError, Known, StoreError};
use tokio::time::{Instant, timeout};

use crate::support::{
    ALL, LEASE, Server, bodies, draft, enter, eventually, known, options, people, room, say,
    try_enter,
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[tokio::test]
async fn while_redis_is_away_everything_fails_at_once() {
    let mut server = Server::start().await;
    let node = server.mortal().await;
    let (entered, ada) = enter(&node, "ada").await;
    let life = &entered.life;
    server.kill();
    eventually("it is noticed", async || {
        matches!(node.room(&room("tea")).await, Err(ClusterError::Unavailable { .. }))
    })
    .await;
    let begun = Instant::now();
    for _ in 0..100 {
        assert!(matches!(try_enter(&node, "bob").await, Err(ClusterError::Unavailable { .. })));
        let sent = node.append(life, vec![draft("ada", "x")], soon()).await.remove(0);
        assert!(matches!(sent, Err(StoreError::Unavailable { .. })), "{sent:?}");
        assert!(matches!(
            node.exit(&room("tea"), ada, false).await,
            Err(ClusterError::Unavailable { .. })
        ));
        assert!(matches!(node.listen(&room("tea")).await, Err(ClusterError::Unavailable { .. })));
        assert!(matches!(node.rooms(None, 9).await, Err(ClusterError::Unavailable { .. })));
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn within_a_second_of_its_return_all_is_as_before_and_the_bells_ring() {
    let mut server = Server::that_keeps().await;
    let (a, b) = (server.mortal().await, server.mortal().await);
    let bell = a.listen(&room("tea")).await.unwrap();
    let (entered, _) = enter(&a, "ada").await;
    say(&a, &entered.life, draft("ada", "before")).await;
    server.kill();
    eventually("it is noticed", async || a.room(&room("tea")).await.is_err()).await;
    // All that rang before.
    while timeout(Duration::from_millis(50), bell.rung()).await.is_ok() {}
    server.restart().await;
    timeout(Duration::from_secs(1), bell.rung()).await.unwrap();
    eventually("the other node is back, too", async || {
        b.room(&room("tea")).await.is_ok() && b.silence() < LEASE / 2
    })
    .await;
    let (bob, _) = enter(&b, "bob").await;
    assert_eq!(
        (people(&bob.news), bodies(&bob.news.messages)),
        ("ada bob".into(), "1before".into())
    );
    timeout(Duration::from_secs(5), bell.rung()).await.expect("it has subscribed again");
    assert_eq!(say(&b, &entered.life, draft("bob", "after")).await, 2);
}

#[tokio::test]
async fn a_redis_that_lost_its_data_ends_all_lives_and_mixes_none() {
    let mut server = Server::that_keeps().await;
    let (a, b) = (server.mortal().await, server.mortal().await);
    let (entered, ada) = enter(&a, "ada").await;
    let seen = known(&entered.life, &entered.news, None);
    let (name, other) = (a.node(), b.node());
    server.kill();
    server.restart_without().await;
    eventually("both have come anew", async || a.node() != name && b.node() != other).await;
    let over = a.news(&room("tea"), &seen, ALL).await;
    assert!(matches!(over, Err(ClusterError::Over)), "{over:?}");
    let (bob, _) = enter(&b, "bob").await;
    assert!(bob.opened && bob.life != entered.life);
    let late = a.append(&entered.life, vec![draft("ada", "late")], soon()).await.remove(0);
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
    a.exit(&room("tea"), ada, false).await.unwrap();
    let (ada, _) = enter(&a, "ada").await;
    assert_eq!((people(&ada.news), ada.news.head), ("bob ada".into(), 0));
}

/// As where a copy takes over that has not got the newest of it.
#[tokio::test]
async fn who_knows_more_than_redis_does_is_told_that_something_is_lost() {
    let server = Server::start().await;
    let node = server.mortal().await;
    let (entered, _) = enter(&node, "ada").await;
    say(&node, &entered.life, draft("ada", "one")).await;
    let seen = Known { seq: 1, ..known(&entered.life, &entered.news, None) };
    assert!(node.news(&room("tea"), &seen, ALL).await.is_ok());
    for ahead in [Known { seq: 2, ..seen }, Known { edge: 2, ..seen }] {
        let lost = node.news(&room("tea"), &ahead, ALL).await;
        assert!(matches!(lost, Err(ClusterError::Lost)), "{lost:?}");
        let tea = room("tea");
        let bob = crate::support::entry("bob");
        let rules = crate::support::rules();
        let lost = node.enter(&tea, &bob, &rules, Some(&ahead), ALL).await;
        assert!(matches!(lost, Err(ClusterError::Lost)), "{lost:?}");
    }
    assert_eq!(node.room(&room("tea")).await.unwrap().unwrap().connections, 1, "nobody came in");
}

#[tokio::test]
async fn a_call_that_redis_does_not_answer_ends_in_time_and_may_have_happened() {
    let server = Server::start().await;
    let node = server.node_with(options().timeout(Duration::from_millis(300))).await;
    let (entered, _) = enter(&node, "ada").await;
    server.signal("-STOP");
    let begun = Instant::now();
    let sent = node.append(&entered.life, vec![draft("ada", "x")], soon()).await.remove(0);
    assert!(matches!(sent, Err(StoreError::OutcomeUnknown { .. })), "{sent:?}");
    let read = node.read_before(&entered.life, None, ALL).await;
    assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    server.signal("-CONT");
    eventually("it is back", async || node.room(&room("tea")).await.is_ok()).await;
}

/// Nobody may have to trust the others' patience: it stops by its own clock.
#[tokio::test]
async fn a_node_that_was_not_heard_of_for_a_lease_writes_nothing() {
    let server = Server::start().await;
    let node = server.mortal().await;
    let (entered, _) = enter(&node, "ada").await;
    // Its beat is refused, everything else is answered.
    server.ask(&["ACL", "SETUSER", "default", "-hincrby", "-evalsha", "+evalsha", "-hexists"]);
    eventually("it is silent", async || node.silence() > LEASE).await;
    let sent = node.append(&entered.life, vec![draft("ada", "x")], soon()).await.remove(0);
    assert!(matches!(sent, Err(StoreError::Unavailable { .. })), "{sent:?}");
    let refused = try_enter(&node, "bob").await;
    assert!(matches!(refused, Err(ClusterError::Unavailable { .. })), "{refused:?}");
    assert!(node.read_before(&entered.life, None, ALL).await.is_ok(), "reading harms nobody");
    server.ask(&["ACL", "SETUSER", "default", "+@all"]);
    eventually("it writes again", async || {
        node.append(&entered.life, vec![draft("ada", "x")], soon()).await.remove(0).is_ok()
    })
    .await;
}

#[tokio::test]
async fn redis_forgetting_its_scripts_harms_nothing() {
    let server = Server::start().await;
    let node = server.mortal().await;
    let (entered, _) = enter(&node, "ada").await;
    server.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(say(&node, &entered.life, draft("ada", "x")).await, 1);
}

#[tokio::test]
async fn a_full_redis_refuses_what_is_said_and_keeps_no_half_of_it() {
    let server = Server::start().await;
    let node = server.mortal().await;
    let (entered, _) = enter(&node, "ada").await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let sent = node.append(&entered.life, vec![draft("ada", "x")], soon()).await.remove(0);
    assert!(matches!(sent, Err(StoreError::Unavailable { .. })), "{sent:?}");
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(say(&node, &entered.life, draft("ada", "x")).await, 1);
}
