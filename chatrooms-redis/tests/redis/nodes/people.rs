//! Who comes, goes and says something, on whichever node.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms_core::{
    Config, Epoch, Error, Identity, Join, Nonce, Post, RegistryBuilder, RoomEnd, RoomEvent,
    RoomName, RoomPolicy, async_trait,
    testing::{TestClient, describe_joined, room},
};
use futures_util::FutureExt as _;

use super::kit::{hears, node, node_with, nothing_is_left};
use crate::support::{Server, eventually};

#[tokio::test]
async fn people_on_two_nodes_are_in_one_room() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let (ada, bob) = (TestClient::new(&a, "ada"), TestClient::new(&b, "bob"));
    let first = ada.join("tea").await.unwrap();
    assert!(first.first_in_room && first.first_connection_of_user);
    assert_eq!(ada.say("tea", "hello").await.unwrap().seq, 1);
    let second = bob.join("tea").await.unwrap();
    assert!(!second.first_in_room && second.first_connection_of_user);
    assert_eq!(
        (second.epoch, describe_joined(&second)),
        (first.epoch, "joined at 1 [ada bob] (1)".into())
    );
    assert_eq!(bob.say("tea", "hi").await.unwrap().seq, 2);
    assert_eq!(ada.say("tea", "how are you").await.unwrap().seq, 3);
    hears(
        &ada,
        &[
            "tea: joined at 0 [ada]",
            "tea: 1 ada: hello",
            "tea: +bob",
            "tea: 2 bob: hi",
            "tea: 3 ada: how are you",
        ],
    )
    .await;
    hears(&bob, &["tea: joined at 1 [ada bob] (1)", "tea: 2 bob: hi", "tea: 3 ada: how are you"])
        .await;
    bob.leave("tea").unwrap();
    hears(&ada, &["tea: -bob"]).await;
    assert_eq!(bob.told(), [""; 0]);
    ada.leave("tea").unwrap();
    nothing_is_left(&server, &[&a, &b]).await;
}

/// Whoever watches is told of those who go, although the room waits for them, and of those who come back.
#[tokio::test]
async fn who_watches_a_room_that_waits_is_told_who_went() {
    let server = Server::start().await;
    let lingers = |builder: RegistryBuilder| {
        let mut config = Config::default();
        config.linger = Duration::from_secs(60);
        builder.config(config)
    };
    let node = node_with(&server, lingers).await;
    let mut watch = node.watch_all();
    let mut watched = Vec::new();
    for _ in 0..2 {
        drop(TestClient::joined(&node, "ada", "tea").await);
        eventually("the room waits", async || node.rooms(None, 9).await.unwrap().0.is_empty())
            .await;
        while let Some(Some(event)) = watch.next().now_or_never() {
            watched.push(match event {
                RoomEvent::RoomOpened { .. } => "opened".to_owned(),
                RoomEvent::UserJoined { member, .. } => format!("+{}", member.user),
                RoomEvent::UserLeft { user, .. } => format!("-{user}"),
                other => format!("{other:?}"),
            });
        }
    }
    assert_eq!(watched, ["opened", "+ada", "-ada", "+ada", "-ada"]);
}

#[tokio::test]
async fn a_user_with_tabs_on_two_nodes_comes_once_and_goes_once() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let (tab, other) = (TestClient::new(&a, "bob"), TestClient::new(&b, "bob"));
    assert!(tab.join("tea").await.unwrap().first_connection_of_user);
    let joined = other.join("tea").await.unwrap();
    assert!(!joined.first_connection_of_user);
    assert_eq!(describe_joined(&joined), "joined at 0 [ada bobx2]");
    drop(tab);
    // The node of the other tab knows that it is the only one now.
    eventually("one tab is left", async || {
        b.connections(&room("tea"), &chatrooms_core::testing::user("bob")).await == Ok(1)
    })
    .await;
    ada.say("tea", "one went").await.unwrap();
    drop(other);
    hears(&ada, &["tea: +bob", "tea: 1 ada: one went", "tea: -bob"]).await;
}

#[tokio::test]
async fn who_goes_and_comes_again_at_once_finds_what_their_going_has_left() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::new(&a, "ada");
    let mut epochs = Vec::new();
    for _ in 0..30 {
        let joined = ada.join("tea").await.unwrap();
        assert!(joined.first_in_room && joined.seq == 0);
        ada.say("tea", "old").await.unwrap();
        epochs.push(joined.epoch);
        ada.leave("tea").unwrap();
    }
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(epochs.len(), 30, "each was a life of its own");
    // Where somebody stays it is the same life.
    let bob = TestClient::joined(&b, "bob", "tea").await;
    for _ in 0..10 {
        assert!(!ada.join("tea").await.unwrap().first_in_room);
        ada.leave("tea").unwrap();
    }
    drop((ada, bob));
    nothing_is_left(&server, &[&a, &b]).await;
}

#[tokio::test]
async fn a_client_resumes_on_another_node() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::new(&a, "bob");
    let joined = bob.join("tea").await.unwrap();
    for body in ["one", "two"] {
        ada.say("tea", body).await.unwrap();
    }
    drop(bob);
    ada.say("tea", "three").await.unwrap();
    eventually("he has gone", async || a.room(&room("tea")).await.unwrap().users == 1).await;
    let bob = TestClient::new(&b, "bob");
    let resume = Join { resume: Some((joined.epoch, 1)), ..Join::default() };
    let resumed = bob.join_with("tea", resume).await.unwrap();
    assert_eq!(describe_joined(&resumed), "resumed at 3 [ada bob] (2 3) more");
}

