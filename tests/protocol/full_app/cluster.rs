//! Nodes of one cluster: what one of them knows all know, and what becomes of people when one of them dies, or Redis does.

use serde_json::json;

use crate::kit::{
    Client, Cluster, FullApp, User, eventually, unique, with_cluster, with_cluster_that_keeps,
};

/// Nobody waits for the dead for long.
const MORTAL: [&str; 2] = ["--lease", "1"];

/// The same visitor at another node.
fn at<'n>(node: &'n FullApp, user: &User<'_>) -> User<'n> {
    User { server: node, name: user.name.clone(), credential: user.credential.clone() }
}

async fn enters(node: &FullApp, name: &str) -> u16 {
    let form = [("username", name), ("room", "lobby")];
    node.request_outside("POST", "/rooms").form(&form).send().await.status
}

#[test]
fn a_cookie_is_good_on_every_node_and_a_name_is_taken_on_all() {
    with_cluster(&[], async |Cluster { nodes, .. }| {
        let ada = nodes[0].user("ada").await;
        let _socket = at(&nodes[1], &ada).connect().await;
        for node in &nodes {
            assert_eq!(enters(node, &ada.name).await, 409);
        }
        let lookalike = nodes[0].user(&unique("0scar ")).await;
        let looks_like_it = lookalike.name.replacen('0', "O", 1);
        assert_eq!(enters(&nodes[2], &looks_like_it).await, 409);
    });
}

#[test]
fn a_logout_on_one_node_ends_the_sockets_on_all_and_voids_the_cookie_on_all() {
    with_cluster(&[], async |Cluster { nodes, .. }| {
        let (ada, room) = (nodes[0].user("ada").await, unique("hall"));
        let mut there = at(&nodes[1], &ada).connect_to(&[&room]).await;
        at(&nodes[2], &ada).log_out().await;
        assert_eq!(there.expect("bye").await["code"], "logged_out");
        for node in &nodes {
            let refused = at(node, &ada).try_connect("").await.err().expect("the cookie is void");
            assert_eq!(refused.status, 401);
        }
        assert_eq!(enters(&nodes[0], &ada.name).await, 303, "the name is free");
    });
}

#[test]
fn two_talk_on_while_a_third_node_dies_and_redis_is_started_anew() {
    with_cluster_that_keeps(&MORTAL, async |mut cluster| {
        let room = unique("hall");
        let [ada, bob, eve] = ["ada", "bob", "eve"];
        let mut ada = cluster.nodes[0].user(ada).await.connect_to(&[&room]).await;
        let mut bob = cluster.nodes[1].user(bob).await.connect_to(&[&room]).await;
        let eve = cluster.nodes[2].user(eve).await.connect_to(&[&room]).await;
        assert_eq!(ada.say(&room, "who is here?").await, 1);
        assert_eq!(bob.expect_in("message", &room).await["body"], "who is here?");

        cluster.nodes[2].kill().await;
        for there in [&mut ada, &mut bob] {
            let left = |frame: &serde_json::Value| {
                frame["type"] == "presence" && frame["left"] == json!([eve.user])
            };
            there.expect_where("that eve has left", left).await;
        }
        assert_eq!(bob.say(&room, "eve is gone").await, 2);

        cluster.redis.kill();
        let send = json!({"type": "send", "room": room, "body": "anybody?"});
        eventually("a send is refused", async || {
            let answer = ada.request(send.clone()).await;
            answer["code"] == "store_unavailable" && answer["retry_after_ms"].is_u64()
        })
        .await;
        cluster.redis.restart().await;
        assert!(talks_again(&mut ada, &room).await > 2);
        let next = bob.say(&room, "there we are").await;
        let own = |frame: &serde_json::Value| frame["type"] == "message" && frame["seq"] == next;
        ada.expect_where("what bob says", own).await;
    });
}

async fn talks_again(client: &mut Client, room: &str) -> u64 {
    let mut seq = None;
    eventually("what is said is kept again", async || {
        let send = json!({"type": "send", "room": room, "body": "again", "nonce": "again"});
        seq = client.request(send).await["seq"].as_u64();
        seq.is_some()
    })
    .await;
    seq.unwrap_or(0)
}

#[test]
fn when_redis_has_lost_its_data_rooms_end_and_begin_anew() {
    with_cluster(&MORTAL, async |mut cluster| {
        let room = unique("hall");
        let mut ada = cluster.nodes[0].user("ada").await.connect().await;
        let epoch = ada.join(&room).await["epoch"].clone();
        ada.say(&room, "of the first life").await;
        cluster.redis.kill();
        cluster.redis.restart().await;
        assert_eq!(ada.expect_in("removed", &room).await["code"], "room_closed");
        let mut joined = json!({});
        eventually("she is let in again", async || {
            joined = ada.request(json!({"type": "join", "room": room})).await;
            joined["type"] == "joined"
        })
        .await;
        assert_ne!(joined["epoch"], epoch);
        assert_eq!(joined["messages"], json!([]));
    });
}

#[test]
fn of_all_that_nodes_have_written_nothing_is_left_when_everybody_has_gone() {
    with_cluster(&[], async |cluster| {
        let room = unique("hall");
        for node in &cluster.nodes {
            let mut guest = node.user("guest").await.connect_to(&[&room]).await;
            guest.say(&room, "hello").await;
        }
        eventually("nothing of the room is left", async || {
            let keys = cluster.redis.keys();
            !keys.iter().any(|key| key.contains(&room) || key.contains(":claim:opened:"))
        })
        .await;
    });
}
