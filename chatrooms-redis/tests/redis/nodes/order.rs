//! What has been answered on one node is so on all of them, whichever is asked next.

use std::{pin::pin, time::Duration};

use chatrooms_core::testing::{TestClient, room};
use futures_util::FutureExt as _;

use super::kit::{hears, node, nothing_is_left};
use crate::support::Server;

/// As often as it takes to meet a node that has not heard of it yet.
const ROUNDS: usize = 50;

#[tokio::test]
async fn whoever_has_left_everywhere_is_gone_for_whoever_comes_next_on_another_node() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let (ada, bob) = (TestClient::new(&a, "ada"), TestClient::new(&b, "bob"));
    for _ in 0..ROUNDS {
        assert!(ada.join("tea").await.unwrap().first_in_room);
        ada.session.leave_everywhere(&room("tea")).await.unwrap();
        assert!(
            bob.join("tea").await.unwrap().first_in_room,
            "ada has gone, and her room with her"
        );
        bob.session.leave_everywhere(&room("tea")).await.unwrap();
    }
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn whoever_leaves_everywhere_has_been_told_all_that_was_accepted_before() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::new(&b, "bob");
    for round in 0..ROUNDS {
        bob.join("tea").await.unwrap();
        bob.told();
        let said = ada.say("tea", &format!("round {round}")).await.unwrap().seq;
        bob.session.leave_everywhere(&room("tea")).await.unwrap();
        assert_eq!(bob.told(), [format!("tea: {said} ada: round {round}")]);
    }
}

#[tokio::test]
async fn whoever_has_caught_up_sees_who_is_there() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::new(&b, "bob");
    for _ in 0..ROUNDS {
        for (members, change) in [(2, true), (1, false)] {
            if change {
                bob.join("tea").await.unwrap();
            } else {
                bob.session.leave_everywhere(&room("tea")).await.unwrap();
            }
            ada.session.catch_up(&room("tea")).await;
            assert_eq!(ada.session.members(&room("tea"), None).unwrap().members.len(), members);
        }
    }
}

#[tokio::test]
async fn what_is_passing_reaches_whoever_has_just_come_in_on_another_node() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    for _ in 0..ROUNDS {
        let bob = TestClient::joined(&b, "bob", "tea").await;
        bob.told();
        ada.session.signal(&room("tea"), "typing", None).unwrap();
        hears(&bob, &["tea: ada typing"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_passing_keeps_its_order() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    bob.told();
    let names: Vec<_> = (0..10).map(|number| format!("sign-{number}")).collect();
    let told: Vec<_> = names.iter().map(|name| format!("tea: ada {name}")).collect();
    for _ in 0..ROUNDS {
        for name in &names {
            ada.session.signal(&room("tea"), name, None).unwrap();
        }
        hears(&bob, &told.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn a_leave_that_is_given_up_after_any_poll_is_done_on_all_nodes_or_on_none() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let (ada, bob) = (TestClient::new(&a, "ada"), TestClient::joined(&b, "bob", "tea").await);
    for polls in 0.. {
        ada.join("tea").await.unwrap();
        let done = {
            let tea = room("tea");
            let mut leaving = pin!(ada.session.leave_everywhere(&tea));
            let mut done = None;
            for _ in 0..polls {
                done = leaving.as_mut().now_or_never();
                if done.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            done
        };
        // Asked behind all that is still to be done for her.
        let again = TestClient::joined(&a, "eve", "tea").await;
        let there = ada.session.rooms().len();
        bob.session.catch_up(&room("tea")).await;
        let seen = bob.session.members(&room("tea"), None).unwrap().members;
        assert_eq!(seen.iter().filter(|member| member.user.as_str() == "ada").count(), there);
        drop(again);
        if there == 1 {
            ada.session.leave_everywhere(&room("tea")).await.unwrap();
        }
        if done.is_some() {
            assert!(polls > 1, "there was something to be given up");
            return;
        }
    }
}
