//! F03: random sequences of everything that users and hosts do, against a model that knows nothing of locks, queues and stores. After
//! every step each client must have been told exactly what the model says, word for word.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chatrooms_core::{CloseReason, Error, Join, Joined, Post, RoomEnd, RoomEvent, Watch};
use futures_util::FutureExt as _;
use proptest::prelude::*;

use crate::kit::{Client, House, room, user};

const USERS: [&str; 3] = ["ada", "bob", "eve"];
const TABS: usize = 2;
const ROOMS: [&str; 2] = ["lobby", "garden"];
/// Small bounds, so that they are met.
const RECENT: usize = 4;
const KEEP: u64 = 8;
const HISTORY: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Join {
        client: usize,
        at: usize,
        history: Option<usize>,
    },
    Resume {
        client: usize,
        at: usize,
    },
    Leave {
        client: usize,
        at: usize,
    },
    Send {
        client: usize,
        at: usize,
    },
    Redact {
        client: usize,
        at: usize,
        back: u64,
    },
    Signal {
        client: usize,
        at: usize,
    },
    Announce {
        at: usize,
    },
    Kick {
        whom: usize,
        at: usize,
    },
    Close {
        at: usize,
    },
    /// The connection is lost, and the client comes back with a new session.
    Reconnect {
        client: usize,
    },
    Logout {
        whom: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let client = || 0..USERS.len() * TABS;
    let at = || 0..ROOMS.len();
    let whom = || 0..USERS.len();
    prop_oneof![
        6 => (client(), at(), prop::option::of(0..7_usize))
            .prop_map(|(client, at, history)| Step::Join { client, at, history }),
        3 => (client(), at()).prop_map(|(client, at)| Step::Resume { client, at }),
        3 => (client(), at()).prop_map(|(client, at)| Step::Leave { client, at }),
        8 => (client(), at()).prop_map(|(client, at)| Step::Send { client, at }),
        3 => (client(), at(), 0..6_u64)
            .prop_map(|(client, at, back)| Step::Redact { client, at, back }),
        1 => (client(), at()).prop_map(|(client, at)| Step::Signal { client, at }),
        1 => at().prop_map(|at| Step::Announce { at }),
        1 => (whom(), at()).prop_map(|(whom, at)| Step::Kick { whom, at }),
        1 => at().prop_map(|at| Step::Close { at }),
        2 => client().prop_map(|client| Step::Reconnect { client }),
        1 => whom().prop_map(|whom| Step::Logout { whom }),
    ]
}

const fn name(client: usize) -> &'static str {
    USERS[client / TABS]
}

/// One life as the model knows it.
#[derive(Debug, Default)]
struct Life {
    number: usize,
    members: Vec<usize>,
    head: u64,
    oldest: u64,
    authors: BTreeMap<u64, &'static str>,
    redacted: BTreeSet<u64>,
}

impl Life {
    /// The newest message that the room has at hand for joins, and those before it.
    fn at_hand(&self) -> u64 {
        (RECENT as u64).min(self.head + 1 - self.oldest)
    }

    fn names(&self) -> String {
        let mut tabs = BTreeMap::new();
        for member in &self.members {
            *tabs.entry(name(*member)).or_insert(0) += 1;
        }
        let shown = |(name, tabs): (&&str, &i32)| match tabs {
            1 => (*name).to_string(),
            several => format!("{name}x{several}"),
        };
        tabs.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    fn has(&self, name_: &str) -> bool {
        self.members.iter().any(|member| name(*member) == name_)
    }
}

/// What everybody should have been told.
#[derive(Debug, Default)]
struct Model {
    lives: BTreeMap<usize, Life>,
    begun: usize,
    told: Vec<Vec<String>>,
    /// What the host has been told who watches all rooms.
    watched: Vec<String>,
    /// The life and the newest message that a client knows of a room.
    known: BTreeMap<(usize, usize), (usize, u64)>,
}

impl Model {
    fn tell(&mut self, client: usize, at: usize, line: &str) {
        self.told[client].push(in_room(ROOMS[at], line));
    }

    fn show(&mut self, at: usize, line: &str) {
        self.watched.push(in_room(ROOMS[at], line));
    }

