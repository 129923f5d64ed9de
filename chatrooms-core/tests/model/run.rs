//! The real thing beside its model.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chatrooms_core::{
    Budget, CloseReason, Config, Error, Join, Joined, Life, MessageStore, ModerationError, Nonce,
    Page, Post, RoomEnd, RoomEvent, RoomRegistry, StoreError, Watch,
    oracle::{Bounds, Recorder, check},
    testing::{TestClient, registry, room},
};
use futures_util::FutureExt as _;

use super::{
    Host,
    reference::{HISTORY, KEEP, LINGER, Model, RECENT, body},
    step::{CLIENTS, ROOMS, Sanction, Step, TABS, USERS, name},
};

/// After this, in real time, what is waited for does not come.
const HANG: Duration = Duration::from_secs(10);

pub(super) struct Run<S, P> {
    /// Gives a process the store of the one before.
    next: P,
    store: S,
    config: Config,
    registry: RoomRegistry,
    record: Recorder,
    watch: Watch,
    clients: Vec<TestClient>,
    joined: BTreeMap<(usize, usize), Arc<Joined>>,
    /// The lives that the model has numbered, where somebody was told of them.
    lives: BTreeMap<usize, Life>,
    model: Model,
}

impl<S: MessageStore + Clone, P: AsyncFn(Option<S>) -> S> Run<S, P> {
    pub(super) async fn new(next: P, lingers: bool) -> Self {
        let store = next(None).await;
        let config = config(lingers);
        let registry = started(&store, &config).await;
        let record = Recorder::bounded(Bounds::from(registry.config()));
        record.complete();
        let clients = clients(&registry, &record);
        Self {
            watch: registry.watch_all(),
            next,
            store,
            config,
            registry,
            record,
            clients,
            joined: BTreeMap::new(),
            lives: BTreeMap::new(),
            model: Model::new(lingers),
        }
    }

