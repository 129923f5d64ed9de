//! Who goes, and what becomes of a life.

use std::time::Duration;

use chatrooms_core::{Cluster, ClusterError, Exited};

use crate::support::{
    ALL, Server, bodies, draft, edges, enter, entry, eventually, known, lingering, people, room,
    rules, say,
};

#[tokio::test]
async fn the_last_exit_in_the_cluster_ends_the_life_and_no_other() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (first, ada) = enter(&a, "ada").await;
    let (second, bob) = enter(&b, "bob").await;
    let seen = known(&first.life, &second.news, None);
    assert_eq!(a.exit(&room("tea"), ada, false).await.unwrap(), Exited::Gone);
    let news = b.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(edges(&news), "3-");
    assert_eq!(b.exit(&room("tea"), bob, false).await.unwrap(), Exited::Ended);
    assert_eq!(b.exit(&room("tea"), bob, false).await.unwrap(), Exited::Gone, "it is over already");
    let over = b.news(&room("tea"), &seen, ALL).await;
    assert!(matches!(over, Err(ClusterError::Over)), "{over:?}");
}

#[tokio::test]
async fn going_twice_takes_nobody_elses_place() {
    let server = Server::start().await;
    let node = server.node().await;
    let (_, tab) = enter(&node, "ada").await;
    enter(&node, "ada").await;
    for _ in 0..2 {
        assert_eq!(node.exit(&room("tea"), tab, false).await.unwrap(), Exited::Gone);
    }
    let (bob, _) = enter(&node, "bob").await;
    assert_eq!(people(&bob.news), "ada bob");
    assert_eq!(node.room(&room("tea")).await.unwrap().unwrap().users, 2);
}

#[tokio::test]
async fn nothing_of_a_life_reaches_the_next_one() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (first, ada) = enter(&a, "ada").await;
    say(&a, &first.life, draft("ada", "old")).await;
    assert_eq!(a.exit(&room("tea"), ada, false).await.unwrap(), Exited::Ended);
    let (second, _) = enter(&b, "bob").await;
    assert_ne!(first.life.epoch, second.life.epoch);
    assert!(second.opened);
    assert_eq!((second.news.head, people(&second.news)), (0, "bob".into()));
    // All that comes late for the first one.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    let late = a.append(&first.life, vec![draft("ada", "late")], deadline).await.remove(0);
    assert!(matches!(late, Err(chatrooms_core::StoreError::Closed)), "{late:?}");
    assert_eq!(a.exit(&room("tea"), ada, false).await.unwrap(), Exited::Gone);
    let seen = known(&first.life, &first.news, None);
    let over = a.enter(&room("tea"), &entry("eve"), &rules(), Some(&seen), ALL).await;
    assert!(matches!(over, Err(ClusterError::Over)), "{over:?}");
    assert!(a.close(&first.life, None).await.is_err());
    assert!(a.trim(&first.life, 10).await.is_err());
    assert!(a.read_before(&first.life, None, ALL).await.is_err());
    assert!(!a.expire(&first.life).await.unwrap());
    let again = known(&second.life, &second.news, None);
    let news = b.news(&room("tea"), &again, ALL).await.unwrap();
    assert_eq!((edges(&news), bodies(&news.messages)), (String::new(), String::new()));
}

#[tokio::test]
async fn a_room_that_was_lost_waits_for_a_return_and_one_that_was_left_does_not() {
    let server = Server::start().await;
    let node = server.node().await;
    let linger = lingering(Duration::from_secs(60));
    let come = async || {
        let ada = entry("ada");
        let entered = node.enter(&room("tea"), &ada, &linger, None, ALL).await.unwrap();
        (entered, ada.connection)
    };
    let (first, ada) = come().await;
    say(&node, &first.life, draft("ada", "hello")).await;
    let lost = node.exit(&room("tea"), ada, true).await.unwrap();
    assert_eq!(lost, Exited::Lingers(Duration::from_secs(60)));
    assert!(node.room(&room("tea")).await.unwrap().is_none(), "nobody is there");
    let (back, ada) = come().await;
    assert_eq!((back.life.clone(), back.opened, back.first_in_room), (first.life, false, true));
    assert_eq!(bodies(&back.news.messages), "1hello");
    assert_eq!(node.exit(&room("tea"), ada, false).await.unwrap(), Exited::Ended);
    assert!(come().await.0.opened);
}

#[tokio::test]
async fn a_life_that_lingers_is_ended_once_and_not_before_its_time() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let short = lingering(Duration::from_millis(400));
    let ada = entry("ada");
    let first = a.enter(&room("tea"), &ada, &short, None, ALL).await.unwrap();
    a.exit(&room("tea"), ada.connection, true).await.unwrap();
    assert!(!a.expire(&first.life).await.unwrap(), "it is too early");
    let mut ended = 0;
    eventually("it ends", async || {
        let [one, other] = [a.expire(&first.life).await, b.expire(&first.life).await];
        ended += usize::from(one.unwrap()) + usize::from(other.unwrap());
        ended > 0
    })
    .await;
    assert_eq!(ended, 1);
    assert_eq!(server.keys_of_rooms(), [""; 0]);
}

#[tokio::test]
async fn who_has_come_back_and_gone_again_lingers_anew() {
    let server = Server::start().await;
    let node = server.node().await;
    let (short, long) = (lingering(Duration::from_millis(200)), lingering(Duration::from_secs(60)));
    let (ada, again) = (entry("ada"), entry("ada"));
    let first = node.enter(&room("tea"), &ada, &short, None, ALL).await.unwrap();
    node.exit(&room("tea"), ada.connection, true).await.unwrap();
    node.enter(&room("tea"), &again, &long, None, ALL).await.unwrap();
    node.exit(&room("tea"), again.connection, true).await.unwrap();
    // Long after the first linger: what Redis itself would remove then, and what it says.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!node.expire(&first.life).await.unwrap());
    assert_ne!(server.keys_of_rooms(), [""; 0]);
}

#[tokio::test]
async fn what_lingers_goes_even_if_nobody_is_left_to_end_it() {
    let server = Server::start().await;
    let node = server.node_with(crate::support::options().lease(Duration::from_millis(200))).await;
    let ada = entry("ada");
    let short = lingering(Duration::from_millis(50));
    let first = node.enter(&room("tea"), &ada, &short, None, ALL).await.unwrap();
    say(&node, &first.life, draft("ada", "hello")).await;
    node.exit(&room("tea"), ada.connection, true).await.unwrap();
    assert_ne!(server.keys_of_rooms(), [""; 0]);
    drop(node);
    eventually("all of it goes", async || server.keys_of_rooms().is_empty()).await;
}