    fn tell_all(&mut self, at: usize, but: Option<usize>, line: &str) {
        let members = self.lives.get(&at).map_or_else(Vec::new, |life| life.members.clone());
        for member in members.into_iter().filter(|member| Some(*member) != but) {
            self.tell(member, at, line);
        }
    }

    fn is_in(&self, client: usize, at: usize) -> bool {
        self.lives.get(&at).is_some_and(|life| life.members.contains(&client))
    }

    fn join(
        &mut self,
        client: usize,
        at: usize,
        history: Option<usize>,
        resume: bool,
    ) -> Result<(), Error> {
        if self.is_in(client, at) {
            return Err(Error::AlreadyInRoom);
        }
        if !self.lives.contains_key(&at) {
            self.show(at, "opened at 0");
        }
        let number = &mut self.begun;
        let life = self.lives.entry(at).or_insert_with(|| {
            *number += 1;
            Life { number: *number, oldest: 1, ..Life::default() }
        });
        let is_news = !life.has(name(client));
        life.members.push(client);
        let known = self.known.get(&(client, at)).copied().filter(|_| resume);
        let resumes = known
            .filter(|(number, seq)| *number == life.number && life.head - seq <= life.at_hand());
        let (how, first) = match resumes {
            Some((_, seq)) => ("resumed", seq + 1),
            None => {
                let wanted = history.unwrap_or(50).min(HISTORY) as u64;
                ("joined", life.head + 1 - wanted.min(life.at_hand()))
            }
        };
        let mut line = format!("{how} at {} [{}]", life.head, life.names());
        if first <= life.head {
            let mark = |seq| if life.redacted.contains(&seq) { "!" } else { "" };
            let messages: Vec<_> =
                (first..=life.head).map(|seq| format!("{seq}{}", mark(seq))).collect();
            line += &format!(" ({})", messages.join(" "));
        }
        if life.oldest < first {
            line += " more";
        }
        let taken_back: Vec<_> = life.redacted.range(life.oldest..first).copied().collect();
        if resumes.is_some() && !taken_back.is_empty() {
            line += &format!(" taken back {taken_back:?}");
        }
        self.known.insert((client, at), (life.number, life.head));
        if is_news {
            self.show(at, &format!("+{}", name(client)));
            self.tell_all(at, Some(client), &format!("+{}", name(client)));
        }
        self.tell(client, at, &line);
        Ok(())
    }

    /// Takes clients out of a room, together.
    fn out(&mut self, clients: &[usize], at: usize, why: RoomEnd) {
        let Some(life) = self.lives.get_mut(&at).filter(|_| !clients.is_empty()) else { return };
        life.members.retain(|member| !clients.contains(member));
        let gone: BTreeSet<_> =
            clients.iter().map(|client| name(*client)).filter(|name| !life.has(name)).collect();
        let is_empty = life.members.is_empty();
        for name in gone {
            self.show(at, &format!("-{name}"));
            self.tell_all(at, None, &format!("-{name}"));
        }
        if is_empty {
            self.lives.remove(&at);
            self.show(at, &format!("closed {why:?}"));
        }
    }

    fn say(&mut self, at: usize, by: &'static str) -> u64 {
        let life = self.lives.get_mut(&at).unwrap();
        life.head += 1;
        let seq = life.head;
        life.authors.insert(seq, by);
        if life.head + 1 - life.oldest > KEEP {
            life.oldest = life.head - (KEEP - KEEP / 8) + 1;
        }
        let (number, members) = (life.number, life.members.clone());
        for member in members {
            self.known.insert((member, at), (number, seq));
        }
        let line = format!("{seq} {by}: {}", body(seq));
        self.show(at, &line);
        self.tell_all(at, None, &line);
        seq
    }

    fn redact(&mut self, client: usize, at: usize, seq: u64) -> Result<(), Error> {
        if !self.is_in(client, at) {
            return Err(Error::NotInRoom);
        }
        let life = self.lives.get_mut(&at).unwrap();
        if seq < life.oldest || seq > life.head {
            return Err(Error::NotFound);
        }
        if life.authors[&seq] != name(client) {
            return Err(Error::Forbidden);
        }
        if life.redacted.insert(seq) {
            let line = format!("{seq} taken back by {}", name(client));
            self.show(at, &line);
            self.tell_all(at, None, &line);
        }
        Ok(())
    }

