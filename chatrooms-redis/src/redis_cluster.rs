//! The cluster over Redis.

use std::{fmt, sync::Arc, time::Duration};

use chatrooms_core::{
    Appended, Bell, Budget, Cluster, ClusterError, ConnectionId, Draft, Entered, Entry, Epoch,
    Exited, Followed, Known, Life, News, Note, Order, OrderId, Page, Passing, Redaction, Removal,
    RoomName, RoomRules, RoomSummary, StoreError, Timestamp, UserName, async_trait,
};
use redis::{FromRedisValue, Script, Value, cmd};
use tokio::{
    sync::{Mutex, mpsc},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    ConnectError, NAME, RedisOptions, fields,
    hosting::listen,
    link::Link,
    node::{Node, live},
    orders,
    reply::{self, Reply, parsed},
};

/// How many messages and edges one answer has at most, whatever budget there is.
const PAGE: usize = 1000;
/// How many messages are trimmed at a time, so that nobody waits for long meanwhile.
const TRIMMED: u64 = 1000;
/// By how much the clocks of Redis and of whoever waits for the end of a linger may be apart.
const SLACK: Duration = Duration::from_millis(100);
/// How many orders are read before somebody obeys them.
const ORDERS: usize = 100;
/// How long orders are kept for nodes that are cut off, at least.
const ORDERS_KEPT: Duration = Duration::from_secs(60);
/// How many lives that ended with a node may wait for somebody who asks.
const BEREAVED: usize = 10_000;

/// One node of a cluster over Redis: see [`Cluster`] for what it promises.
///
/// Cloning is cheap; all clones are the same node. When the last one is dropped the node is gone as one that has died is; [`leave`](Cluster::leave) before that spares the others the wait.
#[derive(Clone)]
pub struct RedisCluster {
    node: Arc<Node>,
    /// Lives that ended with a node, for one reader at a time.
    bereaved: Arc<Mutex<mpsc::Receiver<(Life, Exited)>>>,
    /// What other nodes say, for one reader at a time.
    orders: Arc<Mutex<mpsc::Receiver<(OrderId, Order)>>>,
    /// Set once this node has left: nobody waits for anything from the others any more.
    left: CancellationToken,
    /// What beats, and what listens to the others.
    _living: Arc<[AbortOnDropHandle<()>; 2]>,
}

