//! The places at which clients say that they were.

use std::sync::Arc;

use chatrooms_core::{
    Config, Epoch, Identity, Join, Joined, Post, RoomName, RoomRegistry, Session, UserName,
};
use tokio::runtime::{Builder, Runtime};

use crate::request::{Action, Request, RoomAction, parse};

/// How many messages the room keeps, and how many of them it has at hand.
const KEPT: u64 = 10;
const AT_HAND: u64 = 4;

/// Whatever stands for `resume` in a join, it is refused, or answered by exactly what has been missed since, or by a plain join. `$` stands for the epoch of the room.
///
/// # Panics
/// Where this does not hold.
pub fn resume(bytes: &[u8]) {
    thread_local! {
        static HALL: Hall = Hall::open();
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    HALL.with(|hall| hall.resumed(text));
}

/// A room with somebody in it.
struct Hall {
    runtime: Runtime,
    registry: RoomRegistry,
    room: RoomName,
    epoch: Epoch,
    host: Session,
}

impl Hall {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let mut config = Config::default();
        (config.recent, config.joins_per_second) = (AT_HAND as usize, u32::MAX);
        let room = RoomName::new("hall").expect("a good name");
        let open = async {
            let registry = RoomRegistry::builder().config(config).start().await.expect("it starts");
            let host = session(&registry, "host");
            let joined = host.join(&room, Join::default()).await.expect("it joins");
            for seq in 1..=KEPT {
                let sent = host.publish(&room, Post::new("hello")).await.expect("it is sent");
                assert_eq!(sent.seq, seq);
            }
            (registry, host, joined.epoch)
        };
        let (registry, host, epoch) = runtime.block_on(open);
        Self { runtime, registry, room, epoch, host }
    }

    fn resumed(&self, text: &str) {
        let place = text.replace('$', &self.epoch.to_string());
        let frame = format!("{{\"type\":\"join\",\"room\":\"hall\",\"resume\":{place}}}");
        match parse(&frame) {
            Ok(Request { action: Action::Room(room, RoomAction::Join(join)), .. }) => {
                assert_eq!(room, self.room);
                // Which has a bound of its own.
                let join = Join { meta: None, ..join };
                let guest = session(&self.registry, "guest");
                let joined = self.runtime.block_on(guest.join(&room, join.clone()));
                self.is_exact(&join, &joined.expect("a join with any place is granted"));
            }
            Ok(Request { action: Action::Room(_, RoomAction::Refuse(invalid)), .. })
            | Err(invalid) => assert_eq!(invalid.code, "bad_request", "{frame}"),
            Ok(request) => panic!("{frame} is {request:?}"),
        }
        // The host would be slow in the end.
        self.host.outbox().try_take(&mut Vec::new(), usize::MAX);
    }

    fn is_exact(&self, join: &Join, joined: &Arc<Joined>) {
        assert_eq!((joined.epoch, joined.seq), (self.epoch, KEPT));
        let seqs: Vec<_> = joined.messages.iter().map(|message| message.seq).collect();
        let at_hand = (KEPT - AT_HAND)..=KEPT;
        match join.resume.filter(|(epoch, seq)| *epoch == self.epoch && at_hand.contains(seq)) {
            Some((_, seq)) => {
                assert!(joined.resumed, "{join:?}");
                assert!(seqs.into_iter().eq(seq + 1..=KEPT), "{join:?}: {joined:?}");
            }
            None => {
                let wanted = join.history.unwrap_or(Config::DEFAULT_HISTORY) as u64;
                assert!(!joined.resumed, "{join:?}");
                assert!(
                    seqs.into_iter().eq(KEPT + 1 - wanted.min(AT_HAND)..=KEPT),
                    "{join:?}: {joined:?}"
                );
            }
        }
    }
}

fn session(registry: &RoomRegistry, name: &str) -> Session {
    let user = UserName::new(name).expect("a good name");
    registry.open_session(Identity::new(user)).expect("they are let in")
}
