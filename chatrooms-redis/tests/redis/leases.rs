//! Nodes that die, and nodes that only seem to.

use std::time::Duration;

use chatrooms_core::{Cluster, ClusterError, Exited, Life, StoreError};
use chatrooms_redis::RedisCluster;
use tokio::time::{Instant, timeout};

use crate::support::{
    ALL, LEASE, Server, draft, edges, enter, entry, eventually, known, lingering, options, people,
    room, rules, say, try_enter,
};

/// Has a node die without a word: what it was is dropped, nothing is said.
fn die(node: RedisCluster) {
    drop(node);
}

async fn bereaved(node: &RedisCluster) -> (Life, Exited) {
    timeout(Duration::from_secs(20), node.bereaved()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_people_of_a_dead_node_leave_once_within_two_leases() {
    let server = Server::start().await;
    let (a, b, c) = (server.mortal().await, server.mortal().await, server.mortal().await);
    let bell = a.listen(&room("tea")).await.unwrap();
    let (entered, _) = enter(&a, "ada").await;
    let _gone = b.listen(&room("tea")).await.unwrap();
    let (last, _) = enter(&b, "bob").await;
    enter(&a, "ada").await;
    let life = entered.life;
    let (b_name, died) = (b.node(), Instant::now());
    std::mem::forget(_gone);
    die(b);
    let seen = chatrooms_core::Known { edge: 3, ..known(&life, &last.news, None) };
    loop {
        let _ = timeout(LEASE / 4, bell.rung()).await;
        let news = a.news(&room("tea"), &seen, ALL).await.unwrap();
        if edges(&news) == "4-" {
            break;
        }
        assert_eq!(edges(&news), "");
        assert!(died.elapsed() < 2 * LEASE, "it takes too long");
    }
    assert_eq!(people(&enter(&c, "eve").await.0.news), "ada ada eve");
    eventually("all of it is seen to", async || {
        let keys = server.keys();
        !keys.iter().any(|key| key.contains("{nodes}:rooms") && key.contains(&b_name))
            && !keys.iter().any(|key| key.contains("{nodes}:dead"))
    })
    .await;
    let news = a.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(edges(&news), "4- 5+eve");
}

#[tokio::test]
async fn a_room_that_is_empty_by_a_death_ends_and_one_survivor_is_told() {
    let server = Server::start().await;
    let (a, b, c) = (server.mortal().await, server.mortal().await, server.mortal().await);
    let bell = b.listen(&room("tea")).await.unwrap();
    let (entered, _) = enter(&b, "bob").await;
    say(&b, &entered.life, draft("bob", "last words")).await;
    std::mem::forget(bell);
    die(b);
    let told = tokio::select! {
        told = bereaved(&a) => told,
        told = bereaved(&c) => told,
    };
    assert_eq!(told, (entered.life, Exited::Ended));
    assert_eq!(server.keys_of_rooms(), [""; 0]);
    eventually("all of it is seen to", async || {
        !server.keys().iter().any(|key| key.ends_with(":dead"))
    })
    .await;
    for survivor in [&a, &c] {
        let nothing = timeout(LEASE / 4, survivor.bereaved()).await;
        assert!(nothing.is_err(), "{nothing:?}");
    }
}

#[tokio::test]
async fn a_room_that_lingers_by_a_death_is_somebodys_to_end() {
    let server = Server::start().await;
    let (a, b) = (server.mortal().await, server.mortal().await);
    let bell = b.listen(&room("tea")).await.unwrap();
    let linger = lingering(Duration::from_secs(60));
    let entered = b.enter(&room("tea"), &entry("bob"), &linger, None, ALL).await.unwrap();
    std::mem::forget(bell);
    die(b);
    let (life, exited) = bereaved(&a).await;
    assert_eq!((life, exited), (entered.life.clone(), Exited::Lingers(Duration::from_secs(60))));
    let (back, _) = enter(&a, "bob").await;
    assert_eq!(back.life, entered.life);
}

#[tokio::test]
async fn who_leaves_in_an_orderly_way_is_not_waited_for() {
    let server = Server::start().await;
    // With a lease that no test would wait for.
    let long = || options().lease(Duration::from_secs(4));
    let (a, b) = (server.node_with(long()).await, server.node_with(long()).await);
    let bell = b.listen(&room("tea")).await.unwrap();
    let (entered, _) = enter(&b, "bob").await;
    b.leave().await;
    assert!(b.bereaved().await.is_none());
    assert_eq!(bereaved(&a).await, (entered.life.clone(), Exited::Ended));
    assert!(b.silence() < Duration::from_secs(4), "nobody has waited for the lease");
    let refused = try_enter(&b, "bob").await;
    assert!(matches!(refused, Err(ClusterError::Unavailable { .. })), "{refused:?}");
    drop(bell);
}

/// A node that does not run for longer than its lease, as one that was stopped or cut off, and then goes on.
#[tokio::test]
async fn who_was_declared_dead_writes_nothing_as_who_they_were() {
    let server = Server::start().await;
    let (a, b) = (server.mortal().await, server.mortal().await);
    let bell = b.listen(&room("tea")).await.unwrap();
    let (entered, bob) = enter(&b, "bob").await;
    enter(&a, "ada").await;
    let life = entered.life;
    let name = b.node();
    // What the others would do who have not heard of it for a lease.
    let alive = "chatrooms:{nodes}:alive";
    server.ask(&["HDEL", alive, &name]);
    server.ask(&["SADD", "chatrooms:{nodes}:dead", &name]);
    eventually("its people have gone", async || {
        a.room(&room("tea")).await.unwrap().unwrap().connections == 1
    })
    .await;
    eventually("it knows", async || b.node() != name).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    let written = b.append(&life, vec![draft("bob", "still here")], deadline).await.remove(0);
    assert!(matches!(written, Err(StoreError::Closed)), "{written:?}");
    assert!(matches!(b.redact(&life, 1, None, None).await, Err(StoreError::Closed)));
    let refused = try_enter(&b, "bob").await;
    assert!(matches!(refused, Err(ClusterError::Fenced)), "{refused:?}");
    assert_eq!(b.exit(&room("tea"), bob, true).await.unwrap(), Exited::Gone);
    // It comes back as somebody else.
    drop(bell);
    let _bell = b.listen(&room("tea")).await.unwrap();
    let (back, _) = enter(&b, "bob").await;
    assert_eq!((back.life.clone(), people(&back.news)), (life.clone(), "ada bob".into()));
    assert_eq!(say(&b, &life, draft("bob", "back")).await, 1);
}

#[tokio::test]
async fn a_redis_that_hangs_declares_nobody_dead() {
    let server = Server::start().await;
    let options = || options().timeout(Duration::from_millis(200));
    let (a, b) = (server.node_with(options()).await, server.node_with(options()).await);
    let (name, other) = (a.node(), b.node());
    let _bells = (a.listen(&room("tea")).await.unwrap(), b.listen(&room("tea")).await.unwrap());
    enter(&a, "ada").await;
    enter(&b, "bob").await;
    server.signal("-STOP");
    tokio::time::sleep(3 * LEASE).await;
    server.signal("-CONT");
    eventually("both are back", async || a.silence() < LEASE / 2 && b.silence() < LEASE / 2).await;
    tokio::time::sleep(2 * LEASE).await;
    assert_eq!((a.node(), b.node()), (name, other));
    assert_eq!(a.room(&room("tea")).await.unwrap().unwrap().connections, 2);
}

#[tokio::test]
async fn a_redis_that_comes_back_with_its_data_declares_nobody_dead() {
    let mut server = Server::that_keeps().await;
    let (a, b) = (server.mortal().await, server.mortal().await);
    let (name, other) = (a.node(), b.node());
    let (entered, _) = enter(&a, "ada").await;
    enter(&b, "bob").await;
    server.kill();
    tokio::time::sleep(2 * LEASE).await;
    server.restart().await;
    eventually("both are back", async || a.silence() < LEASE / 2 && b.silence() < LEASE / 2).await;
    tokio::time::sleep(2 * LEASE).await;
    assert_eq!((a.node(), b.node()), (name, other));
    let (eve, _) = enter(&b, "eve").await;
    assert_eq!((eve.life, people(&eve.news)), (entered.life, "ada bob eve".into()));
}

#[tokio::test]
async fn the_dead_of_a_cluster_that_died_as_a_whole_are_seen_to_by_the_next_one() {
    let server = Server::start().await;
    let old = server.mortal().await;
    std::mem::forget(old.listen(&room("tea")).await.unwrap());
    let linger = lingering(Duration::ZERO);
    let entered = old.enter(&room("tea"), &entry("ada"), &linger, None, ALL).await.unwrap();
    die(old);
    let new = server.mortal().await;
    assert_eq!(bereaved(&new).await, (entered.life, Exited::Ended));
    let next = new.enter(&room("tea"), &entry("ada"), &rules(), None, ALL).await.unwrap();
    assert!(next.opened);
}