    fn of(&self, whom: usize, at: usize) -> Vec<usize> {
        let tabs = whom * TABS..(whom + 1) * TABS;
        tabs.filter(|client| self.is_in(*client, at)).collect()
    }

    fn remove(&mut self, clients: &[usize], at: usize, line: &str, why: RoomEnd) {
        for client in clients {
            self.tell(*client, at, line);
        }
        self.out(clients, at, why);
    }
}

fn in_room(room: &str, line: &str) -> String {
    if room == ROOMS[0] { line.into() } else { format!("{room}: {line}") }
}

fn body(seq: u64) -> String {
    format!("message {seq}")
}

/// The real thing beside its model.
struct Run {
    house: House,
    watch: Watch,
    clients: Vec<Client>,
    joined: BTreeMap<(usize, usize), Arc<Joined>>,
    model: Model,
}

impl Run {
    async fn new() -> Self {
        let house = House::configured(|config| {
            config.recent = RECENT;
            config.keep = KEEP as usize;
            config.history = HISTORY;
            config.send_burst = 10_000;
        })
        .await;
        let clients = (0..USERS.len() * TABS).map(|client| house.client(name(client))).collect();
        let told = vec![Vec::new(); USERS.len() * TABS];
        let model = Model { told, ..Model::default() };
        let watch = house.registry.watch_all();
        Self { house, watch, clients, joined: BTreeMap::new(), model }
    }

    async fn join(&mut self, client: usize, at: usize, history: Option<usize>, resume: bool) {
        let expected = self.model.known.get(&(client, at)).copied();
        let from = self.joined.get(&(client, at)).filter(|_| resume);
        let resume_from = from.zip(expected).map(|(joined, (_, seq))| (joined.epoch, seq));
        let join = Join { resume: resume_from, history, ..Join::default() };
        let outcome = self.clients[client].join(ROOMS[at], join).await;
        let expected = self.model.join(client, at, history, resume);
        assert_eq!(outcome.as_ref().map(|_| ()).map_err(Clone::clone), expected);
        if let Ok(joined) = outcome {
            self.joined.insert((client, at), joined);
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Join { client, at, history } => self.join(client, at, history, false).await,
            Step::Resume { client, at } => self.join(client, at, None, true).await,
            Step::Leave { client, at } => {
                let expected = self.model.is_in(client, at).then_some(()).ok_or(Error::NotInRoom);
                assert_eq!(self.clients[client].session.leave(&room(ROOMS[at])), expected);
                if expected.is_ok() {
                    self.model.out(&[client], at, RoomEnd::Left);
                }
            }
            Step::Send { client, at } => self.send(client, at).await,
            Step::Redact { client, at, back } => {
                let head = self.model.lives.get(&at).map_or(0, |life| life.head);
                let seq = (head + 1).saturating_sub(back).max(1);
                let session = &self.clients[client].session;
                let outcome = match session.redact(&room(ROOMS[at]), seq).await {
                    Ok(receipt) => receipt.wait().await,
                    Err(error) => Err(error),
                };
                assert_eq!(outcome, self.model.redact(client, at, seq));
            }
            Step::Signal { client, at } => {
                let outcome = self.clients[client].session.signal(&room(ROOMS[at]), "waves", None);
                assert_eq!(outcome.is_ok(), self.model.is_in(client, at));
                if outcome.is_ok() {
                    self.model.tell_all(at, Some(client), &format!("{} waves", name(client)));
                }
            }
            Step::Announce { at } => self.announce(at).await,
            Step::Kick { whom, at } => {
                let clients = self.model.of(whom, at);
                let kicked =
                    self.house.registry.moderation(&room(ROOMS[at])).kick(&user(USERS[whom]), None);
                assert_eq!(kicked, clients.len());
                self.model.remove(&clients, at, "removed kicked", RoomEnd::Left);
            }
            Step::Close { at } => {
                let all =
                    self.model.lives.get(&at).map_or_else(Vec::new, |life| life.members.clone());
                assert_eq!(self.house.registry.moderation(&room(ROOMS[at])).close(None), all.len());
                self.model.remove(&all, at, "removed room_closed", RoomEnd::Closed);
            }
            Step::Reconnect { client } => self.reconnect(client, RoomEnd::Lost),
            Step::Logout { whom } => {
                let reason = CloseReason::LoggedOut;
                let ended = self.house.registry.end_sessions(&user(USERS[whom]), &reason);
                assert_eq!(ended, TABS);
                for client in whom * TABS..(whom + 1) * TABS {
                    self.reconnect(client, RoomEnd::Left);
                }
            }
        }
        self.compare();
    }