impl RedisCluster {
    /// Joins a cluster with the default [options](Self::options).
    ///
    /// `url` is `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://…` for the same over TLS (feature `tls`), or `unix:///PATH`.
    ///
    /// # Errors
    /// Each [`ConnectError`] for what it says.
    ///
    /// # Cancel safety
    /// Dropped before it completes, a node may have joined that the others declare dead after its lease.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::options().connect(url).await
    }

    /// What can be set before joining.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    pub(crate) async fn start(url: &str, options: RedisOptions) -> Result<Self, ConnectError> {
        let link = Link::connect(url, options.timeout).await?;
        let (bereaved, asked) = mpsc::channel(BEREAVED);
        let node = Arc::new(Node::new(link, options, bereaved));
        let unavailable = |error: ClusterError| ConnectError::Unavailable(Arc::new(error));
        // In that order: what is ordered between the two is read.
        let end = orders::end(&node).await.map_err(unavailable)?;
        node.register().await.map_err(unavailable)?;
        let (orders, said) = mpsc::channel(ORDERS);
        let beating = tokio::spawn(live(Arc::clone(&node)));
        let listening = tokio::spawn(orders::listen(Arc::clone(&node), end, orders));
        let living = [beating, listening].map(AbortOnDropHandle::new);
        Ok(Self {
            node,
            bereaved: Arc::new(Mutex::new(asked)),
            orders: Arc::new(Mutex::new(said)),
            left: CancellationToken::new(),
            _living: Arc::new(living),
        })
    }

    /// What this node is called among the others: 32 hexadecimal digits, others after it was declared dead.
    #[must_use]
    pub fn node(&self) -> String {
        self.node.name().to_string()
    }

    /// How long ago the others last heard that this node lives. Over a lease, nothing can be written from here.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.node.silence()
    }

    /// Runs a script of a room as this node; `epoch` is the one that it means.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        room: &RoomName,
        epoch: Epoch,
        arguments: &[&str],
        deadline: Instant,
    ) -> Result<T, ClusterError> {
        let node = self.node.hosting.node(room).unwrap_or_else(|| self.node.name());
        let epoch = epoch.to_string();
        let all = [&*node, &epoch].into_iter().chain(arguments.iter().copied());
        let all: Vec<&[u8]> = all.map(str::as_bytes).collect();
        self.node.link.run(script, &self.node.keys.room(room, &node), &all, deadline).await
    }

    /// The same for what changes something: whoever may have been declared dead does not begin.
    async fn write<T: FromRedisValue>(
        &self,
        script: &Script,
        life: &Life,
        arguments: &[&str],
    ) -> Result<T, ClusterError> {
        self.node.must_be_alive()?;
        let deadline = self.node.link.deadline();
        self.run(script, &life.room, life.epoch, arguments, deadline).await
    }

    async fn try_append(
        &self,
        life: &Life,
        drafts: &[Draft],
        deadline: Instant,
    ) -> Result<Value, ClusterError> {
        self.node.must_be_alive()?;
        if deadline <= Instant::now() {
            return Err(ClusterError::unavailable(NAME, "the deadline has passed"));
        }
        let written: Vec<String> =
            drafts.iter().flat_map(|draft| [reply::nonce(draft), reply::draft(draft)]).collect();
        let arguments: Vec<&str> = written.iter().map(String::as_str).collect();
        let by = deadline.min(self.node.link.deadline());
        self.run(&self.node.scripts.append, &life.room, life.epoch, &arguments, by).await
    }

    async fn read(
        &self,
        life: &Life,
        (way, place): (&str, Option<u64>),
        budget: Budget,
    ) -> Result<Page, ClusterError> {
        let place = place.map_or_else(String::new, |place| place.to_string());
        let [most, bytes] = written_budget(budget);
        let (script, deadline) = (&self.node.scripts.read, self.node.link.deadline());
        let arguments = [way, &place, &most, &bytes];
        let answer = self.run(script, &life.room, life.epoch, &arguments, deadline).await;
        let mut reply = Reply::ok(nothing_happened(answer)?)?;
        // Where there is nothing, that number is of no message.
        let first = reply.number()?;
        let messages = reply::messages(first, reply.list()?)?;
        Ok(Page { messages, more: reply.number()? == 1 })
    }

    /// Those of these rooms that somebody is in as they stand, by one question for all.
    async fn summaries(&self, rooms: &[RoomName]) -> Result<Vec<RoomSummary>, ClusterError> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = redis::pipe();
        for room in rooms {
            let [life, _, _, _, _, users, ..] = self.node.keys.room(room, "");
            ask.cmd("HMGET").arg(life).arg("epoch").arg("seq").arg("conns");
            ask.cmd("HLEN").arg(users);
        }
        let answers: Vec<Value> = nothing_happened(self.node.link.pipeline(&ask).await)?;
        let read = |(room, answers): (&RoomName, &[Value])| reply::summary(room, answers);
        let all = rooms.iter().zip(answers.chunks_exact(2)).map(read);
        all.filter_map(Result::transpose).collect()
    }

    /// The rooms that some node takes part in, by name: at most so many after a name.
    async fn hosted(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, ClusterError> {
        let keys = &self.node.keys;
        let (mut alive, mut dead) = (cmd("HKEYS"), cmd("SMEMBERS"));
        alive.arg(keys.nodes());
        dead.arg(keys.dead());
        let mut nodes: Vec<String> = self.node.link.command(&alive).await?;
        nodes.extend(self.node.link.command::<Vec<String>>(&dead).await?);
        let from = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let mut rooms = Vec::new();
        for node in nodes {
            let mut ask = cmd("ZRANGEBYLEX");
            ask.arg(keys.hosted(&node)).arg(&from).arg("+").arg("LIMIT").arg(0).arg(limit);
            rooms.extend(self.node.link.command::<Vec<String>>(&ask).await?);
        }
        rooms.sort_unstable();
        rooms.dedup();
        rooms.truncate(limit);
        Ok(rooms)
    }
}

impl fmt::Debug for RedisCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCluster").field("node", &self.node()).finish_non_exhaustive()
    }
}

/// How far that is: the newest message, edge and note.
fn written_place(known: &Known) -> [String; 3] {
    [known.seq, known.edge, known.note].map(|number| number.to_string())
}

fn written_budget(budget: Budget) -> [String; 2] {
    // More than Lua can count is as good as no bound.
    [budget.messages.min(PAGE), budget.bytes.min(1 << 50)].map(|bound| bound.to_string())
}

