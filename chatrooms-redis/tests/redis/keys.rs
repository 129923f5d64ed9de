//! What stands in Redis, and what does not any more.

use chatrooms_core::{Cluster, Draft, Exited, Nonce, Note, Removal};

use crate::support::{
    ALL, LEASE, Server, draft, enter, entry, eventually, options, room, rules, say, user,
};

#[tokio::test]
async fn nothing_of_a_life_remains_after_its_end() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let before = server.keys();
    let mut bells = Vec::new();
    for node in [&a, &b] {
        bells.push(node.listen(&room("tea")).await.unwrap());
    }
    let (entered, ada) = enter(&a, "ada").await;
    let life = &entered.life;
    let (_, bob) = enter(&b, "bob").await;
    let (_, eve) = enter(&b, "eve").await;
    say(&a, life, Draft { nonce: Nonce::new("n"), ..draft("ada", "hello") }).await;
    say(&a, life, draft("bob", "again")).await;
    a.redact(life, 2, None, None).await.unwrap();
    let banned = vec![(user("joe"), None)];
    a.impose(life, &Note { revision: 0, text: "x".into(), banned }).await.unwrap();
    a.remove(life, &user("eve"), Removal::Kicked, None).await.unwrap();
    assert_eq!(server.keys_of_rooms().len(), 8, "each kind of key is there");
    for connection in [ada, bob] {
        assert_eq!(a.exit(&room("tea"), connection, false).await.unwrap(), Exited::Gone);
    }
    assert_eq!(b.exit(&room("tea"), eve, false).await.unwrap(), Exited::Ended);
    assert_eq!(server.keys_of_rooms(), [""; 0]);
    drop(bells);
    eventually("both have let go", async || server.keys() == before).await;
}

#[tokio::test]
async fn clusters_with_prefixes_of_their_own_know_nothing_of_each_other() {
    let server = Server::start().await;
    let one = server.node_with(options().prefix("one")).await;
    let other = server.node_with(options().prefix("other")).await;
    let _bells =
        (one.listen(&room("tea")).await.unwrap(), other.listen(&room("tea")).await.unwrap());
    let (first, _) = enter(&one, "ada").await;
    let (second, _) = enter(&other, "ada").await;
    assert!(first.opened && second.opened);
    assert_eq!(one.rooms(None, 10).await.unwrap().0[0].connections, 1);
    assert_eq!(one.claim("ada", "x", LEASE).await.unwrap(), "x");
    assert_eq!(other.claim("ada", "y", LEASE).await.unwrap(), "y");
    assert!(server.keys().iter().all(|key| key.starts_with("one:") || key.starts_with("other:")));
}

#[tokio::test]
async fn rooms_with_any_name_have_keys_of_their_own() {
    let server = Server::start().await;
    let node = server.node().await;
    let names = ["{", "}", "{}", "{nodes}", "a:m", "a", "%7B", "käse \u{1F600}"];
    for (count, name) in (1..).zip(names) {
        let entered = node.enter(&room(name), &entry("ada"), &rules(), None, ALL).await.unwrap();
        assert!(entered.opened, "{name}");
        for _ in 0..count {
            say(&node, &entered.life, draft("ada", name)).await;
        }
    }
    for (count, name) in (1..).zip(names) {
        assert_eq!(node.room(&room(name)).await.unwrap().unwrap().seq, count, "{name}");
    }
}
