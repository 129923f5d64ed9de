//! A Redis of one's own.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// No test waits for longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A Redis on a socket in a folder of its own, which ends with the test.
pub(crate) struct Server {
    folder: TempDir,
    child: Child,
    keeps: bool,
}

impl Server {
    /// One that keeps nothing over its end.
    pub(crate) async fn start() -> Self {
        Self::begin(tempfile::tempdir().unwrap(), false).await
    }

    /// One that keeps all that it has answered.
    pub(crate) async fn that_keeps() -> Self {
        Self::begin(tempfile::tempdir().unwrap(), true).await
    }

    async fn begin(folder: TempDir, keeps: bool) -> Self {
        let child = spawn(&folder, keeps);
        let server = Self { folder, child, keeps };
        server.answers().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket())
    }

    fn socket(&self) -> String {
        self.folder.path().join("redis.sock").to_string_lossy().into_owned()
    }

    async fn answers(&self) {
        eventually("redis answers", async || self.ask(&["PING"]) == "PONG").await;
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, with what it has kept.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.folder, self.keeps);
        self.answers().await;
    }

    /// Starts it again, with nothing of what it has kept.
    pub(crate) async fn restart_without(&mut self) {
        if self.keeps {
            std::fs::remove_dir_all(self.folder.path().join("appendonlydir")).unwrap();
        }
        self.restart().await;
    }

    /// Has it hang, or go on.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// The channels of rooms that somebody listens to, by name.
    pub(crate) fn channels(&self) -> Vec<String> {
        let all = self.ask(&["PUBSUB", "CHANNELS", "*"]);
        let mut channels: Vec<_> = all.lines().map(ToOwned::to_owned).collect();
        channels.retain(|channel| !channel.contains("{nodes}:orders"));
        channels.sort_unstable();
        channels
    }

    /// How many channels each connection that listens has subscribed to, from the oldest connection on.
    pub(crate) fn subscriptions(&self) -> Vec<usize> {
        let all = self.ask(&["CLIENT", "LIST"]);
        let count = |line: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix("sub="));
            word.unwrap().parse::<usize>().unwrap()
        };
        all.lines().map(count).filter(|count| *count > 0).collect()
    }

    /// Asks by Redis' own client.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let output =
            Command::new("redis-cli").args(["-s", &self.socket(), "--raw"]).args(words).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim_end().to_owned()
    }

    /// All keys, by name.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.ask(&["KEYS", "*"]).lines().map(ToOwned::to_owned).collect();
        keys.sort_unstable();
        keys
    }

    /// Those of rooms, fences not counted.
    pub(crate) fn keys_of_rooms(&self) -> Vec<String> {
        let mut keys = self.keys();
        keys.retain(|key| !key.contains("{nodes}:") && !key.contains(":f:"));
        keys
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &TempDir, keeps: bool) -> Child {
    let keep = if keeps { "yes" } else { "no" };
    let mut server = Command::new("redis-server");
    server.args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""]);
    server.args(["--appendonly", keep, "--appendfsync", "always"]).current_dir(folder.path());
    server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("redis-server is installed")
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "it never came to this: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
