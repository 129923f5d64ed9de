//! What a message costs for each who is told of it, without a socket: `cargo bench --bench fan_out`.
//!
//! One thread. A room of so many members, each a task that waits for its outbox and takes what is there; a message is published, and the next one when all have taken it.
//! One element is one copy that one member has taken.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chatrooms::{RoomName, Session};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::{
    runtime::Builder,
    task::{JoinSet, yield_now},
};

mod common;

use common::{
    people::{crowd, hear, post, registry, room},
    sized,
};

fn fan_out(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fan_out");
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for members in [10, 100, 1000, 10_000] {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let hall = runtime.block_on(Hall::new(sized(members, 10)));
        group.throughput(Throughput::Elements(members as u64));
        group.bench_function(BenchmarkId::from_parameter(members), |bencher| {
            bencher.iter_custom(|rounds| runtime.block_on(hall.publish(rounds)));
        });
    }
    group.finish();
}

/// A room in which everybody listens.
struct Hall {
    room: RoomName,
    speaker: Session,
    members: usize,
    taken: Arc<AtomicUsize>,
    _listening: JoinSet<()>,
}

impl Hall {
    /// The speaker is one of the members.
    async fn new(members: usize) -> Self {
        let (registry, room) = (registry().await, room(0));
        let mut crowd = crowd(&registry, &room, members).await;
        let speaker = crowd.pop().expect("there is somebody");
        let taken = Arc::new(AtomicUsize::new(0));
        let mut listening = JoinSet::new();
        for member in crowd {
            listening.spawn(listen(member, Arc::clone(&taken)));
        }
        // So that everybody waits for their outbox.
        yield_now().await;
        Self { room, speaker, members, taken, _listening: listening }
    }

    async fn publish(&self, rounds: u64) -> Duration {
        let began = Instant::now();
        for _ in 0..rounds {
            self.taken.store(0, Ordering::Relaxed);
            self.speaker.publish(&self.room, post()).await.expect("there is no limit");
            let own = hear(&self.speaker);
            while self.taken.load(Ordering::Relaxed) + own < self.members {
                yield_now().await;
            }
        }
        began.elapsed()
    }
}

async fn listen(member: Session, taken: Arc<AtomicUsize>) {
    let mut told = Vec::with_capacity(1);
    while member.outbox().take(&mut told, usize::MAX).await.is_ok() {
        taken.fetch_add(told.len(), Ordering::Relaxed);
        black_box(&told);
        told.clear();
    }
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