#[tokio::test]
async fn what_is_taken_back_is_taken_back_everywhere_and_says_by_whom() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let (ada, bob) =
        (TestClient::joined(&a, "ada", "tea").await, TestClient::joined(&b, "bob", "tea").await);
    ada.say("tea", "oops").await.unwrap();
    ada.say("tea", "fine").await.unwrap();
    hears(&bob, &["tea: 1 ada: oops", "tea: 2 ada: fine"]).await;
    assert_eq!(bob.redact("tea", 1).await, Err(Error::Forbidden));
    ada.redact("tea", 1).await.unwrap();
    b.redact(&room("tea"), 2).await.unwrap();
    hears(&bob, &["tea: 1 taken back by ada", "tea: 2 taken back by host"]).await;
    hears(
        &ada,
        &[
            "tea: +bob",
            "tea: 1 ada: oops",
            "tea: 2 ada: fine",
            "tea: 1 taken back by ada",
            "tea: 2 taken back by host",
        ],
    )
    .await;
    let page = bob.history("tea", None, 10).await.unwrap();
    assert!(page.messages.iter().all(|message| message.redacted && message.draft.body.is_empty()));
}

#[tokio::test]
async fn a_message_that_is_sent_again_by_another_node_is_kept_once() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let (ada, tab) =
        (TestClient::joined(&a, "ada", "tea").await, TestClient::joined(&b, "ada", "tea").await);
    let post = || Post::new("once").nonce(Nonce::new("n"));
    let first = ada.publish("tea", post()).await.unwrap();
    let again = tab.publish("tea", post()).await.unwrap();
    assert_eq!((first.seq, first.duplicate, again.seq, again.duplicate), (1, false, 1, true));
    hears(&tab, &["tea: 1 ada: once"]).await;
}

#[tokio::test]
async fn what_is_passing_is_told_on_all_nodes_to_all_but_its_sender() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    let tab = TestClient::joined(&a, "bob", "tea").await;
    hears(&ada, &["tea: +bob"]).await;
    ada.signal("tea", "typing", Some("{\"a\":1}")).unwrap();
    for client in [&bob, &tab] {
        hears(client, &["tea: ada typing {\"a\":1}"]).await;
    }
    bob.signal("tea", "typing", None).unwrap();
    for client in [&ada, &tab] {
        hears(client, &["tea: bob typing"]).await;
    }
    assert_eq!((ada.told(), bob.told()), (vec![], vec![]));
    b.moderation(&room("tea")).mute(&chatrooms_core::testing::user("bob"), None).await.unwrap();
    assert_eq!(bob.signal("tea", "typing", None), Err(Error::Muted));
}

/// Writes down what the policies of all nodes are told.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl RoomPolicy for Told {
    async fn room_opened(&self, by: &Identity, room: &RoomName, _: Epoch) {
        self.0.lock().unwrap().push(format!("{room} opened by {}", by.user()));
    }

    async fn room_closed(&self, room: &RoomName, _: Epoch, reason: RoomEnd) {
        self.0.lock().unwrap().push(format!("{room} closed: {reason:?}"));
    }
}

#[tokio::test]
async fn the_policies_are_told_once_of_the_beginning_and_the_end() {
    let server = Server::start().await;
    let told = Told::default();
    let a = node_with(&server, |builder| builder.policy(told.clone())).await;
    let b = node_with(&server, |builder| builder.policy(told.clone())).await;
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    drop(ada);
    hears(&bob, &["tea: -ada"]).await;
    bob.leave("tea").unwrap();
    nothing_is_left(&server, &[&a, &b]).await;
    eventually("both are told", async || told.0.lock().unwrap().len() >= 2).await;
    assert_eq!(*told.0.lock().unwrap(), ["tea opened by ada", "tea closed: Left"]);
}

#[tokio::test]
async fn a_room_is_full_for_all_nodes_together() {
    let server = Server::start().await;
    let small = |builder: chatrooms_core::RegistryBuilder| {
        let mut config = chatrooms_core::Config::default();
        config.members_per_room = 2;
        builder.config(config)
    };
    let (a, b) = (node_with(&server, small).await, node_with(&server, small).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let _bob = TestClient::joined(&b, "bob", "tea").await;
    let eve = TestClient::new(&a, "eve");
    assert_eq!(eve.join("tea").await.unwrap_err(), Error::RoomFull);
    drop(ada);
    eventually("there is a place again", async || eve.join("tea").await.is_ok()).await;
}

#[tokio::test]
async fn a_room_in_which_nobody_of_a_node_is_left_is_none_of_its_own() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    drop(bob);
    eventually("it has let go", async || b.stats().rooms == 0).await;
    assert_eq!(server.ask(&["PUBSUB", "NUMSUB", "chatrooms:{tea}"]), "chatrooms:{tea}\n1");
    assert_eq!(ada.say("tea", "alone").await.unwrap().seq, 1);
    let back = TestClient::new(&b, "bob").join("tea").await.unwrap();
    assert_eq!(describe_joined(&back), "joined at 1 [ada bob] (1)");
}

#[tokio::test]
async fn a_shutdown_leaves_nobody_behind_and_says_so_to_the_others() {
    let server = Server::start().await;
    let (a, b) = (node(&server).await, node(&server).await);
    let ada = TestClient::joined(&a, "ada", "tea").await;
    let bob = TestClient::joined(&b, "bob", "tea").await;
    let stopping = tokio::spawn(async move { b.shutdown(std::time::Duration::from_secs(4)).await });
    drop(bob);
    let report = stopping.await.unwrap();
    assert_eq!(report.cut_off, 0);
    hears(&ada, &["tea: +bob", "tea: -bob"]).await;
    assert_eq!(server.ask(&["HLEN", "chatrooms:{nodes}:alive"]), "1");
}
