//! A room above `presence_exact` members: presence is told in net changes, and still comes out right.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Client, Frame, RawSocket, Server, eventually, on_every_server, unique};

on_every_server!(a_crowd_is_told_in_net_changes, a_long_member_list_comes_page_by_page);

async fn a_crowd_is_told_in_net_changes(server: &Server) {
    let room = unique("stadium");
    let mut watcher = server.user("watcher").await.connect_to(&[&room]).await;
    let exact = watcher.limit("presence_exact") as usize;
    let mut crowd = enter(server, &room, exact + 10).await;
    let everybody: BTreeSet<String> =
        crowd.iter().chain([&watcher]).map(|client| client.user.clone()).collect();

    eventually("the watcher knows the whole crowd", async || {
        watcher.catch_up(&room).await;
        watcher.forget_arrived();
        known(&watcher) == everybody
    })
    .await;
    assert_eq!(pages(&mut watcher, &room).await, everybody);
    let mut late = server.user("late").await.connect().await;
    let joined = late.join(&room).await;
    assert!(joined["members"].as_array().is_some_and(|members| {
        joined["members_more"] == true || members.iter().any(|member| member["user"] == late.user)
    }));
    late.leave(&room).await;

    // Above the limit, who comes and goes at once is no news: far fewer frames than changes.
    let frames_before = watcher.trace().of("presence").count();
    for client in crowd.iter_mut().take(5) {
        for _ in 0..4 {
            client.leave(&room).await;
            client.join(&room).await;
        }
    }
    eventually("the crowd is whole again", async || {
        watcher.catch_up(&room).await;
        known(&watcher) == everybody
    })
    .await;
    let frames = watcher.trace().of("presence").count() - frames_before;
    assert!(frames < 40, "40 changes above the limit took {frames} frames");

    let remaining = crowd.split_off(exact - 20);
    let gone: BTreeSet<String> = remaining.iter().map(|client| client.user.clone()).collect();
    join_all(remaining.into_iter().map(Client::close)).await;
    eventually("the watcher knows who has gone", async || {
        watcher.catch_up(&room).await;
        known(&watcher) == &everybody - &gone
    })
    .await;
    assert_eq!(pages(&mut watcher, &room).await, &everybody - &gone);
}

async fn a_long_member_list_comes_page_by_page(server: &Server) {
    let room = unique("stadium");
    let asker = server.user("asker").await;
    let mut late = asker.connect().await;
    let meta = json!({"m": "x".repeat(late.limit("meta_bytes") as usize - 8)});
    let count = (late.limit("reply_bytes") / late.limit("meta_bytes")) as usize + 10;
    let (_crowd, mut everybody) = enter_unheard(server, &room, count, &meta).await;
    late.join(&room).await;
    everybody.insert(late.user.clone());
    eventually("everybody is on some page", async || pages(&mut late, &room).await == everybody)
        .await;
    assert_eq!(late.members(&room).await["more"], true);
    late.leave(&room).await;
    let joined = late.join(&room).await;
    assert_eq!(joined["members_more"], true);
    let answer = asker.get(&format!("/rooms/{room}")).await.assert_json(200);
    assert_eq!((&answer["users"], &answer["members_more"]), (&json!(count + 1), &json!(true)));
}

async fn enter(server: &Server, room: &str, count: usize) -> Vec<Client> {
    let mut crowd = Vec::new();
    for _ in 0..count {
        let mut client = server.user("fan").await.connect().await;
        client.join_with(json!({"room": room, "history": 0})).await;
        crowd.push(client);
    }
    crowd
}

/// Sockets in a room, and whose they are; what they are told is not looked at, for there is a lot of it.
async fn enter_unheard(
    server: &Server,
    room: &str,
    count: usize,
    meta: &Value,
) -> (Vec<RawSocket>, BTreeSet<String>) {
    let (mut sockets, mut users) = (Vec::new(), BTreeSet::new());
    let join = json!({"type": "join", "room": room, "history": 0, "meta": meta}).to_string();
    for _ in 0..count {
        let user = server.user("fan").await;
        let mut socket = user.connect_raw("").await;
        socket.write(&Frame::text(&join)).await;
        assert!(socket.text().await.contains(r#""type":"joined""#));
        sockets.push(socket);
        users.insert(user.name);
    }
    (sockets, users)
}

/// Whom a client knows to be there from what it has been told.
fn known(client: &Client) -> BTreeSet<String> {
    let joined = client.trace().of("joined").last().expect("it joined");
    let mut known: BTreeSet<String> = names(&joined["members"]);
    for presence in client.trace().of("presence") {
        known.extend(names(&presence["joined"]));
        for user in presence["left"].as_array().into_iter().flatten() {
            known.remove(user.as_str().unwrap_or_default());
        }
    }
    known.insert(client.user.clone());
    known
}

/// All members, page by page.
async fn pages(client: &mut Client, room: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut request = json!({"type": "members", "room": room});
    loop {
        let page = client.granted("members", request.clone()).await;
        let users = names(&page["members"]);
        request["after"] = json!(users.last().cloned());
        found.extend(users);
        if page["more"] == false {
            return found;
        }
    }
}

fn names(members: &Value) -> BTreeSet<String> {
    let members = members.as_array().into_iter().flatten();
    members.map(|member| member["user"].as_str().unwrap_or_default().to_owned()).collect()
}
