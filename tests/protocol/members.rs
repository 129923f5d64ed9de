//! `members`: who is in a room, by user.

use serde_json::json;

use crate::kit::{Server, eventually, on_every_server, unique, users};

on_every_server!(
    members_come_by_user,
    members_come_after_a_given_one,
    a_member_counts_its_connections,
    meta_is_that_of_the_oldest_connection,
);

async fn members_come_by_user(server: &Server) {
    let room = unique("hall");
    let names = ["b", "Z", "a", "ä", "10", "9"].map(unique);
    let mut clients = Vec::new();
    for name in &names {
        clients.push(server.user_named(name).await.connect_to(&[&room]).await);
    }
    let mut expected = names.to_vec();
    expected.sort();
    let answer = clients[0].members(&room).await;
    assert_eq!(answer["room"], room);
    assert_eq!(answer["more"], false);
    assert_eq!(users(&answer), expected);
}

async fn members_come_after_a_given_one(server: &Server) {
    let room = unique("hall");
    let mut clients = Vec::new();
    for label in ["a", "b", "c", "d"] {
        clients.push(server.user(label).await.connect_to(&[&room]).await);
    }
    let names: Vec<_> = clients.iter().map(|client| client.user.clone()).collect();
    let after_b = json!({"type": "members", "room": room, "after": names[1]});
    let answer = clients[0].granted("members", after_b).await;
    assert_eq!(users(&answer), [names[2].as_str(), &names[3]]);
    let after_nobody = json!({"type": "members", "room": room, "after": "bb"});
    assert_eq!(
        users(&clients[0].granted("members", after_nobody).await),
        [names[2].as_str(), &names[3]]
    );
    let after_all = json!({"type": "members", "room": room, "after": names[3]});
    let answer = clients[0].granted("members", after_all).await;
    assert_eq!((&answer["members"], &answer["more"]), (&json!([]), &json!(false)));
}

async fn a_member_counts_its_connections(server: &Server) {
    let (user, room) = (server.user("tabs").await, unique("hall"));
    let mut first = user.connect_to(&[&room]).await;
    let second = user.connect_to(&[&room]).await;
    let mut third = user.connect_to(&[&room]).await;
    assert_eq!(first.members(&room).await["members"][0]["connections"], 3);
    third.leave(&room).await;
    assert_eq!(first.members(&room).await["members"][0]["connections"], 2);
    second.close().await;
    eventually("a closed tab is no connection", async || {
        first.members(&room).await["members"][0]["connections"] == 1
    })
    .await;
}

async fn meta_is_that_of_the_oldest_connection(server: &Server) {
    let (user, room) = (server.user("tabs").await, unique("hall"));
    let mut watcher = server.user("a-watcher").await.connect_to(&[&room]).await;
    let mut tabs = Vec::new();
    for number in 1..=3 {
        let mut tab = user.connect().await;
        tab.join_with(json!({"room": room, "meta": {"tab": number}})).await;
        tabs.push(tab);
    }
    for oldest in 1..=3 {
        let members = watcher.members(&room).await;
        assert_eq!(members["members"][1]["meta"]["tab"], oldest, "{members}");
        tabs.remove(0).leave(&room).await;
    }
}
