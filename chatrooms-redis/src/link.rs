//! The one connection to Redis, over which everything goes: calls that answer in time, and what is announced.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chatrooms_core::{ClusterError, Epoch, Ringer};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, PushInfo, PushKind, RedisError,
    Script, Value,
    aio::{MultiplexedConnection, SendError},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    ConnectError, NAME,
    reply::{self, Announced},
};

const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_millis(200);
/// How many channels are subscribed to at a time.
const CHANNELS: usize = 1000;

/// A link to Redis that mends itself. While it is broken every call fails at once.
pub(crate) struct Link {
    shared: Arc<Shared>,
    /// What mends it.
    _mending: AbortOnDropHandle<()>,
}

struct Shared {
    client: Client,
    /// By whom is said what this node says.
    mark: String,
    timeout: Duration,
    /// Held for one look, never over an await.
    state: Mutex<State>,
    /// Something has broken.
    broken: Notify,
    /// Rung for the host of this link whenever it was mended.
    mended: Notify,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections, so that what has broken an old one does not break the next one.
    generation: u64,
    /// The bells of each channel.
    ringers: HashMap<String, Vec<(BellId, Ringer)>>,
}

/// Tells the bells of a channel apart.
pub(crate) type BellId = u64;

/// One connection, as a call finds it.
pub(crate) struct Line {
    connection: MultiplexedConnection,
    generation: u64,
}

impl Link {
    /// Connects for the first time.
    pub(crate) async fn connect(url: &str, timeout: Duration) -> Result<Self, ConnectError> {
        let shared = Arc::new(Shared {
            client: client(url)?,
            mark: Epoch::new().to_string(),
            timeout,
            state: Mutex::default(),
            broken: Notify::new(),
            mended: Notify::new(),
        });
        shared.connect().await.map_err(|error| ConnectError::Unavailable(Arc::new(error)))?;
        let mending = tokio::spawn(mend(Arc::clone(&shared)));
        Ok(Self { shared, _mending: AbortOnDropHandle::new(mending) })
    }

    /// By whom is said what this node says, whatever it is called by the others.
    pub(crate) fn mark(&self) -> &str {
        &self.shared.mark
    }

