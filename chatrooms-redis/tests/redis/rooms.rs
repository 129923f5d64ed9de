//! The list of rooms, and the bells.

use chatrooms_core::{Cluster, RoomName};
use chatrooms_redis::RedisCluster;

use crate::support::{ALL, Server, draft, enter, entry, eventually, room, rules, say};

async fn come(node: &RedisCluster, name: &RoomName) -> chatrooms_core::Life {
    node.enter(name, &entry("ada"), &rules(), None, ALL).await.unwrap().life
}

fn short(rooms: &[chatrooms_core::RoomSummary]) -> String {
    let short = rooms.iter().map(|one| format!("{}:{}/{}", one.room, one.users, one.connections));
    short.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_list_has_the_rooms_of_all_nodes_by_name() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let mut bells = Vec::new();
    for (node, names) in [(&a, ["b", "d", "e"]), (&b, ["a", "c", "d"])] {
        for name in names {
            bells.push(node.listen(&room(name)).await.unwrap());
            come(node, &room(name)).await;
        }
    }
    // Somebody listens, but nobody is there.
    bells.push(a.listen(&room("aa")).await.unwrap());
    let (all, more) = a.rooms(None, 100).await.unwrap();
    assert_eq!((short(&all), more), ("a:1/1 b:1/1 c:1/1 d:1/2 e:1/1".into(), false));
    let (page, more) = b.rooms(None, 2).await.unwrap();
    assert_eq!((short(&page), more), ("a:1/1 b:1/1".into(), true));
    let (page, more) = b.rooms(Some(&room("b")), 3).await.unwrap();
    assert_eq!((short(&page), more), ("c:1/1 d:1/2 e:1/1".into(), false));
    assert_eq!(a.rooms(Some(&room("e")), 3).await.unwrap(), (vec![], false));
    assert_eq!(a.rooms(None, 0).await.unwrap(), (vec![], true));
}

#[tokio::test]
async fn a_bell_rings_for_what_happens_in_its_room_alone() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let tea = a.listen(&room("tea")).await.unwrap();
    let other = a.listen(&room("other")).await.unwrap();
    let (entered, _) = enter(&b, "ada").await;
    tea.rung().await;
    say(&b, &entered.life, draft("ada", "hello")).await;
    tea.rung().await;
    eventually("it is heard how far the room is", async || {
        let heard = tea.heard().unwrap();
        (heard.epoch, heard.seq, heard.edge, heard.note) == (entered.life.epoch, 1, 1, 0)
    })
    .await;
    // What comes for the other room comes after that: nothing has rung for it before.
    let silent = tokio::time::timeout(std::time::Duration::from_millis(100), other.rung()).await;
    assert!(silent.is_err());
    come(&b, &room("other")).await;
    other.rung().await;
}

#[tokio::test]
async fn all_bells_of_a_room_ring_and_one_that_is_dropped_takes_none_along() {
    let server = Server::start().await;
    let node = server.node().await;
    let one = node.listen(&room("tea")).await.unwrap();
    let other = node.listen(&room("tea")).await.unwrap();
    enter(&node, "ada").await;
    tokio::join!(one.rung(), other.rung());
    drop(one);
    for _ in 0..20 {
        enter(&node, "ada").await;
        other.rung().await;
    }
}

#[tokio::test]
async fn a_node_hears_of_the_rooms_that_it_takes_part_in_alone() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let tea = a.listen(&room("tea")).await.unwrap();
    let _other = b.listen(&room("other")).await.unwrap();
    assert_eq!(server.channels(), ["chatrooms:{other}", "chatrooms:{tea}"]);
    assert_eq!(server.ask(&["PUBSUB", "NUMSUB", "chatrooms:{tea}"]), "chatrooms:{tea}\n1");
    drop(tea);
    eventually("it hears nothing more", async || server.channels() == ["chatrooms:{other}"]).await;
}

/// However fast somebody lets go and listens again, in the end they hear, and are known to take part.
#[tokio::test]
async fn listening_and_letting_go_in_turn_ends_as_it_should() {
    let server = Server::start().await;
    let node = server.node().await;
    let hosted = format!("chatrooms:{{nodes}}:rooms:{}", node.node());
    let mut bell = node.listen(&room("tea")).await.unwrap();
    for _ in 0..200 {
        drop(bell);
        bell = node.listen(&room("tea")).await.unwrap();
    }
    enter(&node, "ada").await;
    bell.rung().await;
    assert_eq!(server.ask(&["ZRANGE", &hosted, "0", "-1"]), "tea");
    drop(bell);
    eventually("it is let go", async || server.ask(&["EXISTS", &hosted]) == "0").await;
}

#[tokio::test]
async fn a_look_that_nobody_waits_for_lets_go_of_the_room() {
    let server = Server::start().await;
    let node = server.node().await;
    let tea = room("tea");
    for _ in 0..50 {
        let listening = node.listen(&tea);
        let _ = tokio::time::timeout(std::time::Duration::from_micros(100), listening).await;
    }
    eventually("nothing is left", async || {
        server.channels().is_empty() && server.keys().len() == 1
    })
    .await;
}
