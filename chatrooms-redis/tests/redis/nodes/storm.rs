//! Everybody comes and goes as fast as they can, and the oracle judges what all were told.

use chatrooms_core::{
    oracle::{Fault, Recorder, Violation, check},
    testing::TestClient,
};

use super::kit::{node, nothing_is_left};
use crate::support::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_empties_again_and_again_keeps_all_that_is_promised() {
    let server = Server::start().await;
    let nodes = [node(&server).await, node(&server).await, node(&server).await];
    let run = Recorder::new();
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let (node, run) = (nodes[n % 3].clone(), run.clone());
            tokio::spawn(async move {
                let client = TestClient::new(&node, &format!("u{}", n % 5)).recorded(&run);
                for round in 0..25 {
                    client.join("tea").await.unwrap();
                    if (n + round) % 3 == 0 {
                        client.say("tea", &format!("{n}.{round}")).await.unwrap();
                    }
                    client.leave("tea").unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    nothing_is_left(&server, &[&nodes[0], &nodes[1], &nodes[2]]).await;
    judge(&run);
}

/// Whoever goes need not have been told what somebody else was answered on another node a moment before: there is a way between the two. All else holds.
fn judge(run: &Recorder) {
    let Err(found) = check(&run.trace()) else { return };
    let is_of_no_way = |one: &&Violation| !matches!(one.fault, Fault::Missed { .. });
    let rest: Vec<_> = found.iter().filter(is_of_no_way).collect();
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_on_all_nodes_is_told_the_same_in_the_same_order() {
    let server = Server::start().await;
    let nodes = [node(&server).await, node(&server).await, node(&server).await];
    let run = Recorder::new();
    // Somebody stays, so that it is one life.
    let stays = TestClient::new(&nodes[0], "stays").recorded(&run);
    stays.join("tea").await.unwrap();
    let tasks: Vec<_> = (0..9)
        .map(|n| {
            let (node, run) = (nodes[n % 3].clone(), run.clone());
            tokio::spawn(async move {
                let client = TestClient::new(&node, &format!("u{n}")).recorded(&run);
                client.join("tea").await.unwrap();
                for round in 0..30 {
                    client.say("tea", &format!("{n}.{round}")).await.unwrap();
                }
                client
            })
        })
        .collect();
    let mut clients = vec![stays];
    for task in tasks {
        clients.push(task.await.unwrap());
    }
    let last = clients[0].say("tea", "last").await.unwrap().seq;
    assert_eq!(last, 271);
    for client in &mut clients {
        loop {
            if client.next_message("tea").await.seq == last {
                break;
            }
        }
    }
    drop(clients);
    nothing_is_left(&server, &[&nodes[0], &nodes[1], &nodes[2]]).await;
    assert_eq!(check(&run.trace()).unwrap().messages, 271);
}
