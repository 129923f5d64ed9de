//! What a join and the leave after it cost, beside the same in a bare map: `cargo bench --bench join_leave`.
//!
//! - `chatrooms/CASE/THREADS`: so many threads, each with a session that joins a room, leaves it and takes what it was told meanwhile (its own arrival
//!   at least), again and again. `hot`: all of them the same room, which is purged whenever the last one leaves it. `staying_1000`: one room in which 1,000 stay whom nobody
//!   wakes; the answer to a join names its members, so that it is reported per member. `rooms_10000`: 10,000 rooms in turn, begun at different ones.
//! - `bare/CASE/THREADS`: a `DashMap<String, Mutex<HashMap>>`, on the same threads in the same rooms: one insert, one removal, and the removal of an empty room. It answers
//!   nothing and tells nobody.
//! - `beside/ROOMS`: one thread in one room, while so many others are open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chatrooms::{Join, RoomName, RoomRegistry, Session};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use dashmap::DashMap;
use tokio::runtime::Runtime;

mod common;

use common::{
    people::{crowd, hear, registry, room, rooms, session},
    runtime, sized, together,
};

/// What the joining and leaving happens in.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    rooms: usize,
    /// How many stay in the first one.
    staying: usize,
}

const THREADS: [usize; 3] = [1, 2, 4];

fn cases() -> [Case; 3] {
    [
        Case { name: "hot", rooms: 1, staying: 0 },
        Case { name: "staying_1000", rooms: 1, staying: sized(1000, 10) },
        Case { name: "rooms_10000", rooms: sized(10_000, 10), staying: 0 },
    ]
}

fn join_leave(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("join_leave");
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_millis(1500));
    for case in cases() {
        for threads in THREADS {
            churning(&mut group, case, threads);
        }
    }
    for others in [0, 1000, 10_000] {
        beside(&mut group, others);
    }
    group.finish();
}

fn churning(group: &mut BenchmarkGroup<'_, WallTime>, case: Case, threads: usize) {
    let runtime = runtime(threads);
    let parameter = format!("{}/{threads}", case.name);
    let chat = runtime.block_on(Chat::new(case, threads));
    group.throughput(Throughput::Elements(case.staying.max(1) as u64));
    group.bench_function(BenchmarkId::new("chatrooms", &parameter), |bencher| {
        bencher.iter_custom(|rounds| chat.churn(&runtime, rounds));
    });
    drop(chat);
    group.throughput(Throughput::Elements(1));
    let bare = Arc::new(Bare::new(case));
    group.bench_function(BenchmarkId::new("bare", &parameter), |bencher| {
        bencher.iter_custom(|rounds| bare.churn(&runtime, rounds, threads));
    });
}

fn beside(group: &mut BenchmarkGroup<'_, WallTime>, others: usize) {
    let runtime = runtime(1);
    let chat = runtime.block_on(Chat::new(Case { name: "hot", rooms: 1, staying: 0 }, 1));
    let resident = session(&chat.registry, "resident");
    runtime.block_on(async {
        for number in 1..=sized(others, others / 1000) {
            resident.join(&room(number), Join::default()).await.expect("there is no limit");
            hear(&resident);
        }
    });
    group.bench_function(BenchmarkId::new("beside", others), |bencher| {
        bencher.iter_custom(|rounds| chat.churn(&runtime, rounds));
    });
}

/// Each thread has its share of the rounds.
fn share(rounds: u64, threads: usize) -> usize {
    rounds.div_ceil(threads as u64) as usize
}

/// Where the thread begins: they do not follow each other through the rooms.
const fn begin(thread: usize, threads: usize, rooms: usize) -> usize {
    rooms / threads * thread
}

/// The registry, with a session for each thread.
struct Chat {
    registry: RoomRegistry,
    rooms: Arc<[RoomName]>,
    sessions: Vec<Arc<Session>>,
    _staying: Vec<Session>,
}

impl Chat {
    async fn new(case: Case, threads: usize) -> Self {
        let registry = registry().await;
        let rooms = Arc::from(rooms(case.rooms));
        let staying = crowd(&registry, &room(0), case.staying).await;
        let guest = |number| Arc::new(session(&registry, &format!("guest {number}")));
        let sessions = (0..threads).map(guest).collect();
        Self { registry, rooms, sessions, _staying: staying }
    }

    fn churn(&self, runtime: &Runtime, rounds: u64) -> Duration {
        let threads = self.sessions.len();
        runtime.block_on(together(threads, |thread| {
            let (session, rooms) = (Arc::clone(&self.sessions[thread]), Arc::clone(&self.rooms));
            let begin = begin(thread, threads, rooms.len());
            async move {
                for room in rooms.iter().cycle().skip(begin).take(share(rounds, threads)) {
                    session.join(room, Join::default()).await.expect("there is no limit");
                    session.leave(room).expect("it is there");
                    hear(&session);
                }
            }
        }))
    }
}

/// What is the least that any table of rooms does: a map of maps, and the empty one removed.
struct Bare {
    table: DashMap<String, Mutex<HashMap<u64, String>>>,
    rooms: Vec<String>,
}

impl Bare {
    fn new(case: Case) -> Self {
        let rooms = rooms(case.rooms).iter().map(ToString::to_string).collect();
        let bare = Self { table: DashMap::new(), rooms };
        for number in 0..case.staying {
            bare.join(&bare.rooms[0], u64::MAX - number as u64);
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

    fn churn(self: &Arc<Self>, runtime: &Runtime, rounds: u64, threads: usize) -> Duration {
        runtime.block_on(together(threads, |thread| {
            let bare = Arc::clone(self);
            let begin = begin(thread, threads, bare.rooms.len());
            async move {
                for room in bare.rooms.iter().cycle().skip(begin).take(share(rounds, threads)) {
                    bare.join(room, thread as u64);
                    bare.leave(room, thread as u64);
                }
            }
        }))
    }
}

criterion_group!(benches, join_leave);
criterion_main!(benches);