/// A read that failed has changed nothing, however far it came.
fn nothing_happened<T>(answer: Result<T, ClusterError>) -> Result<T, ClusterError> {
    answer.map_err(|error| match error {
        ClusterError::OutcomeUnknown { cluster, source } => {
            ClusterError::Unavailable { cluster, source }
        }
        error => error,
    })
}

#[async_trait]
impl Cluster for RedisCluster {
    async fn listen(&self, room: &RoomName) -> Result<Bell, ClusterError> {
        self.node.must_be_alive()?;
        listen(&self.node, room).await
    }

    async fn enter(
        &self,
        room: &RoomName,
        entry: &Entry,
        rules: &RoomRules,
        known: Option<&Known>,
        recent: Budget,
    ) -> Result<Entered, ClusterError> {
        self.node.must_be_alive()?;
        let (id, written) = (entry.connection.to_string(), reply::written_entry(entry));
        let (members, linger) = (rules.members.to_string(), millis(rules.linger));
        let epoch = known.map_or_else(String::new, |known| known.epoch.to_string());
        let [seq, edge, note] =
            known.map_or_else(|| [0; 3].map(|none| none.to_string()), written_place);
        let [most, bytes] = written_budget(recent);
        let arguments =
            [&*id, &written, &members, &linger, &epoch, &seq, &edge, &note, &most, &bytes];
        let (script, deadline) = (&self.node.scripts.enter, self.node.link.deadline());
        let answer = self.run(script, room, Epoch::new(), &arguments, deadline).await?;
        let mut reply = Reply::ok(answer)?;
        let life = Life { room: room.clone(), epoch: parsed(&reply.text()?)? };
        let how = reply.text()?;
        let is = |place: usize| how.as_bytes().get(place) == Some(&b'1');
        Ok(Entered {
            life,
            opened: is(0),
            first_in_room: is(1),
            first_connection_of_user: is(2),
            since: parsed(&reply.text()?)?,
            news: reply::news(reply.value()?)?,
        })
    }

    async fn exit(
        &self,
        room: &RoomName,
        connection: ConnectionId,
        lost: bool,
    ) -> Result<Exited, ClusterError> {
        let (id, grace) = (connection.to_string(), millis(self.node.grace()));
        let arguments = [&*id, if lost { "1" } else { "0" }, &grace];
        let (script, deadline) = (&self.node.scripts.exit, self.node.link.deadline());
        // Whoever was declared dead may go: there is nobody to take out.
        let code = self.run(script, room, NO_EPOCH, &arguments, deadline).await?;
        Ok(reply::exited(code))
    }

    async fn take_leave(
        &self,
        room: &RoomName,
        connection: ConnectionId,
        known: &Known,
        budget: Budget,
    ) -> Result<(News, Option<Exited>), ClusterError> {
        let (id, grace) = (connection.to_string(), millis(self.node.grace()));
        let [seq, edge, note] = written_place(known);
        let [most, bytes] = written_budget(budget);
        let arguments = [&*id, &grace, &seq, &edge, &note, &most, &bytes];
        let (script, deadline) = (&self.node.scripts.take_leave, self.node.link.deadline());
        let answer = self.run(script, room, known.epoch, &arguments, deadline).await?;
        let mut reply = Reply::ok(answer)?;
        Ok((reply::news(reply.value()?)?, reply.exited()?))
    }

    async fn expire(&self, life: &Life) -> Result<bool, ClusterError> {
        let slack = millis(SLACK);
        let (script, deadline) = (&self.node.scripts.expire, self.node.link.deadline());
        self.run(script, &life.room, life.epoch, &[&slack], deadline).await
    }

    async fn follow(
        &self,
        room: &RoomName,
        recent: Budget,
    ) -> Result<Option<Followed>, ClusterError> {
        let [most, bytes] = written_budget(recent);
        let (script, deadline) = (&self.node.scripts.follow, self.node.link.deadline());
        let answer = self.run(script, room, NO_EPOCH, &[&most, &bytes], deadline).await;
        let mut reply = match Reply::ok(nothing_happened(answer)?) {
            Err(ClusterError::Over) => return Ok(None),
            reply => reply?,
        };
        let life = Life { room: room.clone(), epoch: parsed(&reply.text()?)? };
        Ok(Some(Followed { life, news: reply::news(reply.value()?)? }))
    }

    async fn news(
        &self,
        room: &RoomName,
        known: &Known,
        budget: Budget,
    ) -> Result<News, ClusterError> {
        let [seq, edge, note] = written_place(known);
        let [most, bytes] = written_budget(budget);
        let (script, deadline) = (&self.node.scripts.news, self.node.link.deadline());
        let arguments = [&*seq, &edge, &note, &most, &bytes];
        let answer = self.run(script, room, known.epoch, &arguments, deadline).await;
        reply::news(Reply::ok(nothing_happened(answer)?)?.value()?)
    }

