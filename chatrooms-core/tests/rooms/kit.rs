//! What all tests here share: names, clients that write down what they are told, and a clock that moves only when nothing else can.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use chatrooms_core::{
    Config, Data, Error, EventKind, Identity, Join, Joined, Member, Message, Nonce, Outgoing, Post,
    Receipt, RegistryBuilder, RoomName, RoomRegistry, Sent, Session, UserName,
};

use crate::store::Faulty;

pub(crate) fn room(name: &str) -> RoomName {
    RoomName::new(name).unwrap()
}

pub(crate) fn lobby() -> RoomName {
    room("lobby")
}

pub(crate) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn config(set: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    set(&mut config);
    config
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A registry, and the store underneath that does as it is told.
pub(crate) struct House {
    pub(crate) registry: RoomRegistry,
    pub(crate) store: Arc<Faulty>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn configured(set: impl FnOnce(&mut Config)) -> Self {
        Self::with(|builder| builder.config(config(set))).await
    }

    pub(crate) async fn with(make: impl FnOnce(RegistryBuilder) -> RegistryBuilder) -> Self {
        Self::over(Arc::new(Faulty::default()), make).await
    }

    pub(crate) async fn over(
        store: Arc<Faulty>,
        make: impl FnOnce(RegistryBuilder) -> RegistryBuilder,
    ) -> Self {
        let builder = make(RoomRegistry::builder().store(Arc::clone(&store)));
        Self { registry: builder.start().await.unwrap(), store }
    }

    /// A client that is in no room yet.
    pub(crate) fn client(&self, name: &str) -> Client {
        Client::new(&self.registry, name)
    }

    /// A client in the lobby who has read all that it was told there so far.
    pub(crate) async fn guest(&self, name: &str) -> Client {
        let client = self.client(name);
        client.enter("lobby").await;
        client.told();
        client
    }

    /// Waits until nothing is left: no room, no session, no purge, and no life open in the store.
    pub(crate) async fn emptied(&self) {
        let limit = tokio::time::Instant::now() + secs(120);
        loop {
            let stats = self.registry.stats();
            let open = self.store.open_lives();
            if (stats.rooms, stats.sessions, stats.purges.pending, open.len()) == (0, 0, 0, 0) {
                return;
            }
            assert!(tokio::time::Instant::now() < limit, "left behind: {stats:?}, {open:?}");
            tokio::time::sleep(millis(10)).await;
        }
    }
}

/// Lets everything run that can. A paused clock moves only when nothing else can run, so that this waits for all of it, and for no time.
pub(crate) async fn settle() {
    tokio::time::sleep(millis(1)).await;
}

/// A session that can be asked what it was told.
pub(crate) struct Client {
    pub(crate) session: Session,
}

impl Client {
    pub(crate) fn new(registry: &RoomRegistry, name: &str) -> Self {
        Self { session: registry.open_session(Identity::new(user(name))).unwrap() }
    }

    pub(crate) async fn join(&self, name: &str, join: Join) -> Result<Arc<Joined>, Error> {
        self.session.join(&room(name), join).await
    }

    pub(crate) async fn enter(&self, name: &str) -> Arc<Joined> {
        self.join(name, Join::default()).await.unwrap()
    }

    pub(crate) fn leave(&self, name: &str) {
        self.session.leave(&room(name)).unwrap();
    }

    /// Says something in the lobby and waits for the outcome.
    pub(crate) async fn say(&self, body: &str) -> Result<Sent, Error> {
        self.session.publish(&lobby(), Post::new(body)).await
    }

    /// Says something in the lobby without waiting for the outcome.
    pub(crate) async fn begin(&self, body: &str) -> Receipt<Sent> {
        self.session.send(&lobby(), Post::new(body)).await.unwrap()
    }

    /// Says something in the lobby under a nonce.
    pub(crate) async fn say_once(&self, body: &str, nonce: &str) -> Result<Sent, Error> {
        self.session.publish(&lobby(), Post::new(body).nonce(Nonce::new(nonce))).await
    }

    /// Takes back a message of the lobby.
    pub(crate) async fn take_back(&self, seq: u64) -> Result<(), Error> {
        self.session.redact(&lobby(), seq).await?.wait().await
    }

    /// The texts of the lobby that its history holds.
    pub(crate) async fn history(&self) -> Vec<String> {
        bodies(&self.session.history(&lobby(), None, 200).await.unwrap().messages)
    }

    /// Everything that waits for this client, one line each; it waits no longer.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut batch = Vec::new();
        self.session.outbox().try_take(&mut batch, usize::MAX);
        batch.iter().map(line).collect()
    }
}