    /// Takes all steps, and sees that nothing is left.
    pub(super) async fn through(mut self, steps: Vec<Step>) {
        for step in steps {
            self.take(step).await;
            self.compare().await;
        }
        for client in 0..CLIENTS {
            self.reconnect(client, RoomEnd::Lost);
        }
        self.pass(LINGER).await;
        self.compare().await;
        check(&self.record.trace()).unwrap_or_else(|broken| panic!("{broken}"));
        self.clients.clear();
        let store = (self.next)(Some(self.store)).await;
        assert_eq!(store.abandoned().await.unwrap(), [], "nothing is left for the next process");
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Join { client, at, history } => self.join(client, at, history, false).await,
            Step::Resume { client, at } => self.join(client, at, None, true).await,
            Step::Leave { client, at } => {
                let expected = self.model.is_in(client, at).then_some(()).ok_or(Error::NotInRoom);
                assert_eq!(self.clients[client].leave(ROOMS[at]), expected);
                if expected.is_ok() {
                    self.model.out(&[client], at, RoomEnd::Left);
                }
            }
            Step::Send { client, at, nonce } => self.send(client, at, nonce).await,
            Step::Talk { client, at, times } => {
                for _ in 0..times {
                    self.send(client, at, None).await;
                }
            }
            Step::Redact { client, at, back } => {
                let seq = self.model.next(at).saturating_sub(back).max(1);
                let outcome = self.clients[client].redact(ROOMS[at], seq).await;
                assert_eq!(outcome, self.model.redact(client, at, seq));
            }
            Step::Signal { client, at } => {
                let outcome = self.clients[client].signal(ROOMS[at], "waves", None);
                let expected = self.model.may_speak(client, at);
                assert_eq!(outcome, expected);
                if expected.is_ok() {
                    self.model.signal(client, at);
                }
            }
            Step::History { client, at, back, limit } => {
                let before = back.map(|back| self.model.next(at).saturating_sub(back));
                let page = self.clients[client].history(ROOMS[at], before, limit).await;
                let expected = self.model.history(client, at, before, limit);
                assert_eq!(page.map(|page| (shown(&page), page.more)), expected);
            }
            Step::Announce { at } => self.announce(at).await,
            Step::Kick { whom, at } => {
                let clients = self.model.of(whom, at);
                assert_eq!(self.host().kick(ROOMS[at], USERS[whom]).await, clients.len());
                self.model.kick(&clients, at);
            }
            Step::Impose { what, whom, at, seconds } => self.impose(what, whom, at, seconds).await,
            Step::Lift { what, whom, at } => {
                let was_imposed = self.host().lift(ROOMS[at], (what, USERS[whom])).await;
                assert_eq!(was_imposed, self.model.lift((what, whom), at));
            }
            Step::Close { at } => {
                assert_eq!(self.host().close_room(ROOMS[at]).await, self.model.close(at));
            }
            Step::Reconnect { client } => self.reconnect(client, RoomEnd::Lost),
            Step::Logout { whom } => {
                let ended = self.host().end_sessions(USERS[whom], CloseReason::LoggedOut).await;
                assert_eq!(ended, TABS);
                for client in whom * TABS..(whom + 1) * TABS {
                    self.reconnect(client, RoomEnd::Left);
                }
            }
            Step::Pass { seconds } => self.pass(Duration::from_secs(seconds)).await,
            Step::Restart { shut_down } => {
                // What was imposed last is lost with a process that dies before the store has it.
                if shut_down || self.model.has_sanctions() {
                    self.shut_down().await;
                }
                self.restart().await;
            }
        }
    }

    const fn host(&self) -> Host<'_> {
        Host { registry: &self.registry, run: &self.record }
    }

    async fn join(&mut self, client: usize, at: usize, history: Option<usize>, resume: bool) {
        let known = self.model.known.get(&(client, at)).copied();
        let from = self.joined.get(&(client, at)).filter(|_| resume);
        let resume_from = from.zip(known).map(|(joined, (_, seq))| (joined.epoch, seq));
        let join = Join { resume: resume_from, history, ..Join::default() };
        let outcome = self.clients[client].join_with(ROOMS[at], join).await;
        let expected = self.model.join(client, at, history, resume);
        assert_eq!(outcome.as_ref().map(|_| ()).map_err(Clone::clone), expected);
        if let Ok(joined) = outcome {
            let life = Life { room: room(ROOMS[at]), epoch: joined.epoch };
            let number = self.model.lives[&at].number;
            let same = self.lives.entry(number).or_insert_with(|| life.clone());
            assert_eq!(*same, life, "a life has one epoch");
            self.joined.insert((client, at), joined);
        }
    }

    async fn send(&mut self, client: usize, at: usize, nonce: Option<u8>) {
        let post = Post::new(body(self.model.next(at)));
        let post = post.nonce(nonce.and_then(|nonce| Nonce::new(&format!("n{nonce}"))));
        let outcome = self.clients[client].publish(ROOMS[at], post).await;
        let may_speak = self.model.may_speak(client, at);
        let expected = may_speak.map(|()| self.model.say(at, name(client), nonce));
        assert_eq!(outcome.map(|sent| (sent.seq, sent.duplicate)), expected);
        self.written(at).await;
    }

    async fn impose(&mut self, what: Sanction, whom: usize, at: usize, seconds: Option<u64>) {
        // The store keeps it by the time of day, which no test can put forward: what outlasts a process has no end here.
        let time = seconds.map(Duration::from_secs).filter(|_| self.config.linger.is_zero());
        let outcome = self.host().impose(ROOMS[at], (what, USERS[whom]), time).await;
        let expected = self.model.impose((what, whom), at, time);
        assert_eq!(outcome, expected.ok_or(ModerationError::NotFound));
    }

    async fn announce(&mut self, at: usize) {
        let next = self.model.next(at);
        let outcome = self.host().announce(ROOMS[at], &body(next)).await;
        let is_there = self.model.occupied().any(|(there, _)| there == at);
        let expected = is_there.then(|| self.model.say(at, "host", None)).ok_or(Error::NotFound);
        assert_eq!(outcome.map(|sent| (sent.seq, sent.duplicate)), expected);
        self.written(at).await;
    }

    /// Waits until a full room has been trimmed: that comes after the message, and before the next thing that is asked of the writer.
    async fn written(&self, at: usize) {
        let outcome = self.registry.redact(&room(ROOMS[at]), u64::MAX).await;
        assert_eq!(outcome, Err(Error::NotFound), "nobody has said so much");
    }

    fn reconnect(&mut self, client: usize, why: RoomEnd) {
        let back = self::client(&self.registry, &self.record, client);
        drop(std::mem::replace(&mut self.clients[client], back));
        self.model.gone(client, why);
    }

    async fn pass(&mut self, time: Duration) {
        tokio::time::advance(time).await;
        self.model.pass(time);
    }

    /// Everybody is told to go, and does.
    async fn shut_down(&mut self) {
        let registry = self.registry.clone();
        let goes = async {
            for client in 0..CLIENTS {
                drop(self.clients.remove(0));
                self.model.gone(client, RoomEnd::Lost);
            }
        };
        let (report, ()) = tokio::join!(registry.shutdown(LINGER), goes);
        self.model.put_away();
        let left = (report.cut_off, report.unfinished_purges, report.unkept_sanctions);
        assert_eq!(left, (0, 0, 0));
        self.compare_watched();
    }

    /// Whatever the process was doing, it does not reach the store any more, and another one begins.
    async fn restart(&mut self) {
        self.store = (self.next)(Some(self.store.clone())).await;
        self.clients.clear();
        self.registry = started(&self.store, &self.config).await;
        self.watch = self.registry.watch_all();
        self.clients = clients(&self.registry, &self.record);
        self.model.restart();
    }

    async fn compare(&mut self) {
        self.rest().await;
        for (client, expected) in self.clients.iter().zip(&mut self.model.told) {
            let (mut told, mut expected) = (client.told(), std::mem::take(expected));
            by_room(&mut told);
            by_room(&mut expected);
            assert_eq!(told, expected);
            client.settled();
        }
        self.compare_watched();
        self.compare_rooms().await;
        for number in std::mem::take(&mut self.model.over) {
            let Some(life) = self.lives.get(&number) else { continue };
            let read = self.store.read_before(life, None, ALL).await;
            assert!(matches!(read, Err(StoreError::Closed)), "{life:?}: {read:?}");
        }
    }

    /// Waits until everything has ended that the model says has ended: once, and nothing else.
    async fn rest(&self) {
        let until = Instant::now() + HANG;
        let expected = (self.model.lives.len(), 0, self.model.purges, CLIENTS);
        loop {
            let stats = self.registry.stats();
            let (purges, sessions) = (stats.purges, stats.sessions);
            let found = (stats.rooms, purges.pending, purges.done, sessions);
            if found == expected {
                return;
            }
            assert!(
                Instant::now() < until,
                "rooms, purges to do and done, sessions: {found:?}, and not {expected:?}"
            );
            tokio::task::yield_now().await;
        }
    }

    fn compare_watched(&mut self) {
        let next = || self.watch.next().now_or_never().flatten();
        let mut watched: Vec<_> = std::iter::from_fn(next).map(|event| line(&event)).collect();
        let mut expected = std::mem::take(&mut self.model.watched);
        for lines in [&mut watched, &mut expected] {
            by_room(lines);
            // Those who are made to go together have no order.
            lines
                .chunk_by_mut(|a, b| [a, b].iter().all(|line| line.contains('-')))
                .for_each(<[_]>::sort);
        }
        assert_eq!(watched, expected);
    }

    async fn compare_rooms(&self) {
        let shown = |at: &str, head, names: &str| format!("{at} at {head} [{names}]");
        let mut listed = Vec::new();
        for summary in self.registry.rooms(None, 9).await.unwrap().0 {
            let members = self.registry.members(&summary.room, None).await.unwrap().members;
            let name = |member: &Arc<chatrooms_core::Member>| match member.connections {
                1 => member.user.to_string(),
                several => format!("{}x{several}", member.user),
            };
            let names: Vec<_> = members.iter().map(name).collect();
            listed.push(shown(summary.room.as_str(), summary.seq, &names.join(" ")));
        }
        let occupied = self.model.occupied();
        let mut expected: Vec<_> =
            occupied.map(|(at, life)| shown(ROOMS[at], life.head, &life.names())).collect();
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected);
    }
}

