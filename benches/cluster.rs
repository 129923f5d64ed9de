//! What it costs to share rooms with other nodes, over a real Redis, beside the same in memory: `cargo bench --bench cluster`.
//!
//! - `join_leave/NODES`: 64 users, each in a room of their own, join and leave it, and each leave is known everywhere before the next join. One element is a join and a leave.
//! - `publish/NODES`: in each of 8 rooms a user with 64 messages under way, and on the next node one who listens. One element is one message that is kept.
//! - `deliver/NODES`: one room of 100, spread over the nodes; a message, and the next one when all have taken it. One element is one copy.
//!
//! Two threads for all nodes together; Redis has the processor beside them. `memory` is one registry without a cluster.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chatrooms::{Join, RoomRegistry, Session, redis::RedisCluster};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use tokio::{
    runtime::Runtime,
    task::{JoinSet, yield_now},
};

mod common;
#[path = "../chatrooms-redis/tests/redis/server.rs"]
#[allow(dead_code, reason = "the tests of the cluster itself ask it for more")]
mod server;

use common::{
    people::{hear, post, registry, room, session, speak, unlimited},
    runtime, sized, together,
};
use server::Server;

const USERS: usize = 64;
const ROOMS: usize = 8;
const MEMBERS: usize = 100;

fn cluster(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cluster");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for nodes in 0..=3 {
        let runtime = runtime(2);
        let house = Arc::new(runtime.block_on(House::open(nodes)));
        measure(&mut group, &runtime, &house);
        // A cluster is left within the runtime.
        runtime.block_on(async { drop(house) });
    }
    group.finish();
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, house: &Arc<House>) {
    let name = house.name();
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("join_leave", &name), |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(join_and_leave(house, rounds)));
    });
    group.bench_function(BenchmarkId::new("publish", &name), |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(publish(house, rounds)));
    });
    let members = sized(MEMBERS, 10);
    group.throughput(Throughput::Elements(members as u64));
    group.bench_function(BenchmarkId::new("deliver", &name), |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(deliver(house, members, rounds)));
    });
}

/// Nodes of one cluster, or a registry by itself.
struct House {
    nodes: Vec<RoomRegistry>,
    redis: Option<Server>,
}

impl House {
    async fn open(count: usize) -> Self {
        if count == 0 {
            return Self { nodes: vec![registry().await], redis: None };
        }
        let (redis, mut nodes) = (Server::start().await, Vec::new());
        for _ in 0..count {
            let cluster = RedisCluster::connect(&redis.url()).await.expect("redis runs");
            let node = RoomRegistry::builder().cluster(cluster).config(unlimited()).start();
            nodes.push(node.await.expect("redis runs"));
        }
        Self { nodes, redis: Some(redis) }
    }

    fn name(&self) -> String {
        match self.redis {
            Some(_) => self.nodes.len().to_string(),
            None => "memory".to_owned(),
        }
    }

    /// Somebody on the node whose turn it is.
    fn user(&self, number: usize) -> Session {
        session(&self.nodes[number % self.nodes.len()], &format!("user {number}"))
    }
}

async fn join_and_leave(house: &Arc<House>, rounds: u64) -> Duration {
    let each = rounds.div_ceil(USERS as u64);
    let coming = |number| {
        let (user, room) = (house.user(number), room(number));
        async move {
            for _ in 0..each {
                user.join(&room, Join::default()).await.expect("there is no limit");
                user.leave_everywhere(&room).await.expect("it is there");
                hear(&user);
            }
        }
    };
    together(USERS, coming).await
}

async fn publish(house: &Arc<House>, messages: u64) -> Duration {
    let each = messages.div_ceil(ROOMS as u64);
    let (mut speakers, mut listening) = (Vec::new(), JoinSet::new());
    for number in 0..ROOMS {
        let (speaker, listener) = (house.user(number), house.user(number + 1));
        for member in [&speaker, &listener] {
            member.join(&room(number), Join::default()).await.expect("there is no limit");
        }
        listening.spawn(listen(listener, Arc::default()));
        speakers.push(Arc::new(speaker));
    }
    together(ROOMS, |number| speak(Arc::clone(&speakers[number]), room(number), each)).await
}

async fn deliver(house: &Arc<House>, members: usize, rounds: u64) -> Duration {
    let (hall, taken) = (room(0), Arc::new(AtomicUsize::new(0)));
    let mut listening = JoinSet::new();
    for number in 1..members {
        let member = house.user(number);
        member.join(&hall, Join::default()).await.expect("there is no limit");
        listening.spawn(listen(member, Arc::clone(&taken)));
    }
    let speaker = house.user(0);
    speaker.join(&hall, Join::default()).await.expect("there is no limit");
    let all_have = async |messages: usize| {
        while taken.load(Ordering::Relaxed) < messages {
            yield_now().await;
        }
    };
    // Until everybody has heard of everybody, what they take is not only messages.
    speaker.publish(&hall, post()).await.expect("redis runs");
    all_have(members - 1).await;
    let began = Instant::now();
    for round in 0..rounds as usize {
        speaker.publish(&hall, post()).await.expect("redis runs");
        hear(&speaker);
        all_have((round + 2) * (members - 1)).await;
    }
    began.elapsed()
}

/// Counts the messages that it hears.
async fn listen(member: Session, taken: Arc<AtomicUsize>) {
    let mut told = Vec::new();
    while member.outbox().take(&mut told, usize::MAX).await.is_ok() {
        let events = told.iter().flat_map(chatrooms::Outgoing::events);
        let is_message = |event: &&Arc<chatrooms::Event>| {
            matches!(event.kind(), chatrooms::EventKind::Message(_))
        };
        taken.fetch_add(events.filter(is_message).count(), Ordering::Relaxed);
        told.clear();
    }
}

criterion_group!(benches, cluster);
criterion_main!(benches);
