//! The names of all rooms in their order, for those who page through them.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    RoomName,
    shared::Shared,
    sync::{Arc, Mutex, lock},
};

/// Up to so many rooms are put in order for each who asks: it takes less than a millisecond.
const FEW: usize = 1000;
/// More of them are put in order once in this time, whoever asks and however often.
const FRESH: Duration = Duration::from_secs(1);

/// The names of many rooms, as they were a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Listing(Mutex<Option<Listed>>);

#[derive(Debug)]
struct Listed {
    names: Arc<[RoomName]>,
    /// After this somebody puts them in order anew, while the others go on with these.
    until: Instant,
}

impl Listing {
    /// The names of all rooms, by name. Where there are more than a few it may be missing what is a second old or less.
    pub(crate) fn names(&self, shared: &Shared) -> Arc<[RoomName]> {
        if shared.room_count() <= FEW {
            // What was kept of many would be kept for nobody.
            *lock(&self.0) = None;
            return in_order(shared);
        }
        let now = Instant::now();
        if let Some(listed) = &mut *lock(&self.0) {
            if now < listed.until {
                return Arc::clone(&listed.names);
            }
            listed.until = now + FRESH;
        }
        let names = in_order(shared);
        *lock(&self.0) = Some(Listed { names: Arc::clone(&names), until: now + FRESH });
        names
    }
}

fn in_order(shared: &Shared) -> Arc<[RoomName]> {
    let mut names = shared.room_names();
    names.sort_unstable();
    names.into()
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::{Config, Identity, Join, RoomRegistry, Session, UserName};

    fn name(number: usize) -> RoomName {
        RoomName::new(&format!("room {number:04}")).unwrap()
    }

    async fn open(session: &Session, number: usize) {
        session.join(&name(number), Join::default()).await.unwrap();
    }

    async fn first(registry: &RoomRegistry, after: Option<&RoomName>) -> String {
        let (rooms, _) = registry.rooms(after, 1).await.unwrap();
        rooms.first().map_or_else(String::new, |room| room.room.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn many_rooms_are_put_in_order_once_in_a_second_and_few_at_once() {
        let most = u32::MAX;
        let config = Config {
            rooms_per_session: usize::MAX,
            joins_per_second: most,
            new_rooms_per_minute: most,
            ..Config::default()
        };
        let registry = RoomRegistry::builder().config(config).build();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        for number in 2..2 + FEW {
            open(&session, number).await;
            assert_eq!(first(&registry, None).await, "room 0002");
        }
        open(&session, 1).await;
        assert_eq!(first(&registry, None).await, "room 0001", "the first look at many");
        open(&session, 0).await;
        session.leave(&name(1)).unwrap();
        assert_eq!(first(&registry, None).await, "room 0002", "nobody is shown who has gone");
        assert_eq!(first(&registry, Some(&name(2))).await, "room 0003");
        advance(FRESH).await;
        assert_eq!(first(&registry, None).await, "room 0000");
        session.leave(&name(2)).unwrap();
        session.leave(&name(3)).unwrap();
        open(&session, 1).await;
        assert_eq!(first(&registry, Some(&name(0))).await, "room 0001", "few again");
    }
}