const ALL: Budget = Budget { messages: usize::MAX, bytes: usize::MAX };

fn config(lingers: bool) -> Config {
    let mut config = Config::default();
    config.recent = RECENT;
    config.keep = KEEP as usize;
    config.history = HISTORY;
    config.send_burst = 10_000;
    config.linger = if lingers { LINGER } else { Duration::ZERO };
    config
}

async fn started<S: MessageStore + Clone>(store: &S, config: &Config) -> RoomRegistry {
    registry(|builder| builder.store(store.clone()).config(config.clone())).await
}

fn clients(registry: &RoomRegistry, record: &Recorder) -> Vec<TestClient> {
    (0..CLIENTS).map(|number| client(registry, record, number)).collect()
}

fn client(registry: &RoomRegistry, record: &Recorder, number: usize) -> TestClient {
    TestClient::new(registry, name(number)).recorded(record)
}

/// Between rooms there is no order.
fn by_room(lines: &mut [String]) {
    lines.sort_by_key(|line| line.starts_with(ROOMS[1]));
}

fn shown(page: &Page) -> String {
    let mark = |is_redacted| if is_redacted { "!" } else { "" };
    let messages = page.messages.iter();
    messages
        .map(|message| format!("{}{}", message.seq, mark(message.redacted)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn line(event: &RoomEvent) -> String {
    let line = match event {
        RoomEvent::RoomOpened { seq, .. } => format!("opened at {seq}"),
        RoomEvent::UserJoined { member, .. } => format!("+{}", member.user),
        RoomEvent::UserLeft { user, .. } => format!("-{user}"),
        RoomEvent::Message { message, .. } => {
            let by = message.draft.user.as_ref().map_or("host", |user| user.as_str());
            format!("{} {by}: {}", message.seq, message.draft.body)
        }
        RoomEvent::Redacted { seq, by, .. } => {
            format!("{seq} taken back by {}", by.as_ref().map_or("host", |user| user.as_str()))
        }
        RoomEvent::RoomClosed { reason, .. } => format!("closed {reason:?}"),
        other => format!("{other:?}"),
    };
    format!("{}: {line}", event.room().map_or("no room", |room| room.as_str()))
}
