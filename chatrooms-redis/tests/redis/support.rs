//! Nodes on a Redis of one's own, and short words for what all tests do.

use std::{sync::Arc, time::Duration};

use chatrooms_core::{
    Appended, Budget, Cluster, ClusterError, Config, ConnectionId, Draft, EdgeKind, Entered, Entry,
    Known, Life, News, People, RoomName, RoomRules, UserName,
};
use chatrooms_redis::{RedisCluster, RedisOptions};
use tokio::time::Instant;

pub(crate) use crate::server::{PATIENCE, Server, eventually};

/// Short, and long enough for a machine that has other things to do.
pub(crate) const LEASE: Duration = Duration::from_secs(1);
pub(crate) const ALL: Budget = Budget { messages: 1000, bytes: usize::MAX };

/// Nodes on it.
impl Server {
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

/// Those of a node that is missed soon.
pub(crate) fn options() -> RedisOptions {
    RedisCluster::options().lease(LEASE)
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