pub(crate) fn bodies(messages: &[Arc<Message>]) -> Vec<String> {
    messages.iter().map(|message| message.draft.body.to_string()).collect()
}

pub(crate) fn seqs(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.seq).collect()
}

/// The names of members, with the number of their connections where they have several.
pub(crate) fn names(members: &[Member]) -> Vec<String> {
    let name = |member: &Member| match member.connections {
        1 => member.user.to_string(),
        several => format!("{}x{several}", member.user),
    };
    members.iter().map(name).collect()
}

pub(crate) fn meta(json: &str) -> Join {
    Join { meta: Some(Data::new(json)), ..Join::default() }
}

pub(crate) fn resume(from: &Joined, seq: u64) -> Join {
    Join { resume: Some((from.epoch, seq)), ..Join::default() }
}

fn line(item: &Outgoing) -> String {
    let Outgoing::Event(event) = item else {
        let Outgoing::Answer(frame) = item else { unreachable!() };
        return format!("answer {}", String::from_utf8_lossy(frame));
    };
    let mut line = match event.room().map_or("", RoomName::as_str) {
        "lobby" => String::new(),
        elsewhere => format!("{elsewhere}: "),
    };
    line.push_str(&match event.kind() {
        EventKind::Joined(joined) => describe(joined),
        EventKind::Message(message) => {
            let by = message.draft.user.as_ref().map_or("host", UserName::as_str);
            format!("{} {by}: {}", message.seq, message.draft.body)
        }
        EventKind::Redacted { seq, by } => {
            format!("{seq} taken back by {}", by.as_ref().map_or("host", UserName::as_str))
        }
        EventKind::Presence { joined, left } => presence(joined, left),
        EventKind::Signal { user, name, .. } => format!("{user} {name}"),
        EventKind::Members { page, .. } => {
            format!(
                "members [{}]{}",
                names(&page.members).join(" "),
                if page.more { " more" } else { "" }
            )
        }
        EventKind::Removed { code, reason } => {
            format!(
                "removed {}{}",
                code.code(),
                reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"))
            )
        }
        other => format!("{other:?}"),
    });
    line
}

fn presence(joined: &[Member], left: &[UserName]) -> String {
    let came = names(joined).into_iter().map(|name| format!("+{name}"));
    let went = left.iter().map(|name| format!("-{name}"));
    came.chain(went).collect::<Vec<_>>().join(" ")
}

/// A join's answer in one line: where the room stands, who is there, and which messages come with it.
pub(crate) fn describe(joined: &Arc<Joined>) -> String {
    let how = if joined.resumed { "resumed" } else { "joined" };
    let mut line = format!("{how} at {} [{}]", joined.seq, names(&joined.members).join(" "));
    if joined.members_more {
        line.push_str(" and others");
    }
    if !joined.messages.is_empty() {
        let all: Vec<_> = joined
            .messages
            .iter()
            .map(|message| {
                if message.redacted { format!("{}!", message.seq) } else { message.seq.to_string() }
            })
            .collect();
        write!(line, " ({})", all.join(" ")).unwrap();
    }
    if joined.more {
        line.push_str(" more");
    }
    if !joined.redacted.is_empty() {
        write!(line, " taken back {:?}", joined.redacted).unwrap();
    }
    line
}
