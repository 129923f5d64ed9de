//! Hundreds of joins and leaves in flight on one room, with talk going on: every list, every sequence, every end is right.

use futures_util::future::join_all;
use serde_json::json;

use crate::kit::{Client, Server, everything_is_recorded, on_every_store, unique, users};

on_every_store!(
    two_hundred_joins_and_leaves_in_flight_come_out_right,
    a_room_that_keeps_ending_under_a_storm_starts_clean_each_time,
);

const GUESTS: usize = 20;
const VISITS: usize = 10;

async fn two_hundred_joins_and_leaves_in_flight_come_out_right(server: &Server) {
    everything_is_recorded();
    let room = unique("square");
    let mut host = server.user("host").await.connect_to(&[&room]).await;
    let mut guests = guests(server).await;
    join_all(guests.iter_mut().map(|guest| ask_for_visits(guest, &room))).await;
    for _ in 0..5 {
        host.say(&room, "while they come and go").await;
    }
    join_all(guests.iter_mut().map(Client::drain_visits)).await;
    assert_eq!(users(&host.members(&room).await), [host.user.as_str()]);
    assert_eq!(host.trace().of("presence").count(), 2 * GUESTS * VISITS);
    host.catch_up(&room).await;
    host.settled();
    let answer = server.user("reader").await.get(&format!("/rooms/{room}")).await.assert_json(200);
    assert_eq!((&answer["users"], &answer["connections"]), (&json!(1), &json!(1)));
}

async fn a_room_that_keeps_ending_under_a_storm_starts_clean_each_time(server: &Server) {
    everything_is_recorded();
    let room = unique("square");
    let mut guests = guests(server).await;
    join_all(guests.iter_mut().map(|guest| ask_for_visits(guest, &room))).await;
    join_all(guests.iter_mut().map(Client::drain_visits)).await;
    let reader = server.user("reader").await;
    reader.get(&format!("/rooms/{room}")).await.assert_error(404, "not_found");
    let joined = reader.connect().await.join(&room).await;
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    for seen in guests.iter().flat_map(|guest| guest.trace().of("joined")) {
        assert_ne!(seen["epoch"], joined["epoch"], "each end ended an epoch");
    }
}

async fn guests(server: &Server) -> Vec<Client> {
    let mut guests = Vec::new();
    for _ in 0..GUESTS {
        guests.push(server.user("guest").await.connect().await);
    }
    guests
}

/// Puts all visits on the wire without waiting for any answer; in each the guest says something.
async fn ask_for_visits(guest: &mut Client, room: &str) {
    for visit in 0..VISITS {
        guest.ask(json!({"type": "join", "room": room})).await;
        guest.ask(json!({"type": "send", "room": room, "body": visit.to_string()})).await;
        guest.ask(json!({"type": "leave", "room": room})).await;
    }
}

impl Client {
    /// Reads until the last visit is over.
    async fn drain_visits(&mut self) {
        for _ in 0..VISITS {
            self.expect("left").await;
        }
    }
}
