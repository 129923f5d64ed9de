//! How long a join takes while a room of 10,000 is being sent to: `cargo bench --bench join_under_broadcast`.
//!
//! A runtime with a thread per core. In one room there are 10,000 members, each a task that waits for its outbox and takes what is there. One more task publishes to the room without a
//! pause. Joins come one by one, at least a millisecond apart, each followed by a leave.
//!
//! - `join`: from the call of `Session::join` to its return: what the library itself makes people wait.
//! - `request`: the same, from the moment at which somebody outside writes the request into a socket of this machine: its reader has to be noticed and to have its turn among
//!   10,000 tasks that have something to take.
//!
//! All of it shares the machine's cores, which are never idle meanwhile: a core that is taken by another program is missing here, and where that happens under the
//! room's lock everybody waits. What criterion reports is the 50th or the 99th percentile of 100 joins; the percentiles and the histogram of all joins are printed.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

use chatrooms::{Join, RoomName, Session};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    task::JoinSet,
};

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
    for (name, way) in [("join", Way::Called), ("request", Way::Asked)] {
        let mut all = Vec::new();
        let (began, said) = (Instant::now(), hall.said.load(Ordering::Relaxed));
        for (share, per_mille) in [("p50", 500), ("p99", 990)] {
            group.bench_function(format!("{name}/{share}"), |bencher| {
                bencher.iter_custom(|rounds| {
                    let times = hall.joins(&runtime, joins, way);
                    all.extend_from_slice(&times);
                    Spread::new(times).per_mille(per_mille)
                        * u32::try_from(rounds).unwrap_or(u32::MAX)
                });
            });
        }
        let said = hall.said.load(Ordering::Relaxed) - said;
        if !all.is_empty() {
            let rate = said as f64 / began.elapsed().as_secs_f64();
            println!("{name}, {rate:.0} messages/s to {}: {}", hall.members, Spread::new(all));
        }
    }
    group.finish();
    stop(runtime, hall);
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// From the call.
    Called,
    /// From the request.
    Asked,
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
    fn joins(&self, runtime: &Runtime, count: usize, way: Way) -> Vec<Duration> {
        let clock = Instant::now();
        let (mut client, server) = runtime.block_on(connection());
        let (tell, told) = std::sync::mpsc::channel();
        let (guest, room) = (Arc::clone(&self.guest), self.room.clone());
        runtime.spawn(async move { answer(server, guest, room, clock, way, tell).await });
        let one = |_| {
            std::thread::sleep(PAUSE);
            client.write_all(&nanos(clock.elapsed()).to_le_bytes()).expect("it is connected");
            told.recv().expect("nobody panics")
        };
        (0..count).map(one).collect()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Both ends of a connection: the outside and the runtime's.
async fn connection() -> (std::net::TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let client = std::net::TcpStream::connect(address).expect("somebody listens");
    client.set_nodelay(true).expect("it is connected");
    (client, listener.accept().await.expect("somebody has connected").0)
}

/// Joins when asked to, until the client has gone. A request says when it was made.
async fn answer(
    mut server: TcpStream,
    guest: Arc<Session>,
    room: RoomName,
    clock: Instant,
    way: Way,
    tell: Sender<Duration>,
) {
    let mut asked = [0; size_of::<u64>()];
    while server.read_exact(&mut asked).await.is_ok() {
        let began = match way {
            Way::Asked => Duration::from_nanos(u64::from_le_bytes(asked)),
            Way::Called => clock.elapsed(),
        };
        guest.join(&room, Join::default()).await.expect("there is no limit");
        let time = clock.elapsed() - began;
        guest.leave(&room).expect("it is there");
        hear(&guest);
        // Whoever asked may have enough.
        let _ = tell.send(time);
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
