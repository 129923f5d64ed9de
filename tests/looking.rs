//! Looking at rooms makes none, and those that have ended leave nothing, however many names somebody thinks of.

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header, request::Parts},
};
use chatrooms::{
    Config, Error, Identity, Join, MemoryStore, MessageStore, ModerationError, Post, RoomName,
    RoomPolicy, RoomRegistry, RoomRules, Session, UserName, async_trait,
    sqlite::SqliteStore,
    ws::{Authenticator, Endpoint, Options, Refusal},
};
use futures_util::FutureExt as _;
use tokio::{runtime, task::yield_now};

const NAMES: usize = 100_000;
/// As many before the memory is looked at for the first time: what is made once has been made by then.
const FIRST: usize = 10_000;
/// Less than a name in its shortest form takes, were it kept: 20 bytes for each.
const MOST_KIB: usize = 2 * 1024;

#[test]
fn to_ask_over_http_makes_no_room() {
    alone(async {
        let registry = start(MemoryStore::new()).await;
        let mut options = Options::default();
        options.http_per_second = u32::MAX;
        let endpoint = Endpoint::new(registry.clone(), Anybody).with_options(options);
        let ask = async |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            endpoint.handle(&path, request).await.status()
        };
        each_costs_nothing(&registry, async |name| {
            let room = format!("/rooms/{}", name.as_str().replace(' ', "%20"));
            let messages = format!("{room}/messages");
            let post = Request::post(&messages).header(header::CONTENT_TYPE, "application/json");
            for request in [
                Request::get(&room).body(Body::empty()),
                Request::get(&messages).body(Body::empty()),
                post.body(Body::from(r#"{"body":"hello?"}"#)),
            ] {
                assert_eq!(ask(request.unwrap()).await, StatusCode::NOT_FOUND);
            }
            let after = format!("/rooms?after={}", name.as_str().replace(' ', "+"));
            assert_eq!(ask(Request::get(after).body(Body::empty()).unwrap()).await, StatusCode::OK);
        })
        .await;
    });
}

#[test]
fn to_ask_as_a_member_makes_no_room() {
    alone(async {
        let registry = start(MemoryStore::new()).await;
        let session = enter(&registry);
        each_costs_nothing(&registry, async |name| {
            assert_eq!(session.members(name, None).err(), Some(Error::NotInRoom));
            assert_eq!(session.history(name, None, 50).await.err(), Some(Error::NotInRoom));
            let said = session.publish(name, Post::new("hello?")).await;
            assert_eq!(said.err(), Some(Error::NotInRoom));
            assert_eq!(session.redact(name, 1).await.err(), Some(Error::NotInRoom));
            assert_eq!(session.signal(name, "typing", None), Err(Error::NotInRoom));
            assert_eq!(session.leave(name), Err(Error::NotInRoom));
        })
        .await;
    });
}

#[test]
fn to_be_refused_makes_no_room() {
    alone(async {
        for refused in [Refused::People, Refused::Rooms] {
            let registry =
                RoomRegistry::builder().config(boundless()).policy(refused).start().await.unwrap();
            let session = enter(&registry);
            each_costs_nothing(&registry, async |name| {
                let joined = session.join(name, Join::default()).await;
                assert_eq!(joined.err(), Some(Error::Forbidden));
            })
            .await;
        }
        let mut full = boundless();
        full.rooms = 1;
        let registry = RoomRegistry::builder().config(full).start().await.unwrap();
        let session = enter(&registry);
        session.join(&RoomName::new("the only one").unwrap(), Join::default()).await.unwrap();
        each_costs_nothing(&registry, async |name| {
            let joined = session.join(name, Join::default()).await;
            assert_eq!(joined.err(), Some(Error::ServerFull));
        })
        .await;
    });
}

#[test]
fn to_look_as_the_host_makes_no_room() {
    alone(async {
        let registry = start(MemoryStore::new()).await;
        let who = identity();
        each_costs_nothing(&registry, async |name| {
            drop(registry.watch(name));
            assert!(registry.room(name).await.is_err());
            assert!(registry.members(name, None).await.is_err());
            assert_eq!(registry.history(name, None, 50).await.err(), Some(Error::NotFound));
            assert_eq!(registry.visit(&who, name).await.err(), Some(Error::NotFound));
            let said = registry.announce(name, Post::new("hello?")).await;
            assert_eq!(said.err(), Some(Error::NotFound));
            let moderation = registry.moderation(name);
            let banned = moderation.ban(who.user(), None, None).await;
            assert_eq!(banned.err(), Some(ModerationError::NotFound));
            assert_eq!(moderation.close(None).await.unwrap(), 0);
        })
        .await;
    });
}

#[test]
fn a_room_that_was_opened_and_left_leaves_nothing() {
    alone(async {
        leaves_nothing(MemoryStore::new()).await;
        leaves_nothing(SqliteStore::in_memory().await.unwrap()).await;
    });
}

async fn leaves_nothing(store: impl MessageStore) {
    let registry = start(store).await;
    let mut session = enter(&registry);
    each_costs_nothing(&registry, async |name| {
        session.join(name, Join::default()).await.unwrap();
        session.leave(name).unwrap();
        while session.next().now_or_never().flatten().is_some() {}
        while registry.stats().purges.pending > 0 {
            yield_now().await;
        }
    })
    .await;
}

/// Looks at so many names, of which nothing is to be left: neither a room nor a few bytes.
async fn each_costs_nothing(registry: &RoomRegistry, mut look: impl AsyncFnMut(&RoomName)) {
    let rooms = registry.stats().rooms;
    let mut before = None;
    for number in 0..FIRST + NAMES {
        if number == FIRST {
            before = memory();
        }
        look(&RoomName::new(&format!("a room that nobody is in {number}")).unwrap()).await;
        assert_eq!(registry.stats().rooms, rooms, "{number}");
    }
    if let (Some(before), Some(after)) = (before, memory()) {
        let grown = after.saturating_sub(before);
        assert!(grown < MOST_KIB, "{grown} KiB more than {before}");
    }
}

/// Runs a test, and no other at the same time: they all look at the memory of one process.
fn alone(test: impl Future<Output = ()>) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// What the process has of the machine's memory, in KiB, where that can be known.
fn memory() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Rates bound how fast somebody looks; here it is to be seen what that costs where they do not.
fn boundless() -> Config {
    let mut config = Config::default();
    (config.sends_per_second, config.joins_per_second) = (u32::MAX, u32::MAX);
    (config.new_rooms_per_minute, config.requests_per_second) = (u32::MAX, u32::MAX);
    config
}

async fn start(store: impl MessageStore) -> RoomRegistry {
    RoomRegistry::builder().config(boundless()).store(store).start().await.unwrap()
}

fn identity() -> Identity {
    Identity::new(UserName::new("eve").unwrap())
}

fn enter(registry: &RoomRegistry) -> Session {
    registry.open_session(identity()).unwrap()
}

/// Lets everybody in as the same one.
struct Anybody;

#[async_trait]
impl Authenticator for Anybody {
    async fn authenticate(&self, _: &Parts) -> Result<Identity, Refusal> {
        Ok(identity())
    }
}

/// What the host does not want: anybody in a room, or the room itself.
#[derive(Debug, PartialEq)]
enum Refused {
    People,
    Rooms,
}

#[async_trait]
impl RoomPolicy for Refused {
    async fn may_join(&self, _: &Identity, _: &RoomName) -> Result<(), Error> {
        if *self == Self::People { Err(Error::Forbidden) } else { Ok(()) }
    }

    async fn open_room(&self, _: &RoomName, _: RoomRules) -> Result<RoomRules, Error> {
        Err(Error::Forbidden)
    }
}
