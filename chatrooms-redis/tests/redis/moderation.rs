//! What is imposed on people, and who is made to go.

use chatrooms_core::{Cluster, ClusterError, Exited, Note, Removal, Timestamp, UserName};

use crate::support::{
    ALL, Server, edges, enter, entry, eventually, known, people, room, rules, try_enter, user,
};

fn note(revision: u64, text: &str, banned: Vec<(UserName, Option<Timestamp>)>) -> Note {
    Note { revision, text: text.into(), banned }
}

#[tokio::test]
async fn who_is_banned_enters_by_no_node_until_that_is_over() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let life = enter(&a, "ada").await.0.life;
    let soon = Timestamp(Timestamp::now().0 + 500);
    let banned = vec![(user("bob"), Some(soon)), (user("eve"), None)];
    a.impose(&life, &note(0, "x", banned)).await.unwrap();
    for name in ["bob", "eve"] {
        let refused = try_enter(&b, name).await;
        assert!(matches!(refused, Err(ClusterError::Banned)), "{refused:?}");
    }
    eventually("bob may come", async || try_enter(&b, "bob").await.is_ok()).await;
    assert!(try_enter(&b, "eve").await.is_err());
    b.impose(&life, &note(1, "", vec![])).await.unwrap();
    assert!(try_enter(&a, "eve").await.is_ok());
}

#[tokio::test]
async fn whoever_imposes_something_last_knows_what_was_imposed_before() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let life = enter(&a, "ada").await.0.life;
    let bans = vec![(user("bob"), None), (user("eve"), Some(Timestamp(7)))];
    let first = a.impose(&life, &note(0, "one", bans.clone())).await.unwrap();
    assert_eq!(first, note(1, "one", bans.clone()));
    let refused = b.impose(&life, &note(0, "other", vec![])).await.unwrap();
    assert_eq!(refused, note(1, "one", bans), "what the faster one has imposed");
    let second = b.impose(&life, &note(1, "both", vec![])).await.unwrap();
    assert_eq!(second, note(2, "both", vec![]));
}

#[tokio::test]
async fn what_is_imposed_is_news_for_those_who_do_not_know_it() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (entered, _) = enter(&a, "ada").await;
    assert_eq!(entered.news.note, None);
    let imposed = a.impose(&entered.life, &note(0, "slow", vec![])).await.unwrap();
    let seen = known(&entered.life, &entered.news, None);
    let news = b.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(news.note.as_ref(), Some(&imposed));
    let seen = known(&entered.life, &news, Some(seen));
    assert_eq!(b.news(&room("tea"), &seen, ALL).await.unwrap().note, None);
    assert_eq!(enter(&b, "bob").await.0.news.note, Some(imposed));
}

#[tokio::test]
async fn who_is_made_to_go_is_gone_for_all_and_told_why_by_their_node() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (entered, _) = enter(&a, "ada").await;
    let (_, tab) = enter(&a, "eve").await;
    let (last, other_tab) = enter(&b, "eve").await;
    let life = &entered.life;
    let removed = b.remove(life, &user("eve"), Removal::Kicked, Some("too loud")).await.unwrap();
    assert_eq!(removed, 2);
    assert_eq!(b.remove(life, &user("eve"), Removal::Kicked, None).await.unwrap(), 0);
    let seen = known(life, &last.news, None);
    let news = a.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(edges(&news), "4!kicked:too loud 5!kicked:too loud");
    assert_eq!(people(&enter(&b, "bob").await.0.news), "ada bob");
    for connection in [tab, other_tab] {
        assert_eq!(a.exit(&room("tea"), connection, false).await.unwrap(), Exited::Gone);
    }
    let seen = known(life, &news, Some(seen));
    let news = a.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(edges(&news), "6+bob", "they went once");
    assert_eq!(a.room(&room("tea")).await.unwrap().unwrap().connections, 2);
}

/// Whoever was alone is told why, too, before the life is gone.
#[tokio::test]
async fn a_life_whose_last_one_was_made_to_go_ends_when_they_were_taken_out() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (entered, eve) = enter(&a, "eve").await;
    b.remove(&entered.life, &user("eve"), Removal::Banned, None).await.unwrap();
    let news = a.news(&room("tea"), &known(&entered.life, &entered.news, None), ALL).await.unwrap();
    assert_eq!(edges(&news), "2!banned:");
    assert!(b.room(&room("tea")).await.unwrap().is_none());
    assert_eq!(a.exit(&room("tea"), eve, true).await.unwrap(), Exited::Ended);
    assert_eq!(server.keys_of_rooms(), [""; 0]);
}

#[tokio::test]
async fn a_room_that_is_closed_is_over_for_all_and_the_next_life_begins_at_once() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let bell = a.listen(&room("tea")).await.unwrap();
    let (entered, ada) = enter(&a, "ada").await;
    enter(&b, "bob").await;
    assert_eq!(b.close(&entered.life, Some("cleaning")).await.unwrap(), 2);
    let seen = known(&entered.life, &entered.news, None);
    let over = a.news(&room("tea"), &seen, ALL).await;
    assert!(matches!(over, Err(ClusterError::Over)), "{over:?}");
    eventually("it is said why", async || {
        bell.farewell(entered.life.epoch).as_deref() == Some("cleaning")
    })
    .await;
    assert_eq!(server.keys_of_rooms(), [""; 0]);
    let (next, _) = enter(&b, "bob").await;
    assert!(next.opened);
    assert_eq!(a.exit(&room("tea"), ada, false).await.unwrap(), Exited::Gone);
    assert_eq!(people(&enter(&a, "ada").await.0.news), "bob ada");
}

#[tokio::test]
async fn who_is_banned_for_a_time_is_judged_by_the_clock_of_redis() {
    let server = Server::start().await;
    let node = server.node().await;
    let life = enter(&node, "ada").await.0.life;
    let past = Timestamp(Timestamp::now().0.saturating_sub(1000));
    node.impose(&life, &note(0, "", vec![(user("bob"), Some(past))])).await.unwrap();
    let bob = node.enter(&room("tea"), &entry("bob"), &rules(), None, ALL).await;
    assert!(bob.is_ok(), "{bob:?}");
}
