//! A way to Redis on which round trips can be counted: what a node asks waits here until it is let through, with all else that it asks meanwhile.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::{Notify, mpsc},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use crate::support::Server;

/// How long what is asked at the same time may take to arrive.
const TOGETHER: Duration = Duration::from_millis(20);

/// Stands between a node and Redis.
pub(crate) struct Toll {
    folder: TempDir,
    barrier: Arc<Barrier>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Barrier {
    /// What waits, while that is counted.
    waiting: Mutex<Option<Vec<Asked>>>,
    arrived: Notify,
}

/// Some bytes, and the way that they take.
struct Asked(mpsc::UnboundedSender<Vec<u8>>, Vec<u8>);

impl Asked {
    fn pass(self) {
        // A connection that has ended needs no more.
        let _ = self.0.send(self.1);
    }
}

impl Barrier {
    fn arrive(&self, asked: Asked) {
        match &mut *self.waiting.lock().unwrap() {
            Some(waiting) => waiting.push(asked),
            None => asked.pass(),
        }
        self.arrived.notify_one();
    }

    /// Lets everything through that waits; says whether that was anything. From then on it waits again, or where nothing is `counted` does not.
    fn open(&self, counted: bool) -> bool {
        let next = counted.then(Vec::new);
        let waiting = std::mem::replace(&mut *self.waiting.lock().unwrap(), next);
        let waiting = waiting.unwrap_or_default();
        let was_any = !waiting.is_empty();
        waiting.into_iter().for_each(Asked::pass);
        was_any
    }
}

impl Toll {
    pub(crate) fn start(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("toll.sock")).unwrap();
        let upstream = server.url().trim_start_matches("unix://").to_owned();
        let barrier = Arc::new(Barrier::default());
        let by = Arc::clone(&barrier);
        let task = tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                let redis = UnixStream::connect(&upstream).await.unwrap();
                let passing = pass(client, redis, Arc::clone(&by));
                connections.push(AbortOnDropHandle::new(tokio::spawn(passing)));
            }
        });
        Self { folder, barrier, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("toll.sock").display())
    }

    /// Does something; says how many round trips it took, one after the other.
    pub(crate) async fn trips<T>(&self, work: impl Future<Output = T>) -> (T, usize) {
        let (mut work, mut trips) = (pin!(work), 0);
        self.barrier.open(true);
        loop {
            let asked = async {
                self.barrier.arrived.notified().await;
                sleep(TOGETHER).await;
            };
            tokio::select! {
                biased;
                done = &mut work => {
                    self.barrier.open(false);
                    return (done, trips);
                }
                () = asked => trips += usize::from(self.barrier.open(true)),
            }
        }
    }
}

async fn pass(client: UnixStream, redis: UnixStream, barrier: Arc<Barrier>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_redis, to_redis) = redis.into_split();
    let (way, passed) = mpsc::unbounded_channel();
    let asking = async {
        let mut buffer = Vec::new();
        while from_client.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
            barrier.arrive(Asked(way.clone(), std::mem::take(&mut buffer)));
        }
    };
    tokio::select! {
        () = asking => {}
        () = write(passed, to_redis) => {}
        _ = tokio::io::copy(&mut from_redis, &mut to_client) => {}
    }
}

async fn write(mut passed: mpsc::UnboundedReceiver<Vec<u8>>, mut to: OwnedWriteHalf) {
    while let Some(bytes) = passed.recv().await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
