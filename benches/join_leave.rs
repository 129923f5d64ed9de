//! What a join and the leave after it cost, beside the same in a bare map: `cargo bench --bench join_leave`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chatrooms::{Config, Identity, Join, RoomName, RoomRegistry, Session, UserName};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dashmap::DashMap;
use tokio::runtime::{Builder, Runtime};

/// What the joining and leaving happens in.
#[derive(Clone, Copy, Debug)]
enum Rooms {
    /// One room, which is purged whenever the last one leaves it.
    Hot,
    /// One room in which so many stay.
    Staying(usize),
    /// So many rooms in turn, each purged each time.
    Many(usize),
}

const CASES: [Rooms; 3] = [Rooms::Hot, Rooms::Staying(1000), Rooms::Many(10_000)];
const THREADS: [usize; 3] = [1, 2, 4];

impl Rooms {
    fn names(self) -> Vec<String> {
        let count = if let Self::Many(count) = self { count } else { 1 };
        (0..count).map(|n| format!("room {n}")).collect()
    }

    fn staying(self) -> usize {
        if let Self::Staying(count) = self { count } else { 0 }
    }
}

fn join_leave(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("join_leave");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    for rooms in CASES {
        for threads in THREADS {
            let parameter = format!("{rooms:?}/{threads}");
            let runtime = runtime(threads);
            let chat = Chat::new(&runtime, rooms, threads);
            group.bench_function(BenchmarkId::new("chatrooms", &parameter), |bencher| {
                bencher.iter_custom(|rounds| runtime.block_on(chat.churn(rounds)));
            });
            let bare = Bare::new(rooms);
            group.bench_function(BenchmarkId::new("bare", &parameter), |bencher| {
                bencher.iter_custom(|rounds| bare.churn(rounds, threads));
            });
        }
    }
    group.finish();
}

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

/// The registry, with a session for each thread.
struct Chat {
    rooms: Arc<[RoomName]>,
    sessions: Vec<Arc<Session>>,
    _staying: Vec<Session>,
}

impl Chat {
    fn new(runtime: &Runtime, rooms: Rooms, threads: usize) -> Self {
        let mut config = Config::default();
        // Nobody reads what those who stay are told.
        (config.outbox_bytes, config.outbox_frames) = (usize::MAX, usize::MAX);
        config.presence_exact = 0;
        let builder = RoomRegistry::builder().config(config);
        let registry = runtime.block_on(builder.start()).expect("memory starts");
        let session = |name: String| {
            let user = UserName::new(&name).expect("a good name");
            registry.open_session(Identity::new(user)).expect("there is room")
        };
        let count = rooms.staying();
        let names: Arc<[_]> =
            rooms.names().iter().map(|name| RoomName::new(name).expect("a good name")).collect();
        let staying: Vec<_> = (0..count).map(|n| session(format!("stays {n}"))).collect();
        for one in &staying {
            runtime.block_on(one.join(&names[0], Join::default())).expect("they join");
        }
        let sessions = (0..threads).map(|n| Arc::new(session(format!("guest {n}")))).collect();
        Self { rooms: names, sessions, _staying: staying }
    }

    async fn churn(&self, rounds: u64) -> Duration {
        let began = Instant::now();
        let each = rounds / self.sessions.len() as u64 + 1;
        let tasks: Vec<_> = self
            .sessions
            .iter()
            .map(|session| {
                let (session, rooms) = (Arc::clone(session), Arc::clone(&self.rooms));
                tokio::spawn(async move {
                    let mut told = Vec::new();
                    for room in rooms.iter().cycle().take(each as usize) {
                        session.join(room, Join::default()).await.expect("they join");
                        session.leave(room).expect("they leave");
                        session.outbox().try_take(&mut told, usize::MAX);
                        told.clear();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("nobody panics");
        }
        began.elapsed()
    }
}

/// What is the least that any table of rooms does: a map of maps, and the empty one removed.
struct Bare {
    table: DashMap<String, Mutex<HashMap<u64, String>>>,
    rooms: Vec<String>,
}

impl Bare {
    fn new(rooms: Rooms) -> Self {
        let bare = Self { table: DashMap::new(), rooms: rooms.names() };
        for n in 0..rooms.staying() {
            bare.join(&bare.rooms[0], u64::MAX - n as u64);
        }
        bare
    }

    fn join(&self, room: &str, member: u64) {
        let members = self.table.entry(room.to_owned()).or_default();
        members.lock().expect("nobody panics").insert(member, format!("guest {member}"));
    }

    fn leave(&self, room: &str, member: u64) {
        self.table.remove_if(room, |_, members| {
            let mut members = members.lock().expect("nobody panics");
            members.remove(&member);
            members.is_empty()
        });
    }

    fn churn(&self, rounds: u64, threads: usize) -> Duration {
        let began = Instant::now();
        let each = rounds / threads as u64 + 1;
        std::thread::scope(|scope| {
            for member in 0..threads as u64 {
                scope.spawn(move || {
                    for room in self.rooms.iter().cycle().take(each as usize) {
                        self.join(room, member);
                        self.leave(room, member);
                    }
                });
            }
        });
        began.elapsed()
    }
}

criterion_group!(benches, join_leave);
criterion_main!(benches);
