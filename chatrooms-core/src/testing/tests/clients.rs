//! Clients without a socket.

use super::*;
use crate::{CloseReason, Error, EventKind, Identity, Join, Removal};

async fn three_in_the_lobby() -> (RoomRegistry, [TestClient; 3]) {
    let rooms = registry(|builder| builder).await;
    let join = async |name| TestClient::joined(&rooms, name, "lobby").await;
    let clients = [join("ada").await, join("bob").await, join("eve").await];
    for client in &clients {
        client.told();
    }
    (rooms, clients)
}

#[tokio::test(start_paused = true)]
async fn a_wait_takes_what_it_waits_for_and_leaves_the_rest_in_its_order() {
    let (rooms, [mut ada, bob, eve]) = three_in_the_lobby().await;
    drop(eve);
    bob.say("lobby", "one").await.unwrap();
    bob.signal("lobby", "typing", None).unwrap();
    bob.say("lobby", "two").await.unwrap();
    rooms.moderation(&room("lobby")).kick(&user("ada"), Some("be nice")).await.unwrap();

    assert_eq!(&*ada.next_message("lobby").await.draft.body, "one");
    let removed = ada.next_removal("lobby").await;
    assert_eq!((removed.code, removed.reason.as_deref()), (Removal::Kicked, Some("be nice")));
    let presence = ada.next_presence("lobby").await;
    assert_eq!((presence.joined, presence.left), (vec![], vec![user("eve")]));
    assert_eq!(ada.told(), ["lobby: bob typing", "lobby: 2 bob: two"]);
    assert_eq!(ada.told(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_woken_by_what_comes_later() {
    let (_rooms, [mut ada, bob, _eve]) = three_in_the_lobby().await;
    let (message, ()) = tokio::join!(ada.next_message("lobby"), async {
        tokio::time::sleep(SECOND).await;
        bob.leave("lobby").unwrap();
        bob.join("lobby").await.unwrap();
        tokio::time::sleep(SECOND).await;
        bob.say("lobby", "hello").await.unwrap();
    });
    assert_eq!(message.seq, 1);
    assert_eq!(ada.told(), ["lobby: -bob", "lobby: +bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_for_one_room() {
    let (_rooms, [mut ada, bob, _eve]) = three_in_the_lobby().await;
    for client in [&ada, &bob] {
        client.join("garden").await.unwrap();
    }
    bob.say("garden", "here").await.unwrap();
    bob.say("lobby", "there").await.unwrap();
    assert_eq!(&*ada.next_message("lobby").await.draft.body, "there");
    assert_eq!(&*ada.next_message("garden").await.draft.body, "here");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_loses_nothing() {
    let (_rooms, [mut ada, bob, _eve]) = three_in_the_lobby().await;
    bob.signal("lobby", "typing", None).unwrap();
    assert!(tokio::time::timeout(SECOND, ada.next_message("lobby")).await.is_err());
    bob.say("lobby", "hello").await.unwrap();
    assert_eq!(ada.told(), ["lobby: bob typing", "lobby: 1 bob: hello"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_hangs_says_for_what_and_what_came_instead() {
    let (_rooms, [mut ada, bob, _eve]) = three_in_the_lobby().await;
    let began = Instant::now();
    assert_eq!(
        panic_of(ada.next_message("lobby")).await,
        "ada was waiting for a message in lobby for 30s and was told nothing"
    );
    assert_eq!(began.elapsed(), HANG_LIMIT);

    bob.signal("lobby", "typing", Some("1")).unwrap();
    bob.leave("lobby").unwrap();
    let mut ada = ada.hang_limit(SECOND);
    assert_eq!(
        panic_of(ada.next_removal("lobby")).await,
        r#"ada was waiting for a removal in lobby for 1s and was told ["lobby: bob typing 1", "lobby: -bob"]"#
    );
    assert_eq!(panic_of(ada.ended()).await, "ada was waiting for the end of the session for 1s");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_session() {
    let (rooms, [mut ada, bob, _eve]) = three_in_the_lobby().await;
    bob.say("lobby", "bye").await.unwrap();
    rooms.end_sessions(&user("ada"), &CloseReason::LoggedOut);
    assert_eq!(ada.ended().await, CloseReason::LoggedOut);
    assert_eq!(
        panic_of(ada.next_presence("lobby")).await,
        "ada was waiting for an arrival or a departure in lobby when the session ended (LoggedOut) \
         and was told [\"lobby: 1 bob: bye\"]"
    );
}

#[tokio::test(start_paused = true)]
async fn events_are_what_told_tells() {
    let (_rooms, [ada, bob, _eve]) = three_in_the_lobby().await;
    bob.say("lobby", "hello").await.unwrap();
    let events = ada.events();
    assert!(matches!(events[0].kind(), EventKind::Message(message) if message.seq == 1));
    assert_eq!((events.len(), ada.told().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_can_be_looked_at() {
    let (rooms, [ada, _bob, _eve]) = three_in_the_lobby().await;
    assert_eq!(ada.join("lobby").await.unwrap_err(), Error::AlreadyInRoom);
    assert_eq!(ada.leave("garden"), Err(Error::NotInRoom));
    assert_eq!(ada.say("garden", "hello").await, Err(Error::NotInRoom));
    assert_eq!(ada.send("garden", "hello").await.unwrap_err(), Error::NotInRoom);
    assert_eq!(ada.redact("lobby", 1).await, Err(Error::NotFound));
    assert_eq!(ada.signal("garden", "typing", None), Err(Error::NotInRoom));

    let who = Identity::new(user("joe")).display_name("Joe B.");
    let joe = TestClient::with_identity(&rooms, who);
    let join = Join { tag: Some(7), ..Join::default() };
    assert_eq!(joe.join_with("lobby", join).await.unwrap().tag, Some(7));
    assert_eq!(joe.session.identity().name().map(AsRef::as_ref), Some("Joe B."));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_set_up_says_why() {
    let rooms = registry(|builder| builder).await;
    assert_eq!(
        panic_of(async { room("") }).await,
        format!("\"\" is no name for a room: {}", RoomName::new("").unwrap_err())
    );
    assert_eq!(
        panic_of(async { user("") }).await,
        format!("\"\" is no name for a user: {}", UserName::new("").unwrap_err())
    );
    rooms.shutdown(SECOND).await;
    assert_eq!(
        panic_of(TestClient::joined(&rooms, "ada", "lobby")).await,
        "ada is not let in: shutting down"
    );
    let store = FaultyStore::new();
    store.always(Call::Open, Fault::Fail);
    let rooms = registry(|builder| builder.store(store)).await;
    assert_eq!(
        panic_of(TestClient::joined(&rooms, "ada", "lobby")).await,
        "ada may not join lobby: messages cannot be kept right now: try again"
    );
    let store = FaultyStore::new();
    store.always(Call::Abandoned, Fault::Fail);
    let started = panic_of(registry(|builder| builder.store(store))).await;
    assert!(started.starts_with("the store says what was left behind"), "{started}");
}