    async fn send(&mut self, client: usize, at: usize) {
        let next = self.model.lives.get(&at).map_or(0, |life| life.head) + 1;
        let session = &self.clients[client].session;
        let outcome = session.publish(&room(ROOMS[at]), Post::new(body(next))).await;
        let expected = if self.model.is_in(client, at) {
            Ok(self.model.say(at, name(client)))
        } else {
            Err(Error::NotInRoom)
        };
        assert_eq!(outcome.map(|sent| sent.seq), expected);
    }

    async fn announce(&mut self, at: usize) {
        let next = self.model.lives.get(&at).map_or(0, |life| life.head) + 1;
        let outcome = self.house.registry.announce(&room(ROOMS[at]), Post::new(body(next))).await;
        let expected = if self.model.lives.contains_key(&at) {
            Ok(self.model.say(at, "host"))
        } else {
            Err(Error::NotFound)
        };
        assert_eq!(outcome.map(|sent| sent.seq), expected);
    }

    fn reconnect(&mut self, client: usize, why: RoomEnd) {
        let lost = std::mem::replace(&mut self.clients[client], self.house.client(name(client)));
        drop(lost);
        self.model.told[client].clear();
        let mut rooms: Vec<_> = (0..ROOMS.len()).collect();
        rooms.retain(|at| self.model.is_in(client, *at));
        for at in rooms {
            self.model.out(&[client], at, why);
        }
    }

    fn compare(&mut self) {
        for (client, expected) in self.clients.iter().zip(&mut self.model.told) {
            let (mut told, mut expected) = (client.told(), std::mem::take(expected));
            // Between rooms there is no order.
            told.sort_by_key(|line| line.starts_with("garden: "));
            expected.sort_by_key(|line| line.starts_with("garden: "));
            assert_eq!(told, expected);
        }
        self.compare_watched();
        let rooms = self.house.registry.rooms(None, 9).0;
        let mut summaries: Vec<_> = rooms
            .iter()
            .map(|summary| (summary.room.to_string(), summary.seq, summary.connections))
            .collect();
        let mut expected: Vec<_> = self
            .model
            .lives
            .iter()
            .map(|(at, life)| (ROOMS[*at].to_string(), life.head, life.members.len()))
            .collect();
        summaries.sort();
        expected.sort();
        assert_eq!(summaries, expected);
        assert_eq!(self.house.store.open_lives().len(), expected.len());
    }

    fn compare_watched(&mut self) {
        let next = || self.watch.next().now_or_never().flatten();
        let mut watched: Vec<_> = std::iter::from_fn(next).map(|event| line(&event)).collect();
        let mut expected = std::mem::take(&mut self.model.watched);
        for lines in [&mut watched, &mut expected] {
            lines.sort_by_key(|line| line.starts_with("garden: "));
            // Those who are made to go together have no order.
            lines
                .chunk_by_mut(|a, b| [a, b].iter().all(|line| line.contains('-')))
                .for_each(<[_]>::sort);
        }
        assert_eq!(watched, expected);
    }

    async fn end(self) {
        let begun = self.model.begun;
        drop(self.clients);
        self.house.emptied().await;
        assert_eq!(self.house.store.closed_lives().len(), begun, "every life is purged once");
    }
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
    in_room(event.room().map_or(ROOMS[0], |room| room.as_str()), &line)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn everybody_is_told_what_the_model_says(steps in prop::collection::vec(step(), 1..80)) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new().await;
            for step in steps {
                run.take(step).await;
            }
            run.end().await;
        });
    }
}
