//! Rooms and those who are in them, without limits that a measurement is not about.

use chatrooms_core::{
    Config, Identity, Join, Outgoing, Post, RoomName, RoomRegistry, Session, UserName,
};

pub(crate) async fn registry() -> RoomRegistry {
    let mut config = Config::default();
    (config.outbox_bytes, config.outbox_frames) = (usize::MAX, usize::MAX);
    config.sends_per_second = u32::MAX;
    config.joins_per_second = u32::MAX;
    config.new_rooms_per_minute = u32::MAX;
    RoomRegistry::builder().config(config).start().await.expect("memory starts")
}

pub(crate) fn room(number: usize) -> RoomName {
    RoomName::new(&format!("room {number:06}")).expect("a good name")
}

pub(crate) fn session(registry: &RoomRegistry, name: &str) -> Session {
    let user = UserName::new(name).expect("a good name");
    registry.open_session(Identity::new(user)).expect("there is no limit")
}

pub(crate) fn sessions(registry: &RoomRegistry, name: &str, count: usize) -> Vec<Session> {
    (0..count).map(|number| session(registry, &format!("{name} {number:06}"))).collect()
}

pub(crate) async fn join(session: &Session, room: &RoomName) {
    session.join(room, Join::default()).await.expect("there is no limit");
}

/// So many rooms, in each of them one who stays.
pub(crate) async fn occupied(
    registry: &RoomRegistry,
    count: usize,
) -> (Vec<RoomName>, Vec<Session>) {
    let rooms: Vec<_> = (0..count).map(room).collect();
    let residents = sessions(registry, "resident", count);
    for (room, resident) in rooms.iter().zip(&residents) {
        join(resident, room).await;
        hear(resident);
    }
    (rooms, residents)
}

pub(crate) fn post() -> Post {
    Post::new(
        "What is said in a chat is a sentence or two, and seldom more than a hundred letters.",
    )
}

/// Takes what waits for a session.
pub(crate) fn hear(session: &Session) -> Vec<Outgoing> {
    let mut told = Vec::new();
    session.outbox().try_take(&mut told, usize::MAX);
    told
}
