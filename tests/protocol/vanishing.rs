//! Clients that vanish in the worst moment leave nothing behind.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Client, Frame, Server, eventually, on_every_server, opcode, unique, users};

on_every_server!(
    thirty_tabs_that_end_at_once_leave_once,
    a_reset_in_the_middle_of_a_frame_leaves_once,
    a_reset_in_the_middle_of_a_close_leaves_once,
    connecting_and_vanishing_at_once_leaves_no_ghost,
);

const TABS: usize = 30;

async fn thirty_tabs_that_end_at_once_leave_once(server: &Server) {
    let (user, room) = (server.user("tabs").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut tabs = Vec::new();
    for _ in 0..TABS {
        tabs.push(user.connect_to(&[&room]).await);
    }
    assert_eq!(connections(&mut witness, &room, &user.name).await, TABS as u64);
    let rest = tabs.split_off(TABS / 2);
    tabs.into_iter().for_each(Client::reset);
    join_all(rest.into_iter().map(Client::close)).await;
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("presence").count(), 2, "one joined, one left");
    assert_eq!(users(&witness.members(&room).await), [witness.user.as_str()]);
}

async fn a_reset_in_the_middle_of_a_frame_leaves_once(server: &Server) {
    let (user, room) = (server.user("torn").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let send = json!({"type": "send", "room": room, "body": "never finished"}).to_string();
    let whole = Frame::text(&send).bytes();
    let fragment = Frame::text(&send[..20]).unfinished().bytes();
    for part in [&whole[..1], &whole[..5], &whole[..whole.len() - 1], &fragment[..]] {
        let mut socket = user.connect_raw(&format!("?room={room}")).await;
        socket.text().await;
        socket.write_bytes(part).await;
        socket.reset();
        let left = json!([user.name]);
        witness.expect_where("left", |frame| frame["left"] == left).await;
    }
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("message").count(), 1, "half a message is none");
}

async fn a_reset_in_the_middle_of_a_close_leaves_once(server: &Server) {
    let (user, room) = (server.user("torn").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut socket = user.connect_raw(&format!("?room={room}")).await;
    socket.text().await;
    socket.write(&Frame::new(opcode::CLOSE, 1000_u16.to_be_bytes())).await;
    socket.reset();
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("presence").count(), 2);
}

async fn connecting_and_vanishing_at_once_leaves_no_ghost(server: &Server) {
    let (user, room) = (server.user("flicker").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    for round in 0..60 {
        let socket = user.upgrade(&format!("?room={room}")).open_raw().await;
        if round % 2 == 0 {
            socket.reset();
        }
    }
    eventually("nobody but the witness", async || {
        users(&witness.members(&room).await) == [witness.user.as_str()]
    })
    .await;
    // Whether each left follows its joined is judged by the oracle.
    witness.catch_up(&room).await;
}

async fn connections(witness: &mut Client, room: &str, user: &str) -> u64 {
    let answer: Value = witness.members(room).await;
    let members = answer["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["user"] == user).expect("the user is there");
    member["connections"].as_u64().expect("a count")
}
