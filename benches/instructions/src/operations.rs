//! The operations. Each prepares for the most rounds and runs some of them.

use std::{hint::black_box, sync::Arc};

use bytes::Bytes;
use chatrooms_core::Event;
use chatrooms_ws::measured;
use tokio::task::yield_now;

use crate::people::{hear, join, occupied, post, registry, room, session, sessions};

/// Runs one; says whether it exists.
pub(crate) async fn run(operation: &str, rounds: usize, most: usize) -> bool {
    match operation {
        "join" => joining(rounds, most).await,
        "leave" => leaving(rounds, most).await,
        "join_and_leave_alone" => coming_and_going(rounds).await,
        "empty_a_room" => emptying(rounds, most).await,
        "fill_a_room_of_100" => filling(rounds, most).await,
        "publish_to_100" => publishing(rounds).await,
        "deliver" => delivering(rounds).await,
        "encode_message" => encoding(rounds, most).await,
        "decode_send" => decoding(rounds),
        _ => return false,
    }
    true
}

/// The end of a process must not depend on its rounds: those who are still in a room would end otherwise than those who have left it.
fn leave_as_it_is<T>(left: T) {
    std::mem::forget(left);
}

/// A room where one other is: they are told.
async fn joining(rounds: usize, most: usize) {
    let registry = registry().await;
    let (rooms, residents) = occupied(&registry, most).await;
    let guests = sessions(&registry, "guest", most);
    for (guest, room) in guests.iter().zip(&rooms).take(rounds) {
        join(guest, room).await;
    }
    leave_as_it_is((registry, residents, guests));
}

/// A room where one other stays: they are told.
async fn leaving(rounds: usize, most: usize) {
    let registry = registry().await;
    let (rooms, residents) = occupied(&registry, most).await;
    let guests = sessions(&registry, "guest", most);
    for (guest, room) in guests.iter().zip(&rooms) {
        join(guest, room).await;
    }
    for (guest, room) in guests.iter().zip(&rooms).take(rounds) {
        guest.leave(room).expect("they are there");
    }
    leave_as_it_is((registry, residents, guests));
}

/// A room that is opened, and purged when the only one in it leaves.
async fn coming_and_going(rounds: usize) {
    let registry = registry().await;
    let (guest, room) = (session(&registry, "guest"), room(0));
    for _ in 0..rounds {
        join(&guest, &room).await;
        guest.leave(&room).expect("they are there");
        hear(&guest);
    }
}

/// Rooms with two members and ten messages lose both: the life ends, and all that anybody kept of it is dropped.
async fn emptying(rounds: usize, most: usize) {
    let registry = registry().await;
    let mut members = sessions(&registry, "member", most * 2);
    for (number, pair) in members.chunks(2).enumerate() {
        let room = room(number);
        for member in pair {
            join(member, &room).await;
        }
        for _ in 0..10 {
            pair[0].publish(&room, post()).await.expect("there is no limit");
        }
    }
    drop(members.split_off((most - rounds) * 2));
    leave_as_it_is((registry, members));
}

/// A hundred users join one room, everybody there is told each time, and takes it at the end.
async fn filling(rounds: usize, most: usize) {
    let registry = registry().await;
    let guests = sessions(&registry, "guest", most * 100);
    for (number, crowd) in guests.chunks(100).enumerate().take(rounds) {
        let room = room(number);
        for guest in crowd {
            join(guest, &room).await;
        }
        crowd.iter().for_each(|guest| drop(hear(guest)));
    }
    leave_as_it_is((registry, guests));
}

/// From the call until all have taken it.
async fn publishing(rounds: usize) {
    let registry = registry().await;
    let (crowd, room) = (sessions(&registry, "guest", 100), room(0));
    for guest in &crowd {
        join(guest, &room).await;
    }
    for _ in 0..rounds {
        crowd[0].publish(&room, post()).await.expect("there is no limit");
        crowd.iter().for_each(|guest| drop(hear(guest)));
    }
    leave_as_it_is((registry, crowd));
}

/// One thing is put into an outbox, its reader is woken, runs and takes it.
async fn delivering(rounds: usize) {
    let registry = registry().await;
    let guest = Arc::new(session(&registry, "guest"));
    let reader = Arc::clone(&guest);
    let reading = tokio::spawn(async move {
        // With a new batch each time, as sockets are written.
        while reader.outbox().take(&mut Vec::new(), usize::MAX).await.is_ok() {}
    });
    yield_now().await;
    for _ in 0..rounds {
        guest.outbox().answer(Bytes::from_static(b"{}"));
        yield_now().await;
    }
    reading.abort();
}

/// An event becomes a frame.
async fn encoding(rounds: usize, most: usize) {
    let messages = messages(most).await;
    for message in messages.iter().take(rounds) {
        black_box(measured::encode(message));
    }
    leave_as_it_is(messages);
}

/// So many messages, as sessions are told of them.
async fn messages(count: usize) -> Vec<Arc<Event>> {
    let registry = registry().await;
    let (guest, room) = (session(&registry, "guest"), room(0));
    join(&guest, &room).await;
    hear(&guest);
    for _ in 0..count {
        guest.publish(&room, post()).await.expect("there is no limit");
    }
    let told = hear(&guest).into_iter();
    told.flat_map(|told| told.events().to_vec()).collect()
}

/// A frame becomes a request.
fn decoding(rounds: usize) {
    let body = post().body;
    let frame = format!(
        r#"{{"type":"send","id":17,"room":"room 000000","body":"{body}","nonce":"a1b2c3"}}"#
    );
    for _ in 0..rounds {
        assert!(measured::decode(black_box(&frame)), "it is a request");
    }
}
