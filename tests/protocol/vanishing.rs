//! Clients that vanish in the worst moment leave nothing behind.

use chatrooms::testing::FaultyStore;
use chatrooms::{Config, RoomRegistry};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{
    Adapter, Client, Frame, InProcess, Server, eventually, on_each_adapter, on_every_server,
    opcode, unique, users,
};

on_every_server!(
    thirty_tabs_that_end_at_once_leave_once,
    a_reset_in_the_middle_of_a_frame_leaves_once,
    a_reset_in_the_middle_of_a_close_leaves_once,
    connecting_and_vanishing_at_once_leaves_no_ghost,
);

mod in_process {
    use super::{
        on_each_adapter, thirty_tabs_that_end_at_once_end_their_room_once,
        two_thousand_visits_that_end_as_they_begin_leave_no_ghost,
    };

    on_each_adapter!(
        thirty_tabs_that_end_at_once_end_their_room_once,
        two_thousand_visits_that_end_as_they_begin_leave_no_ghost,
    );
}

const TABS: usize = 30;

async fn thirty_tabs_that_end_at_once_leave_once(server: &Server) {
    let (user, room) = (server.user("tabs").await, unique("hall"));
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let mut tabs = Vec::new();
    for _ in 0..TABS {
        tabs.push(user.connect_to(&[&room]).await);
    }
    assert_eq!(connections(&mut witness, &room, &user.name).await, TABS as u64);
    end_at_once(tabs).await;
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    witness.catch_up(&room).await;
    assert_eq!(witness.trace().of("presence").count(), 2, "one joined, one left");
    assert_eq!(users(&witness.members(&room).await), [witness.user.as_str()]);
}

async fn thirty_tabs_that_end_at_once_end_their_room_once(adapter: Adapter) {
    let store = FaultyStore::new();
    let rooms = RoomRegistry::builder().store(store.clone());
    let server = InProcess::start(adapter, rooms).await;
    let (user, room) = (server.user("tabs").await, unique("hall"));
    for round in 1..=3 {
        let mut tabs = Vec::new();
        for _ in 0..TABS {
            tabs.push(user.connect_to(&[&room]).await);
        }
        tabs[0].say(&room, "there is something to purge").await;
        end_at_once(tabs).await;
        eventually("nothing is left", async || {
            let stats = server.registry().stats();
            (stats.rooms, stats.sessions, stats.purges.pending) == (0, 0, 0)
        })
        .await;
        assert_eq!((store.closed_lives().len(), store.open_lives().len()), (round, 0));
    }
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

const VISITORS: usize = 20;
const VISITS: usize = 100;

/// Several at a time, each of whom comes back before they have been seen to go.
async fn two_thousand_visits_that_end_as_they_begin_leave_no_ghost(adapter: Adapter) {
    let mut config = Config::default();
    (config.joins_per_second, config.join_burst) = (u32::MAX, u32::MAX);
    let server = InProcess::start(adapter, RoomRegistry::builder().config(config)).await;
    let room = unique("hall");
    let mut witness = server.user("witness").await.connect_to(&[&room]).await;
    let visitors = join_all((0..VISITORS).map(|_| server.user("flicker"))).await;
    join_all(visitors.iter().map(async |visitor| {
        for visit in 0..VISITS {
            let socket = visitor.upgrade(&format!("?room={room}")).open_raw().await;
            if visit % 2 == 0 {
                socket.reset();
            }
        }
    }))
    .await;
    eventually("nobody but the witness", async || server.registry().stats().sessions == 1).await;
    assert_eq!(users(&witness.members(&room).await), [witness.user.as_str()]);
    // Whether each left follows its joined is judged by the oracle.
    witness.catch_up(&room).await;
    let seen = witness.trace().of("presence").count();
    assert!(seen >= 2 * VISITORS, "{seen} comings and goings were seen");
}

/// Ends half of them by a reset and half as a browser does.
async fn end_at_once(mut tabs: Vec<Client>) {
    let rest = tabs.split_off(tabs.len() / 2);
    tabs.into_iter().for_each(Client::reset);
    join_all(rest.into_iter().map(Client::close)).await;
}

async fn connections(witness: &mut Client, room: &str, user: &str) -> u64 {
    let answer: Value = witness.members(room).await;
    let members = answer["members"].as_array().expect("members");
    let member = members.iter().find(|member| member["user"] == user).expect("the user is there");
    member["connections"].as_u64().expect("a count")
}
