//! This node among the others: its beat, and who sees to the dead.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatrooms_core::{ClusterError, Epoch, Exited, Life, RoomName};
use futures_util::{StreamExt as _, stream};
use redis::{Value, cmd};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    NAME, RedisOptions,
    hosting::{Hosting, let_go_of_left_over},
    keys::Keys,
    link::Link,
    reply::{self, Reply, parsed},
    scripts::Scripts,
    watchtower::Watchtower,
};

/// How many rooms of a dead node are seen to at a time.
const AT_A_TIME: usize = 16;
/// How many are asked for at a time.
const ROOMS: isize = 256;
/// A dead node stays fenced for so many leases: far longer than anything that it has sent can be on its way.
const FENCED: u32 = 360;

/// One node, with all that it shares with its tasks.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) link: Link,
    pub(crate) keys: Keys,
    pub(crate) options: RedisOptions,
    pub(crate) scripts: Scripts,
    pub(crate) hosting: Hosting,
    /// Held for one look, never over an await.
    standing: Mutex<Standing>,
    /// Who is told of lives that ended with a node.
    bereaved: mpsc::Sender<(Life, Exited)>,
}

/// How this node stands with the others.
#[derive(Debug)]
struct Standing {
    /// What it is called. Whoever was declared dead is called something else afterwards.
    name: Arc<str>,
    /// When it was last known to be alive to the others.
    beaten: Instant,
    has_left: bool,
}

impl Node {
    pub(crate) fn new(
        link: Link,
        options: RedisOptions,
        bereaved: mpsc::Sender<(Life, Exited)>,
    ) -> Self {
        let name = Epoch::new().to_string().into();
        Self {
            link,
            keys: Keys::new(options.prefix.clone()),
            options,
            scripts: Scripts::new(),
            hosting: Hosting::default(),
            standing: Mutex::new(Standing { name, beaten: Instant::now(), has_left: false }),
            bereaved,
        }
    }

