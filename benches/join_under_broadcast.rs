//! How long a join takes while a room of 10,000 is being sent to: `cargo bench --bench join_under_broadcast`.
//!
//! A runtime with a thread per core. In one room there are 10,000 members, each a task that waits for its outbox and takes what is there. One more task publishes to the room without a
//! pause. Joins come one by one, a millisecond apart, each followed by a leave.
//!
//! - `join`: from the call of `Session::join` to its return, in a task that is running: what the library itself makes people wait.
//! - `request`: the same join in a task that is started for it, from the start: it waits for its turn behind everybody who has just been woken, as the request of a
//!   socket does.
//!
//! All of it shares the machine's cores, the 10,000 tasks and the publisher too. What criterion reports is the 99th percentile of 100 joins; the percentiles and the
//! histogram of all joins are printed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chatrooms::{Join, RoomName, Session};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use tokio::{runtime::Runtime, task::JoinSet, time::sleep};

mod common;

use common::{
    people::{crowd, hear, post, registry, room, session},
    runtime, sized,
    spread::Spread,
};

const PAUSE: Duration = Duration::from_millis(1);

fn join_under_broadcast(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let runtime = runtime(cores);
    let hall = runtime.block_on(Hall::new(sized(10_000, 10)));
    let joins = sized(100, 2);
    let mut group = criterion.benchmark_group("join_under_broadcast");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, way) in [("join", Way::Called), ("request", Way::Started)] {
        let mut all = Vec::new();
        let (began, said) = (Instant::now(), hall.said.load(Ordering::Relaxed));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let times = runtime.block_on(hall.joins(joins, way));
                all.extend_from_slice(&times);
                Spread::new(times).per_mille(990) * u32::try_from(rounds).unwrap_or(u32::MAX)
            });
        });
        let rate =
            (hall.said.load(Ordering::Relaxed) - said) as f64 / began.elapsed().as_secs_f64();
        if !all.is_empty() {
            println!(
                "{name}, {rate:.0} messages/s to {} members: {}",
                hall.members,
                Spread::new(all)
            );
        }
    }
    group.finish();
    stop(runtime, hall);
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// From the call.
    Called,
    /// From the start of a task for it.
    Started,
}

/// A room that is being sent to without a pause.
struct Hall {
    room: RoomName,
    members: usize,
    guest: Arc<Session>,
    said: Arc<AtomicU64>,
    _busy: JoinSet<()>,
}

impl Hall {
    async fn new(members: usize) -> Self {
        let (registry, room) = (registry().await, room(0));
        let mut busy = JoinSet::new();
        for member in crowd(&registry, &room, members).await {
            busy.spawn(listen(member));
        }
        let speaker = session(&registry, "speaker");
        speaker.join(&room, Join::default()).await.expect("there is no limit");
        let said = Arc::new(AtomicU64::new(0));
        busy.spawn(speak(speaker, room.clone(), Arc::clone(&said)));
        let guest = Arc::new(session(&registry, "guest"));
        Self { room, members, guest, said, _busy: busy }
    }

    /// How long so many joins have taken.
    async fn joins(&self, count: usize, way: Way) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            // In a task too where it is the call that is timed: this is not one of the runtime's threads.
            let (guest, room, began) = (Arc::clone(&self.guest), self.room.clone(), Instant::now());
            let time = tokio::spawn(async move {
                let began = if let Way::Started = way { began } else { Instant::now() };
                guest.join(&room, Join::default()).await.expect("there is no limit");
                let time = began.elapsed();
                guest.leave(&room).expect("it is there");
                hear(&guest);
                time
            });
            times.push(time.await.expect("nobody panics"));
            sleep(PAUSE).await;
        }
        times
    }
}

async fn listen(member: Session) {
    let mut told = Vec::new();
    while member.outbox().take(&mut told, usize::MAX).await.is_ok() {
        told.clear();
    }
}

async fn speak(speaker: Session, room: RoomName, said: Arc<AtomicU64>) {
    loop {
        speaker.publish(&room, post()).await.expect("there is no limit");
        said.fetch_add(1, Ordering::Relaxed);
        hear(&speaker);
        // A publish to the memory store may never wait for anything: others have their turn.
        tokio::task::yield_now().await;
    }
}

/// The tasks end with their runtime, in whatever order; 10,000 departures are nothing to wait for.
fn stop(runtime: Runtime, hall: Hall) {
    runtime.shutdown_background();
    drop(hall);
}

criterion_group!(benches, join_under_broadcast);
criterion_main!(benches);
