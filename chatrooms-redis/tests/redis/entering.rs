//! Who enters, and what they find.

use std::{sync::Arc, time::Duration};

use chatrooms_core::{Budget, Cluster, ClusterError, Data, Entry, Note, People, RoomRules};

use crate::support::{
    ALL, Server, bodies, draft, edges, enter, entry, known, lingering, people, room, rules, say,
    try_enter, user,
};

#[tokio::test]
async fn the_first_one_in_the_cluster_begins_the_life_and_knows_it() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (first, _) = enter(&a, "ada").await;
    let (second, _) = enter(&b, "bob").await;
    let (tab, _) = enter(&b, "ada").await;
    let firsts = [&first, &second, &tab]
        .map(|one| (one.opened, one.first_in_room, one.first_connection_of_user, one.since));
    assert_eq!(firsts, [(true, true, true, 1), (false, false, true, 2), (false, false, false, 3)]);
    assert_eq!(first.life, second.life);
    assert_eq!((people(&first.news), people(&tab.news)), ("ada".into(), "ada bob ada".into()));
}

#[tokio::test]
async fn what_somebody_says_about_themselves_is_the_same_everywhere() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let name: Arc<str> = "Ada L. {käse}".into();
    let ada =
        Entry { name: Some(name), meta: Some(Data::new("{\"a\":\"-3:\\n\"}")), ..entry("ada") };
    let entered = a.enter(&room("tea"), &ada, &rules(), None, ALL).await.unwrap();
    let (met, _) = enter(&b, "bob").await;
    let People::All { connected, edge: 2, .. } = &met.news.people else { panic!("{met:?}") };
    assert_eq!(*connected[0].entry, ada);
    let seen = known(&entered.life, &entered.news, None);
    let news = a.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(edges(&news), "2+bob");
}

#[tokio::test]
async fn an_entry_that_is_repeated_changes_nothing_and_is_answered_the_same() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let ada = entry("ada");
    let first = a.enter(&room("tea"), &ada, &rules(), None, ALL).await.unwrap();
    enter(&b, "bob").await;
    let again = a.enter(&room("tea"), &ada, &rules(), None, ALL).await.unwrap();
    assert!(again.opened && again.first_in_room && again.first_connection_of_user);
    assert_eq!((again.since, again.life), (first.since, first.life));
    assert_eq!(people(&again.news), "ada bob", "as of now, not of then");
    assert_eq!(a.room(&room("tea")).await.unwrap().unwrap().connections, 2);
}

#[tokio::test]
async fn who_knows_the_life_is_told_the_rest_of_it_and_no_more() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let (first, _) = enter(&a, "ada").await;
    say(&a, &first.life, draft("ada", "a")).await;
    let seen = known(&first.life, &first.news, None);
    enter(&b, "bob").await;
    say(&b, &first.life, draft("bob", "b")).await;
    let eve = a.enter(&room("tea"), &entry("eve"), &rules(), Some(&seen), ALL).await.unwrap();
    assert_eq!(
        (edges(&eve.news), bodies(&eve.news.messages)),
        ("2+bob 3+eve".into(), "1a 2b".into())
    );
    assert!(!eve.news.more);
}

#[tokio::test]
async fn who_knows_nothing_is_told_the_newest_messages() {
    let server = Server::start().await;
    let node = server.node().await;
    let (first, _) = enter(&node, "ada").await;
    for body in ["a", "b", "c", "d"] {
        say(&node, &first.life, draft("ada", body)).await;
    }
    let recent = Budget { messages: 2, bytes: usize::MAX };
    let bob = node.enter(&room("tea"), &entry("bob"), &rules(), None, recent).await.unwrap();
    assert_eq!((bodies(&bob.news.messages), bob.news.head), ("3c 4d".into(), 4));
    let recent = Budget { messages: 100, bytes: 1 };
    let eve = node.enter(&room("tea"), &entry("eve"), &rules(), None, recent).await.unwrap();
    assert_eq!(bodies(&eve.news.messages), "4d", "one fits always");
}

#[tokio::test]
async fn a_room_takes_no_more_than_its_rules_say_from_all_nodes_together() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    let two = rules_of_two();
    for node in [&a, &b] {
        node.enter(&room("tea"), &entry("ada"), &two, None, ALL).await.unwrap();
    }
    let full = a.enter(&room("tea"), &entry("bob"), &two, None, ALL).await;
    assert!(matches!(full, Err(ClusterError::Full)), "{full:?}");
    assert_eq!(people(&try_enter(&b, "eve").await.unwrap().news), "ada ada eve");
}