    /// How long a call may take.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.shared.timeout
    }

    /// Waits until the link has been mended since this was last called.
    pub(crate) async fn mended(&self) {
        self.shared.mended.notified().await;
    }

    /// Runs a script. Either it has happened, or it cannot be told, or it never will.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<T, ClusterError> {
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        for argument in arguments {
            call.arg(*argument);
        }
        let mut line = self.line()?;
        let answer = timeout_at(deadline, call.invoke_async(&mut line.connection)).await;
        self.judge(&line, answer.ok())
    }

    /// Does something that may be done twice.
    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<T, ClusterError> {
        let mut line = self.line()?;
        let answer = timeout_at(self.deadline(), command.query_async(&mut line.connection)).await;
        self.judge(&line, answer.ok())
    }

    /// Does several such things in one round trip.
    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        pipeline: &Pipeline,
    ) -> Result<T, ClusterError> {
        let mut line = self.line()?;
        let answer = timeout_at(self.deadline(), pipeline.query_async(&mut line.connection)).await;
        self.judge(&line, answer.ok())
    }

    fn line(&self) -> Result<Line, ClusterError> {
        self.shared.line().ok_or_else(|| ClusterError::unavailable(NAME, "there is no connection"))
    }

    fn judge<T>(
        &self,
        line: &Line,
        answer: Option<Result<T, RedisError>>,
    ) -> Result<T, ClusterError> {
        let Some(answer) = answer else {
            // What comes after it on the same connection would wait as long.
            self.shared.break_off(line.generation);
            return Err(ClusterError::outcome_unknown(NAME, "it did not answer in time"));
        };
        answer.map_err(|error| {
            if is_refusal(&error) {
                if is_of_a_server_that_takes_nothing(&error) {
                    self.shared.break_off(line.generation);
                }
                return ClusterError::unavailable(NAME, error);
            }
            self.shared.break_off(line.generation);
            ClusterError::outcome_unknown(NAME, error)
        })
    }

    /// Has this ring when something is published there, and whenever the link was mended. Calls for one channel come one after the other.
    pub(crate) async fn subscribe(
        &self,
        channel: &str,
        bell: BellId,
        ringer: Ringer,
    ) -> Result<(), ClusterError> {
        // Known before Redis is asked, so that whoever mends the link meanwhile subscribes to it.
        let is_first = {
            let mut state = self.shared.state();
            let ringers = state.ringers.entry(channel.to_owned()).or_default();
            ringers.push((bell, ringer));
            ringers.len() == 1
        };
        if !is_first {
            return Ok(());
        }
        let mut line = self.line()?;
        let answer = timeout_at(self.deadline(), line.connection.subscribe(channel)).await;
        self.judge(&line, answer.ok())
    }

    /// Takes a bell away. Calls for one channel come one after the other.
    pub(crate) async fn unsubscribe(&self, channel: &str, bell: BellId) {
        let is_last = {
            let mut state = self.shared.state();
            let Some(ringers) = state.ringers.get_mut(channel) else { return };
            ringers.retain(|(id, _)| *id != bell);
            let is_last = ringers.is_empty();
            if is_last {
                state.ringers.remove(channel);
            }
            is_last
        };
        if !is_last {
            return;
        }
        let Ok(mut line) = self.line() else { return };
        let answer = timeout_at(self.deadline(), line.connection.unsubscribe(channel)).await;
        // A link that breaks by this has no subscriptions any more.
        let _ = self.judge(&line, answer.ok());
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self) -> Option<Line> {
        let state = self.state();
        let connection = state.connection.clone()?;
        Some(Line { connection, generation: state.generation })
    }

    /// Gives a connection up, unless it is another one by now.
    fn break_off(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation && state.connection.take().is_some() {
            self.broken.notify_one();
        }
    }

    /// Connects, and subscribes to all that there are bells for. It is the one that uses the connection until then.
    async fn connect(self: &Arc<Self>) -> Result<(), RedisError> {
        let generation = self.state().generation + 1;
        let shared = Arc::downgrade(self);
        let pushed = move |push: PushInfo| {
            if let Some(shared) = shared.upgrade() {
                shared.pushed(generation, push);
            }
            Ok::<(), SendError>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout))
            .set_push_sender(pushed);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        // Whoever adds a bell from here on finds no connection and is told so, or finds this one.
        let mut channels: Vec<String> = self.state().ringers.keys().cloned().collect();
        for some in channels.chunks(CHANNELS) {
            connection.subscribe(some).await?;
        }
        while let Some(silent) = self.go_live(&mut channels, generation, &connection) {
            for some in silent.chunks(CHANNELS) {
                connection.unsubscribe(some).await?;
            }
        }
        Ok(())
    }

    /// Has everybody use a connection that hears these channels; or where the last bell of some was taken away while it was made, says which those are, because nobody else does.
    fn go_live(
        &self,
        channels: &mut Vec<String>,
        generation: u64,
        connection: &MultiplexedConnection,
    ) -> Option<Vec<String>> {
        let mut state = self.state();
        let is_silent = |channel: &mut String| !state.ringers.contains_key(channel);
        let silent: Vec<String> = channels.extract_if(.., is_silent).collect();
        if !silent.is_empty() {
            return Some(silent);
        }
        state.generation = generation;
        state.connection = Some(connection.clone());
        state.ringers.values().flatten().for_each(|(_, ringer)| ringer.ring());
        None
    }

    /// What Redis says by itself. It runs where the connection is read, and must not wait.
    fn pushed(&self, generation: u64, push: PushInfo) {
        match push.kind {
            PushKind::Disconnection => self.break_off(generation),
            PushKind::Message => {
                let [Value::BulkString(channel), Value::BulkString(said)] = &push.data[..] else {
                    return;
                };
                let state = self.state();
                let ringers =
                    std::str::from_utf8(channel).ok().and_then(|to| state.ringers.get(to));
                let announced = reply::announced(said);
                for (_, ringer) in ringers.into_iter().flatten() {
                    match &announced {
                        Some(Announced::Place(place)) => ringer.ring_at(*place),
                        Some(Announced::Farewell(epoch, reason)) => {
                            ringer.ring_out(*epoch, Arc::clone(reason));
                        }
                        // Its own people have been told.
                        Some(Announced::Passing(by, ..)) if **by == *self.mark => {}
                        Some(Announced::Passing(_, epoch, passing)) => {
                            ringer.pass(*epoch, passing.clone());
                        }
                        // Something is new, whatever it is that another version says.
                        None => ringer.ring(),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Connects again whenever the link has broken.
async fn mend(shared: Arc<Shared>) {
    loop {
        shared.broken.notified().await;
        tracing::warn!(name: "redis_lost", target: "chatrooms_redis", "the connection to redis is lost");
        let since = Instant::now();
        let mut retry = FIRST_RETRY;
        // The crate's own limit is for the connection alone, not for what is said first on it.
        while !matches!(timeout(shared.timeout * 3, shared.connect()).await, Ok(Ok(()))) {
            sleep(retry).await;
            retry = (retry * 2).min(LAST_RETRY);
        }
        let away_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(name: "redis_found", target: "chatrooms_redis", away_ms, "redis answers again");
        shared.mended.notify_one();
    }
}

fn client(url: &str) -> Result<Client, ConnectError> {
    if url.starts_with("rediss://") {
        #[cfg(not(feature = "tls"))]
        return Err(ConnectError::NoTls);
        #[cfg(feature = "tls")]
        // Where the host has chosen another one already, that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let address = |error: RedisError| ConnectError::Address(Arc::new(error));
    let info = redis::IntoConnectionInfo::into_connection_info(url).map_err(address)?;
    // Announcements come over the same connection as answers by this version of the protocol alone.
    let settings = info.redis_settings().clone().set_protocol(redis::ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings)).map_err(address)
}

/// Whether Redis has answered, and said no: the scripts look before they write.
fn is_refusal(error: &RedisError) -> bool {
    error.code().is_some() && !error.is_io_error()
}

/// Whether another server may be better: this one is starting, or is a copy of the one that is written to.
fn is_of_a_server_that_takes_nothing(error: &RedisError) -> bool {
    matches!(error.code(), Some("READONLY" | "LOADING" | "MASTERDOWN" | "CLUSTERDOWN"))
}

impl fmt::Debug for Link {
    // The client knows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_connected = self.shared.state().connection.is_some();
        f.debug_struct("Link").field("is_connected", &is_connected).finish_non_exhaustive()
    }
}
