//! Rooms and those who are in them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chatrooms::{
    Config, Identity, Join, MemoryStore, MessageStore, Post, Receipt, RoomName, RoomRegistry, Sent,
    Session, UserName,
};

/// What a measurement is not about does not limit it.
pub(crate) fn unlimited() -> Config {
    let mut config = Config::default();
    (config.outbox_bytes, config.outbox_frames) = (usize::MAX, usize::MAX);
    (config.sessions, config.sessions_per_user) = (usize::MAX, usize::MAX);
    (config.rooms, config.rooms_per_session, config.members_per_room) =
        (usize::MAX, usize::MAX, usize::MAX);
    config.sends_per_second = u32::MAX;
    config.joins_per_second = u32::MAX;
    config.new_rooms_per_minute = u32::MAX;
    config
}

/// A registry over the memory store, without limits.
pub(crate) async fn registry() -> RoomRegistry {
    registry_over(MemoryStore::default()).await
}

/// A registry over a store, without limits.
pub(crate) async fn registry_over(store: impl MessageStore) -> RoomRegistry {
    let builder = RoomRegistry::builder().store(store).config(unlimited());
    builder.start().await.expect("the store is new")
}

pub(crate) fn room(number: usize) -> RoomName {
    RoomName::new(&format!("room {number}")).expect("a good name")
}

pub(crate) fn rooms(count: usize) -> Vec<RoomName> {
    (0..count).map(room).collect()
}

pub(crate) fn identity(name: &str) -> Identity {
    Identity::new(UserName::new(name).expect("a good name"))
}

pub(crate) fn session(registry: &RoomRegistry, name: &str) -> Session {
    registry.open_session(identity(name)).expect("there is no limit")
}

/// A text of the usual length.
pub(crate) fn post() -> Post {
    Post::new(
        "What is said in a chat is a sentence or two, and seldom more than a hundred letters.",
    )
}

/// So many users in a room, who have taken what they were told so far.
pub(crate) async fn crowd(registry: &RoomRegistry, room: &RoomName, count: usize) -> Vec<Session> {
    let mut crowd = Vec::with_capacity(count);
    for number in 0..count {
        let member = session(registry, &format!("member {number}"));
        member.join(room, Join::default()).await.expect("there is no limit");
        // Its answer names everybody: it is not kept until the crowd is complete.
        hear(&member);
        crowd.push(member);
    }
    crowd.iter().for_each(|member| {
        hear(member);
    });
    crowd
}

/// Takes what waits for a session; says how much that was.
pub(crate) fn hear(session: &Session) -> usize {
    let mut told = Vec::new();
    session.outbox().try_take(&mut told, usize::MAX);
    told.len()
}

/// Waits until the messages of all rooms that have ended are removed.
pub(crate) async fn swept(registry: &RoomRegistry) {
    while registry.stats().purges.pending > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How many messages somebody has under way who says one after the other.
pub(crate) const UNDER_WAY: usize = 64;

/// Says so many messages, and waits until all of them are kept.
pub(crate) async fn speak(speaker: Arc<Session>, room: RoomName, messages: u64) {
    let mut under_way = VecDeque::new();
    for _ in 0..messages {
        if under_way.len() == UNDER_WAY {
            kept(&mut under_way).await;
            hear(&speaker);
        }
        under_way.push_back(speaker.send(&room, post()).await.expect("there is no limit"));
    }
    while !under_way.is_empty() {
        kept(&mut under_way).await;
    }
    hear(&speaker);
}

/// Waits for the oldest of them.
async fn kept(under_way: &mut VecDeque<Receipt<Sent>>) {
    let Some(receipt) = under_way.pop_front() else { return };
    receipt.wait().await.expect("the store works");
}