fn rules_of_two() -> RoomRules {
    let mut rules = rules();
    rules.members = 2;
    rules
}

#[tokio::test]
async fn who_has_missed_more_than_is_kept_is_told_who_is_there() {
    let server = Server::start().await;
    let node = server.node().await;
    let (first, _) = enter(&node, "ada").await;
    let seen = known(&first.life, &first.news, None);
    for _ in 0..2100 {
        let (_, connection) = enter(&node, "bob").await;
        node.exit(&room("tea"), connection, false).await.unwrap();
    }
    let news = node.news(&room("tea"), &seen, ALL).await.unwrap();
    assert_eq!(people(&news), "ada");
    let People::All { edge, .. } = news.people else { panic!("{news:?}") };
    assert_eq!(edge, 4201);
    let late = chatrooms_core::Known { edge: edge - 1500, ..seen };
    let page = node.news(&room("tea"), &late, ALL).await.unwrap();
    let People::Changed(first_page) = &page.people else { panic!("{page:?}") };
    assert_eq!((first_page.len(), page.more), (1000, true));
}

#[tokio::test]
async fn many_who_come_at_once_from_all_nodes_make_one_life_and_one_first() {
    let server = Server::start().await;
    let nodes = [server.node().await, server.node().await, server.node().await];
    let come = (0..60).map(|n| {
        let node = nodes[n % 3].clone();
        tokio::spawn(async move { enter(&node, &format!("u{n}")).await.0 })
    });
    let tasks: Vec<_> = come.collect();
    let mut entered = Vec::new();
    for task in tasks {
        entered.push(tokio::time::timeout(Duration::from_secs(20), task).await.unwrap().unwrap());
    }
    assert_eq!(entered.iter().filter(|one| one.opened).count(), 1);
    assert_eq!(entered.iter().filter(|one| one.first_in_room).count(), 1);
    assert!(entered.iter().all(|one| one.life == entered[0].life));
    let mut places: Vec<u64> = entered.iter().map(|one| one.since).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=60).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_follows_is_told_what_an_entry_would_be_and_changes_nothing() {
    let server = Server::start().await;
    let (a, b) = (server.node().await, server.node().await);
    assert!(b.follow(&room("tea"), ALL).await.unwrap().is_none(), "nobody is there");
    let (entered, ada) = enter(&a, "ada").await;
    let life = entered.life;
    say(&a, &life, draft("ada", "x")).await;
    a.redact(&life, 1, None, None).await.unwrap();
    say(&a, &life, draft("ada", "y")).await;
    let note = Note { revision: 0, text: "n".to_owned(), banned: vec![(user("eve"), None)] };
    a.impose(&life, &note).await.unwrap();
    let state = || {
        let dump = |key: &String| (key.clone(), server.ask(&["HGETALL", key]));
        server.keys_of_rooms().iter().map(dump).collect::<Vec<_>>()
    };
    let before = state();
    let followed = b.follow(&room("tea"), ALL).await.unwrap().unwrap();
    assert_eq!(state(), before);
    assert_eq!(followed.life, life);
    let place = known(&life, &followed.news, None);
    assert_eq!((place.seq, place.edge, place.note), (2, 2, 1));
    assert_eq!((people(&followed.news), followed.news.more), ("ada".into(), false));
    assert_eq!(bodies(&followed.news.messages), "1 2y");
    assert_eq!(edges(&b.news(&room("tea"), &place, ALL).await.unwrap()), "");
    let (_, bob) = enter(&a, "bob").await;
    assert_eq!(edges(&b.news(&room("tea"), &place, ALL).await.unwrap()), "3+bob");
    for connection in [ada, bob] {
        a.exit(&room("tea"), connection, false).await.unwrap();
    }
    assert!(b.follow(&room("tea"), ALL).await.unwrap().is_none(), "it is over");
    let over = b.news(&room("tea"), &place, ALL).await;
    assert!(matches!(over, Err(ClusterError::Over)), "{over:?}");
}

#[tokio::test]
async fn a_life_that_lingers_is_followed_and_waits_no_longer_for_it() {
    let server = Server::start().await;
    let node = server.node().await;
    let entry = entry("ada");
    let rules = lingering(Duration::from_secs(60));
    node.enter(&room("tea"), &entry, &rules, None, ALL).await.unwrap();
    node.exit(&room("tea"), entry.connection, true).await.unwrap();
    let time = || server.ask(&["PEXPIRETIME", "chatrooms:{tea}"]);
    let before = time();
    let followed = node.follow(&room("tea"), ALL).await.unwrap().unwrap();
    assert_eq!((people(&followed.news), time()), (String::new(), before));
}
