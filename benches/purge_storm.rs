//! How long it takes until rooms are gone that are all emptied at once: `cargo bench --bench purge_storm`.
//!
//! `STORE/ROOMS`: so many rooms with two members and ten messages each. All sessions end one after the other, without a pause; the time runs until the last message is removed from the
//! store. One element is one room. Two threads; filling the rooms is not timed.
//! Each room takes the same instructions (`empty_a_room` of `cargo xtask instructions`), however many there are; more rooms than the caches hold take longer.

use std::time::{Duration, Instant};

use chatrooms::{Join, RoomName, RoomRegistry, Session};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main, measurement::WallTime,
};
use futures_util::future::join_all;

mod common;

use common::{
    people::{post, registry_over, rooms, session, swept},
    runtime, sized,
    store::{KINDS, Kind},
};

const MEMBERS: usize = 2;
const MESSAGES: usize = 10;
const PATIENCE: Duration = Duration::from_secs(60);

fn purge_storm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("purge_storm");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
    for kind in KINDS {
        for rooms in [100, 1000, 10_000] {
            storm(&mut group, kind, rooms);
        }
    }
    group.finish();
}

fn storm(group: &mut BenchmarkGroup<'_, WallTime>, kind: Kind, count: usize) {
    let runtime = runtime(2);
    let (store, _folder) = runtime.block_on(kind.open());
    let registry = runtime.block_on(registry_over(store));
    let rooms = rooms(sized(count, 2));
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(BenchmarkId::new(kind.name(), count), |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds).map(|_| runtime.block_on(empty(&registry, &rooms))).sum()
        });
    });
    runtime.block_on(registry.shutdown(PATIENCE));
}

/// Fills the rooms, and empties them all.
async fn empty(registry: &RoomRegistry, rooms: &[RoomName]) -> Duration {
    let filled = join_all(rooms.iter().map(|room| fill(registry, room))).await;
    let began = Instant::now();
    drop(filled);
    swept(registry).await;
    let time = began.elapsed();
    assert_eq!(registry.stats().rooms, 0, "every room is gone");
    time
}

async fn fill(registry: &RoomRegistry, room: &RoomName) -> Vec<Session> {
    let mut members = Vec::with_capacity(MEMBERS);
    for number in 0..MEMBERS {
        let member = session(registry, &format!("member {number} of {room}"));
        member.join(room, Join::default()).await.expect("there is no limit");
        members.push(member);
    }
    for _ in 0..MESSAGES {
        members[0].publish(room, post()).await.expect("the store works");
    }
    members
}

criterion_group!(benches, purge_storm);
criterion_main!(benches);
