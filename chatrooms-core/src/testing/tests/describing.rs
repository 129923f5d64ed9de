//! The lines that a client's test compares.

use super::*;
use crate::{Data, Join, Post};

#[tokio::test(start_paused = true)]
async fn each_thing_has_its_line() {
    let rooms = registry(|builder| builder).await;
    let lobby = room("lobby");
    let ada = TestClient::new(&rooms, "ada");
    ada.join("lobby").await.unwrap();
    let bobs = [
        TestClient::joined(&rooms, "bob", "lobby").await,
        TestClient::joined(&rooms, "bob", "lobby").await,
    ];
    bobs[0].say("lobby", "hello").await.unwrap();
    let data = Post::new("look").data(Some(Data::new("[1]")));
    bobs[0].session.publish(&lobby, data).await.unwrap();
    rooms.announce(&lobby, Post::new("welcome")).await.unwrap();
    bobs[1].redact("lobby", 1).await.unwrap();
    rooms.redact(&lobby, 2).await.unwrap();
    bobs[0].signal("lobby", "typing", None).unwrap();
    bobs[0].signal("lobby", "drawing", Some("[2]")).unwrap();
    ada.session.ask_members(&lobby, None, None).unwrap();
    drop(bobs);
    ada.session.outbox().answer("pong".into());
    rooms.notify(&user("ada"), "update", Some(Data::new("[3]"))).unwrap();
    rooms.moderation(&lobby).kick(&user("ada"), None).await.unwrap();
    assert_eq!(
        ada.told(),
        [
            "lobby: joined at 0 [ada]",
            "lobby: +bob",
            "lobby: 1 bob: hello",
            "lobby: 2 bob: look [1]",
            "lobby: 3 host: welcome",
            "lobby: 1 taken back by bob",
            "lobby: 2 taken back by host",
            "lobby: bob typing",
            "lobby: bob drawing [2]",
            "lobby: members [ada bobx2]",
            "lobby: -bob",
            "answer pong",
            "notice update [3]",
            "lobby: removed kicked",
        ]
    );
    assert_eq!(ada.events().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_join_shows_where_the_room_stands() {
    let rooms = registry(|builder| builder).await;
    let ada = TestClient::joined(&rooms, "ada", "lobby").await;
    for body in ["one", "two", "three"] {
        ada.say("lobby", body).await.unwrap();
    }
    ada.redact("lobby", 2).await.unwrap();
    let bob = TestClient::new(&rooms, "bob");
    let two = Join { history: Some(2), ..Join::default() };
    let joined = bob.join_with("lobby", two).await.unwrap();
    assert_eq!(describe_joined(&joined), "joined at 3 [ada bob] (2! 3) more");
    bob.leave("lobby").unwrap();
    ada.redact("lobby", 1).await.unwrap();
    let resume = Join { resume: Some((joined.epoch, 3)), ..Join::default() };
    let joined = bob.join_with("lobby", resume).await.unwrap();
    assert_eq!(describe_joined(&joined), "resumed at 3 [ada bob] more taken back [1, 2]");
}
