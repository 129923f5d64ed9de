//! A Redis of one's own, nodes on it, and short words for what all tests do.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use chatrooms_core::{
    Appended, Budget, Cluster, ClusterError, Config, ConnectionId, Draft, EdgeKind, Entered, Entry,
    Known, Life, News, People, RoomName, RoomRules, UserName,
};
use chatrooms_redis::{RedisCluster, RedisOptions};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Short, and long enough for a machine that has other things to do.
pub(crate) const LEASE: Duration = Duration::from_secs(1);
/// No test waits for longer.
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const ALL: Budget = Budget { messages: 1000, bytes: usize::MAX };

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

    /// A node whose lease no test waits for, however slow the machine is.
    pub(crate) async fn node(&self) -> RedisCluster {
        self.node_with(RedisCluster::options()).await
    }

    /// One that is missed soon.
    pub(crate) async fn mortal(&self) -> RedisCluster {
        self.node_with(options()).await
    }

    pub(crate) async fn node_with(&self, options: RedisOptions) -> RedisCluster {
        options.connect(&self.url()).await.unwrap()
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

/// Those of a node that is missed soon.
pub(crate) fn options() -> RedisOptions {
    RedisCluster::options().lease(LEASE)
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "it never came to this: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

pub(crate) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn rules() -> RoomRules {
    RoomRules::new(&Config::default())
}

pub(crate) fn lingering(linger: Duration) -> RoomRules {
    let mut rules = rules();
    rules.linger = linger;
    rules
}

/// Somebody new.
pub(crate) fn entry(name: &str) -> Entry {
    Entry { connection: ConnectionId::new(), user: user(name), name: None, meta: None }
}

/// Somebody enters the room `tea`, of which nothing is known.
pub(crate) async fn enter(node: &RedisCluster, name: &str) -> (Entered, ConnectionId) {
    let entry = entry(name);
    let entered = node.enter(&room("tea"), &entry, &rules(), None, ALL).await.unwrap();
    (entered, entry.connection)
}

pub(crate) async fn try_enter(node: &RedisCluster, name: &str) -> Result<Entered, ClusterError> {
    node.enter(&room("tea"), &entry(name), &rules(), None, ALL).await
}

pub(crate) fn draft(name: &str, body: &str) -> Draft {
    Draft::new(user(name), body)
}

/// Says something, which must be new.
pub(crate) async fn say(node: &RedisCluster, life: &Life, draft: Draft) -> u64 {
    let deadline = Instant::now() + PATIENCE;
    match node.append(life, vec![draft], deadline).await.remove(0) {
        Ok(Appended::Stored { message, .. }) => message.seq,
        other => panic!("{other:?}"),
    }
}

/// How far the reader of these news has come.
pub(crate) fn known(life: &Life, news: &News, before: Option<Known>) -> Known {
    let edge = match &news.people {
        People::All { edge, .. } => *edge,
        People::Changed(edges) => {
            edges.last().map_or(before.map_or(0, |known| known.edge), |edge| edge.number)
        }
    };
    let seq = news.messages.last().map_or(before.map_or(0, |known| known.seq), |last| last.seq);
    let seq = if before.is_none() { news.head } else { seq };
    let note =
        news.note.as_ref().map_or(before.map_or(0, |known| known.note), |note| note.revision);
    Known { epoch: life.epoch, seq, edge, note }
}

/// Who is there, by when they came.
pub(crate) fn people(news: &News) -> String {
    let People::All { connected, .. } = &news.people else { panic!("{news:?}") };
    let names = connected.iter().map(|one| one.entry.user.to_string());
    names.collect::<Vec<_>>().join(" ")
}

/// What happened, in short.
pub(crate) fn edges(news: &News) -> String {
    let People::Changed(edges) = &news.people else { panic!("{news:?}") };
    let short = edges.iter().map(|edge| match &edge.kind {
        EdgeKind::Entered(entry) => format!("{}+{}", edge.number, entry.user),
        EdgeKind::Exited(_) => format!("{}-", edge.number),
        EdgeKind::Removed { code, reason, .. } => {
            format!("{}!{}:{}", edge.number, code.code(), reason.as_deref().unwrap_or_default())
        }
        EdgeKind::Redacted { seq, by } => {
            format!("{}~{seq}:{}", edge.number, by.as_ref().map_or("host", |by| by.as_str()))
        }
        other => panic!("{other:?}"),
    });
    short.collect::<Vec<_>>().join(" ")
}

pub(crate) fn bodies(messages: &[Arc<chatrooms_core::Message>]) -> String {
    let short = messages.iter().map(|message| format!("{}{}", message.seq, message.draft.body));
    short.collect::<Vec<_>>().join(" ")
}
