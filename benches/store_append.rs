//! What it costs to keep a message: `cargo bench --bench store_append`.
//!
//! - `append/STORE/ROOMS`: the store by itself, `MessageStore::append`: for each of so many rooms a task that gives it 64 messages at a time, the next when these are
//!   kept. A life ends after 10,000 messages, and its end is part of the time.
//! - `publish/STORE/ROOMS`: through the registry, as sessions do: in each of so many rooms one user with 64 messages under way. The room's writer gives the store what has
//!   gathered meanwhile, and the room hands the message to the one who is there. Here too a room keeps 10,000; the oldest are trimmed.
//!
//! Two threads. One element is one message that is kept. What is left at the end of a sample is removed before the next one.

use std::{hint::black_box, sync::Arc, time::Duration};

use chatrooms::{Budget, Draft, Join, Life, MessageStore, RoomName, RoomRegistry};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};

mod common;

use common::{
    people::{UNDER_WAY, identity, post, registry_over, room, session, speak, swept},
    runtime,
    store::{KINDS, Kind},
    together,
};

const ROOMS: [usize; 2] = [1, 8];
const KEPT: u64 = 10_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn store_append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store_append");
    group.sample_size(10).throughput(Throughput::Elements(1));
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_millis(1500));
    for kind in KINDS {
        for rooms in ROOMS {
            appending(&mut group, kind, rooms);
            publishing(&mut group, kind, rooms);
        }
    }
    group.finish();
}

fn appending(group: &mut BenchmarkGroup<'_, WallTime>, kind: Kind, rooms: usize) {
    let runtime = runtime(2);
    let (store, _folder) = runtime.block_on(kind.open());
    let id = BenchmarkId::new("append", format!("{}/{rooms}", kind.name()));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(append(&store, rooms, rounds)));
    });
    runtime.block_on(store.shutdown()).expect("it ends");
}

fn publishing(group: &mut BenchmarkGroup<'_, WallTime>, kind: Kind, rooms: usize) {
    let runtime = runtime(2);
    let (store, _folder) = runtime.block_on(kind.open());
    let registry = runtime.block_on(registry_over(store));
    let id = BenchmarkId::new("publish", format!("{}/{rooms}", kind.name()));
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(publish(&registry, rooms, rounds)));
    });
    runtime.block_on(registry.shutdown(PATIENCE));
}

/// Keeps so many messages in all, in so many rooms at once.
async fn append(store: &Arc<dyn MessageStore>, rooms: usize, messages: u64) -> Duration {
    let each = messages.div_ceil(rooms as u64);
    together(rooms, |number| fill_lives(Arc::clone(store), room(number), each)).await
}

async fn fill_lives(store: Arc<dyn MessageStore>, room: RoomName, messages: u64) {
    let mut left = messages;
    while left > 0 {
        let size = left.min(KEPT);
        let life = open(&*store, &room).await;
        fill(&*store, &life, size).await;
        store.close(&life).await.expect("the store works");
        left -= size;
    }
}

async fn open(store: &dyn MessageStore, room: &RoomName) -> Life {
    let nothing = Budget { messages: 0, bytes: 0 };
    store.open(room, None, nothing).await.expect("the store works").life
}

async fn fill(store: &dyn MessageStore, life: &Life, messages: u64) {
    let mut left = messages;
    while left > 0 {
        let size = left.min(UNDER_WAY as u64);
        let drafts = (0..size).map(|_| draft()).collect();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        for appended in store.append(life, drafts, deadline).await {
            black_box(appended.expect("the store works"));
        }
        left -= size;
    }
}

fn draft() -> Draft {
    Draft::new(identity("ada").user().clone(), post().body)
}

/// Says so many messages in all, in so many rooms at once.
async fn publish(registry: &RoomRegistry, rooms: usize, messages: u64) -> Duration {
    let each = messages.div_ceil(rooms as u64);
    let mut speakers = Vec::with_capacity(rooms);
    for number in 0..rooms {
        let speaker = session(registry, &format!("speaker {number}"));
        speaker.join(&room(number), Join::default()).await.expect("there is no limit");
        speakers.push(Arc::new(speaker));
    }
    let time = together(rooms, |number| speak(Arc::clone(&speakers[number]), room(number), each));
    let time = time.await;
    drop(speakers);
    swept(registry).await;
    time
}

criterion_group!(benches, store_append);
criterion_main!(benches);
