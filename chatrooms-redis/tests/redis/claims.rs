//! Names that somebody takes.

use std::time::Duration;

use chatrooms_core::Cluster;

use crate::support::{Server, eventually};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_name_is_its_holders_on_all_nodes_until_it_is_given_back() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    assert_eq!(a.claim("ada", "browser 1", LONG).await.unwrap(), "browser 1");
    assert_eq!(b.claim("ada", "browser 2", LONG).await.unwrap(), "browser 1");
    assert_eq!(b.claim("ada", "browser 1", LONG).await.unwrap(), "browser 1");
    assert_eq!(b.holder("ada").await.unwrap().as_deref(), Some("browser 1"));
    assert!(!b.release("ada", "browser 2").await.unwrap());
    assert!(b.release("ada", "browser 1").await.unwrap());
    assert_eq!(b.holder("ada").await.unwrap(), None, "asking claims nothing");
    assert_eq!(a.claim("ada", "browser 2", LONG).await.unwrap(), "browser 2");
}

#[tokio::test]
async fn a_name_that_nobody_keeps_is_free_after_its_time() {
    let server = Server::start().await;
    let node = server.node().await;
    node.claim("ada", "1", Duration::from_millis(200)).await.unwrap();
    // Kept for longer, and for shorter than it was.
    node.claim("bob", "1", Duration::from_millis(1)).await.unwrap();
    node.claim("bob", "1", LONG).await.unwrap();
    eventually("ada is free", async || {
        node.claim("ada", "2", Duration::from_millis(200)).await.unwrap() == "2"
    })
    .await;
    assert_eq!(node.claim("bob", "2", LONG).await.unwrap(), "1");
}
