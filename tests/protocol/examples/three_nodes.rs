//! The example of many nodes: one room on three processes, one of which dies.

use tokio::net::TcpStream;

use crate::kit::{Example, eventually, signal, with_redis};

#[test]
fn a_room_is_one_on_three_nodes_and_outlives_one_of_them() {
    with_redis(async |redis| {
        let example = Example::start("three_nodes", &[("REDIS_URL", &redis.url())]);
        // Each on the next node.
        let mut first = example.guest("ada", "tea").await;
        let (mut bob, mut eve) =
            (example.guest("bob", "tea").await, example.guest("eve", "tea").await);
        assert_eq!(first.say("tea", "hello").await, 1);
        for there in [&mut bob, &mut eve] {
            assert_eq!(there.expect_in("message", "tea").await["body"], "hello");
        }
        let node = example.said("a node at ").expect("it names its nodes");
        let (addr, process) = node.split_once(": process ").expect("where it is, and what");
        signal(process.parse().expect("its number"), "KILL");
        assert_eq!(first.closed().await.code, None, "her node is the first");
        eventually("it listens no more", async || TcpStream::connect(addr).await.is_err()).await;
        let mut again = example.guest("ada", "tea").await;
        assert_eq!(again.say("tea", "here I am again").await, 2);
        for there in [&mut bob, &mut eve] {
            assert_eq!(there.expect_in("message", "tea").await["body"], "here I am again");
        }
    });
}