    async fn append(
        &self,
        life: &Life,
        drafts: Vec<Draft>,
        deadline: Instant,
    ) -> Vec<Result<Appended, StoreError>> {
        let count = drafts.len();
        let read = |answer: Value| {
            let mut reply = Reply::ok(answer)?;
            let oldest = reply.number()?;
            let results = reply.list()?.into_iter().zip(drafts.iter().cloned());
            results.map(|(result, draft)| appended(result, draft, oldest)).collect()
        };
        let answer = self.try_append(life, &drafts, deadline).await;
        let results: Result<Vec<_>, ClusterError> = answer.and_then(read);
        match results {
            Ok(results) => results.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error.into()); count],
        }
    }

    async fn read_before(
        &self,
        life: &Life,
        before: Option<u64>,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        Ok(self.read(life, ("before", before), budget).await?)
    }

    async fn read_after(
        &self,
        life: &Life,
        after: u64,
        budget: Budget,
    ) -> Result<Page, StoreError> {
        Ok(self.read(life, ("after", Some(after)), budget).await?)
    }

    async fn redact(
        &self,
        life: &Life,
        seq: u64,
        author: Option<&UserName>,
        by: Option<&UserName>,
    ) -> Result<Redaction, StoreError> {
        let (seq, by) = (seq.to_string(), fields::of([by.map(UserName::as_str)]));
        let arguments = [&*seq, author.map_or("", UserName::as_str), &by];
        let outcome: String = self.write(&self.node.scripts.redact, life, &arguments).await?;
        match &*outcome {
            "done" => Ok(Redaction::Done),
            "already" => Ok(Redaction::Already),
            "not_found" => Ok(Redaction::NotFound),
            "not_author" => Ok(Redaction::NotAuthor),
            _ => Err(StoreError::Closed),
        }
    }

    async fn trim(&self, life: &Life, up_to: u64) -> Result<(), StoreError> {
        let [up_to, at_a_time] = [up_to, TRIMMED].map(|number| number.to_string());
        loop {
            let arguments = [&*up_to, &at_a_time];
            let outcome = self.write(&self.node.scripts.trim, life, &arguments).await;
            let outcome: String = nothing_happened(outcome)?;
            match &*outcome {
                "more" => {}
                "done" => return Ok(()),
                _ => return Err(StoreError::Closed),
            }
        }
    }

    async fn pass(&self, life: &Life, passing: &Passing) -> Result<(), ClusterError> {
        let link = &self.node.link;
        let mut publish = cmd("PUBLISH");
        publish.arg(self.node.keys.life(&life.room));
        publish.arg(reply::written_passing(link.mark(), life.epoch, passing));
        link.command(&publish).await
    }

    async fn impose(&self, life: &Life, note: &Note) -> Result<Note, ClusterError> {
        let revision = note.revision.to_string();
        let bans: Vec<String> = reply::written_bans(note).collect();
        let mut arguments = vec![&*revision, &note.text];
        arguments.extend(bans.iter().map(String::as_str));
        let answer = self.write(&self.node.scripts.impose, life, &arguments).await?;
        reply::note(Reply::ok(answer)?.list()?)
    }

    async fn remove(
        &self,
        life: &Life,
        user: &UserName,
        code: Removal,
        reason: Option<&str>,
    ) -> Result<usize, ClusterError> {
        let reason = fields::of([reason]);
        let arguments = [user.as_str(), code.code(), &reason];
        let answer = self.write(&self.node.scripts.remove, life, &arguments).await?;
        Reply::ok(answer)?.count()
    }

    async fn close(&self, life: &Life, reason: Option<&str>) -> Result<usize, ClusterError> {
        let reason = fields::of([reason]);
        let answer = self.write(&self.node.scripts.close, life, &[&reason]).await?;
        Reply::ok(answer)?.count()
    }

    async fn room(&self, room: &RoomName) -> Result<Option<RoomSummary>, ClusterError> {
        Ok(self.summaries(std::slice::from_ref(room)).await?.pop())
    }

    async fn rooms(
        &self,
        after: Option<&RoomName>,
        limit: usize,
    ) -> Result<(Vec<RoomSummary>, bool), ClusterError> {
        let mut found = Vec::new();
        let mut after = after.map(|after| after.as_str().to_owned());
        loop {
            // One more than is wanted says whether there are more.
            let wanted = limit.saturating_add(1).min(PAGE);
            let names = nothing_happened(self.hosted(after.as_deref(), wanted).await)?;
            let are_all = names.len() < wanted;
            let rooms: Vec<_> = names.iter().filter_map(|name| name.parse().ok()).collect();
            for summary in self.summaries(&rooms).await? {
                if found.len() == limit {
                    return Ok((found, true));
                }
                found.push(summary);
            }
            if are_all {
                return Ok((found, false));
            }
            after = names.into_iter().last();
        }
    }

    async fn claim(
        &self,
        name: &str,
        holder: &str,
        time: Duration,
    ) -> Result<String, ClusterError> {
        let (keys, time) = ([self.node.keys.claim(name)], millis(time.max(SHORTEST)));
        let arguments = [holder.as_bytes(), time.as_bytes()];
        let link = &self.node.link;
        link.run(&self.node.scripts.claim, &keys, &arguments, link.deadline()).await
    }

    async fn holder(&self, name: &str) -> Result<Option<String>, ClusterError> {
        let mut get = cmd("GET");
        get.arg(self.node.keys.claim(name));
        nothing_happened(self.node.link.command(&get).await)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<bool, ClusterError> {
        let keys = [self.node.keys.claim(name)];
        let link = &self.node.link;
        link.run(&self.node.scripts.release, &keys, &[holder.as_bytes()], link.deadline()).await
    }

    async fn order(&self, order: &Order) -> Result<OrderId, ClusterError> {
        let id = OrderId::new(Epoch::new().to_string());
        let Some(written) = orders::written(order) else { return Ok(id) };
        let (node, kept) = (&self.node, millis(ORDERS_KEPT.max(self.node.grace())));
        let (link, name) = (&node.link, node.name());
        let keys = [node.keys.orders(), node.keys.order(&id), node.keys.nodes()];
        let arguments = [link.mark(), &name, id.as_str(), &written, &kept].map(str::as_bytes);
        link.run::<()>(&node.scripts.order, &keys, &arguments, link.deadline()).await?;
        Ok(id)
    }

    async fn ordered(&self) -> Option<(OrderId, Order)> {
        let next = async { self.orders.lock().await.recv().await };
        self.left.run_until_cancelled(next).await.flatten()
    }

    async fn obey(&self, order: &OrderId, sessions: usize) -> Result<(), ClusterError> {
        let (node, sessions) = (&self.node, sessions.to_string());
        let (link, name, keys) = (&node.link, node.name(), [node.keys.order(order)]);
        let arguments = [name.as_bytes(), sessions.as_bytes()];
        link.run(&node.scripts.obey, &keys, &arguments, link.deadline()).await
    }

    async fn obeyed(&self, order: &OrderId) -> Result<Option<usize>, ClusterError> {
        let (node, link) = (&self.node, &self.node.link);
        let keys = [node.keys.order(order), node.keys.nodes(), node.keys.dead()];
        let answer = link.run(&node.scripts.obeyed, &keys, &[], link.deadline()).await;
        match nothing_happened(answer)? {
            UNKNOWN => Err(ClusterError::Lost),
            sessions => Ok(usize::try_from(sessions).ok()),
        }
    }

    async fn bereaved(&self) -> Option<(Life, Exited)> {
        let next = async { self.bereaved.lock().await.recv().await };
        self.left.run_until_cancelled(next).await.flatten()
    }

    async fn leave(&self) {
        self.node.leave().await;
        self.left.cancel();
    }
}

/// Where a script means whatever life there is.
const NO_EPOCH: Epoch = Epoch::from_u128(0);

/// What the script says of an order that nobody has given, or that was too long ago. Less than nothing is to be waited for.
const UNKNOWN: i64 = -2;

/// Redis counts nothing shorter.
const SHORTEST: Duration = Duration::from_millis(1);

fn millis(time: Duration) -> String {
    // What no clock can hold is as good as for ever.
    time.min(Duration::from_secs(100 * 365 * 24 * 3600)).as_millis().to_string()
}

fn appended(result: Value, draft: Draft, oldest: u64) -> Result<Appended, ClusterError> {
    let mut reply = Reply::of(result)?;
    let (seq, at) = (reply.number()?, Timestamp(reply.number()?));
    if reply.number()? == 1 {
        return Ok(Appended::Duplicate { seq, at });
    }
    let message = Arc::new(chatrooms_core::Message::new(seq, at, draft));
    Ok(Appended::Stored { message, oldest })
}