    fn standing<T>(&self, look: impl FnOnce(&mut Standing) -> T) -> T {
        // Nothing panics under it.
        look(&mut self.standing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What this node is called now.
    pub(crate) fn name(&self) -> Arc<str> {
        self.standing(|standing| Arc::clone(&standing.name))
    }

    /// How long ago the others were last told that this node lives.
    pub(crate) fn silence(&self) -> Duration {
        self.standing(|standing| standing.beaten.elapsed())
    }

    /// Whether the others may have declared this node dead by now, so that it must not act.
    pub(crate) fn must_be_alive(&self) -> Result<(), ClusterError> {
        let is_alive = self.standing(|s| !s.has_left && s.beaten.elapsed() < self.options.lease);
        if is_alive {
            return Ok(());
        }
        Err(ClusterError::unavailable(NAME, "this node has not been heard of for a lease"))
    }

    /// How long what lingers outlives everybody who would have ended it.
    pub(crate) fn grace(&self) -> Duration {
        self.options.lease * 6
    }

    /// Comes to the others under a name that nobody has had before.
    pub(crate) async fn register(&self) -> Result<(), ClusterError> {
        let name: Arc<str> = Epoch::new().to_string().into();
        let began = Instant::now();
        let mut register = cmd("HSET");
        register.arg(self.keys.nodes()).arg(&*name).arg(0);
        self.link.command::<()>(&register).await?;
        self.standing(|standing| (standing.name, standing.beaten) = (name, began));
        Ok(())
    }

    /// Says that this node takes part in a room.
    pub(crate) async fn host(&self, name: &str, room: &RoomName) -> Result<(), ClusterError> {
        let keys = [self.keys.nodes(), self.keys.hosted(name)];
        let arguments = [name.as_bytes(), room.as_str().as_bytes()];
        let said = self.link.run(&self.scripts.host, &keys, &arguments, self.link.deadline());
        if said.await? {
            Ok(())
        } else {
            Err(ClusterError::unavailable(NAME, "this node was declared dead"))
        }
    }

    /// Says that it does not any more.
    pub(crate) async fn let_go(&self, name: &str, room: &RoomName) -> Result<(), ClusterError> {
        let mut let_go = cmd("ZREM");
        let_go.arg(self.keys.hosted(name)).arg(room.as_str());
        self.link.command(&let_go).await
    }

    /// Goes, without waiting for the lease.
    pub(crate) async fn leave(&self) {
        self.standing(|standing| standing.has_left = true);
        // What Redis does not hear now the others find out by themselves.
        let _ = self.bury(&self.name(), None).await;
    }

    async fn bury(&self, name: &str, beat: Option<u64>) -> Result<bool, ClusterError> {
        let keys = [self.keys.nodes(), self.keys.dead()];
        let beat = beat.map_or_else(String::new, |beat| beat.to_string());
        let arguments = [name.as_bytes(), beat.as_bytes()];
        self.link.run(&self.scripts.bury, &keys, &arguments, self.link.deadline()).await
    }

    /// Says that this node lives; returns the others' beats and who is dead and not seen to. `None` where it was declared dead itself.
    async fn beat(&self) -> Result<Option<(Beats, Vec<String>)>, ClusterError> {
        let name = self.name();
        let keys = [self.keys.nodes(), self.keys.dead()];
        let began = Instant::now();
        let deadline = began + self.options.timeout.min(self.options.lease / 4);
        let script = &self.scripts.beat;
        let answer: Value = self.link.run(script, &keys, &[name.as_bytes()], deadline).await?;
        let mut reply = Reply::of(answer)?;
        let Ok(beats) = reply.list() else { return Ok(None) };
        let mut others = Vec::new();
        for pair in beats.chunks_exact(2) {
            let node: String = reply::text(pair[0].clone())?;
            if *node != *name {
                others.push((node, reply::number(pair[1].clone())?));
            }
        }
        let dead = reply.list()?.into_iter().map(reply::text).collect::<Result<_, _>>()?;
        // As of when it was sent: nobody can have heard of it before.
        self.standing(|standing| standing.beaten = began);
        Ok(Some((others, dead)))
    }

    /// Sees to the rooms of a dead node, one after the other. Others may be at it too; what fails is for the next round.
    async fn see_to(&self, dead: &str) -> Result<(), ClusterError> {
        loop {
            let mut ask = cmd("ZRANGE");
            ask.arg(self.keys.hosted(dead)).arg(0).arg(ROOMS - 1);
            let rooms: Vec<String> = self.link.command(&ask).await?;
            if rooms.is_empty() {
                break;
            }
            let names = rooms.clone();
            let mut reaped = stream::iter(names)
                .map(|room| async move { self.reap(dead, &room).await })
                .buffer_unordered(AT_A_TIME);
            while let Some(reaped) = reaped.next().await {
                reaped?;
            }
            let mut done = cmd("ZREM");
            done.arg(self.keys.hosted(dead)).arg(&rooms);
            self.link.command::<()>(&done).await?;
        }
        let mut done = cmd("SREM");
        done.arg(self.keys.dead()).arg(dead);
        self.link.command(&done).await
    }

    async fn reap(&self, dead: &str, room: &str) -> Result<(), ClusterError> {
        let Ok(room) = room.parse::<RoomName>() else { return Ok(()) };
        let fenced = (self.options.lease * FENCED).as_millis().to_string();
        let grace = self.grace().as_millis().to_string();
        let arguments = [dead.as_bytes(), b"", fenced.as_bytes(), grace.as_bytes()];
        let keys = self.keys.room(&room, dead);
        let deadline = self.link.deadline();
        let answer: (String, i64) =
            self.link.run(&self.scripts.reap, &keys, &arguments, deadline).await?;
        let exited = reply::exited(answer.1);
        if exited != Exited::Gone {
            let life = Life { room, epoch: parsed(&answer.0)? };
            if self.bereaved.try_send((life, exited)).is_err() {
                tracing::warn!(
                    name: "redis_bereaved_unread",
                    target: "chatrooms_redis",
                    "nobody asks for the lives that ended with a node"
                );
            }
        }
        Ok(())
    }
}

/// The beat of each node.
type Beats = Vec<(String, u64)>;

/// Beats, and watches the others, for as long as the node is there.
pub(crate) async fn live(node: Arc<Node>) {
    let mut tower = Watchtower::new(node.options.lease);
    let mut seeing_to: Option<AbortOnDropHandle<()>> = None;
    loop {
        tokio::select! {
            () = sleep(tower.interval()) => {}
            // At once, because the others have counted since Redis came back.
            () = node.link.mended() => {}
        }
        if node.standing(|standing| standing.has_left) {
            return;
        }
        let looked = node.beat().await;
        let now = Instant::now();
        let mut dead = match looked {
            Ok(Some((others, mut dead))) => {
                for (other, beat) in tower.saw(now, others) {
                    if node.bury(&other, Some(beat)).await.unwrap_or(false) {
                        tracing::warn!(
                            name: "redis_node_dead",
                            target: "chatrooms_redis",
                            node = other,
                            "a node is silent and was declared dead"
                        );
                        dead.push(other);
                    }
                }
                dead
            }
            Ok(None) => {
                tower.missed();
                tracing::error!(
                    name: "redis_fenced",
                    target: "chatrooms_redis",
                    node = %node.name(),
                    "this node was declared dead, or redis has lost its data: it comes back as another one"
                );
                // Where that fails, the next beat finds the same.
                let _ = node.register().await;
                continue;
            }
            Err(_) => {
                tower.missed();
                continue;
            }
        };
        for room in node.hosting.left_over() {
            let_go_of_left_over(&node, &room).await;
        }
        let is_busy = seeing_to.as_ref().is_some_and(|task| !task.is_finished());
        if !dead.is_empty() && !is_busy {
            let node = Arc::clone(&node);
            dead.sort_unstable();
            seeing_to = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                for dead in dead {
                    // What fails is tried again after the next beat.
                    let _ = node.see_to(&dead).await;
                }
            })));
        }
    }
}
