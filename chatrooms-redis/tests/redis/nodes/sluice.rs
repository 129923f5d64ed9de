//! A way to Redis on which answers can be kept waiting, and lost: what is asked arrives all the same.

use std::sync::Arc;

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::watch,
};
use tokio_util::task::AbortOnDropHandle;

use crate::support::Server;

/// Stands between a node and Redis.
pub(crate) struct Sluice {
    folder: TempDir,
    gate: Arc<watch::Sender<Gate>>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Clone, Copy, Default)]
struct Gate {
    is_shut: bool,
    /// How often everything that was connected has been broken off.
    breaks: usize,
}

impl Sluice {
    pub(crate) fn start(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("sluice.sock")).unwrap();
        let upstream = server.url().trim_start_matches("unix://").to_owned();
        let gate = Arc::new(watch::Sender::default());
        let by = Arc::clone(&gate);
        let task = tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                // Where there is no Redis, there is none behind this either.
                let Ok(redis) = UnixStream::connect(&upstream).await else { continue };
                let passing = pass(client, redis, by.subscribe());
                connections.push(AbortOnDropHandle::new(tokio::spawn(passing)));
            }
        });
        Self { folder, gate, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("sluice.sock").display())
    }

    /// What Redis says waits here from now on.
    pub(crate) fn shut(&self) {
        self.gate.send_modify(|gate| gate.is_shut = true);
    }

    /// What waits passes, and all that comes.
    pub(crate) fn open(&self) {
        self.gate.send_modify(|gate| gate.is_shut = false);
    }

    /// What waits is lost with its connection; what comes over the next one passes.
    pub(crate) fn break_off(&self) {
        self.gate.send_modify(|gate| *gate = Gate { is_shut: false, breaks: gate.breaks + 1 });
    }
}

async fn pass(client: UnixStream, redis: UnixStream, mut gate: watch::Receiver<Gate>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_redis, mut to_redis) = redis.into_split();
    let breaks = gate.borrow().breaks;
    let mut broken = gate.clone();
    let answering = async {
        let mut answers = Vec::new();
        while from_redis.read_buf(&mut answers).await.is_ok_and(|read| read > 0) {
            let is_open = gate.wait_for(|gate| !gate.is_shut).await.is_ok();
            if !is_open || to_client.write_all(&std::mem::take(&mut answers)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        _ = broken.wait_for(|gate| gate.breaks > breaks) => {}
        _ = tokio::io::copy(&mut from_client, &mut to_redis) => {}
        () = answering => {}
    }
}
