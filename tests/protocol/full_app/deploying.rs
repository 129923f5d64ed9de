//! Restarts on one file while everybody talks: with a linger nobody loses anything by them, without one nobody is shown anything of before.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    net::SocketAddr,
    time::Duration,
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::kit::{
    Client, FullApp, Header, Moments, Request, eventually, rounds, unique, users, with_full_app,
};

use super::file::File;

const ROOMS: usize = 2;
const TALKERS_PER_ROOM: usize = 3;
/// So many answers each of them has had of a process before it is ended.
const ANSWERS: usize = 10;
/// So many of their messages are on their way at a time.
const UNDER_WAY: usize = 3;
/// A crash comes so long after that at the latest.
const LATEST: Duration = Duration::from_millis(50);

#[test]
fn with_a_linger_nobody_loses_anything_by_restarts() {
    everybody_resumes(End::Graceful);
}

#[test]
fn with_a_linger_nobody_loses_anything_by_crashes() {
    everybody_resumes(End::Crash);
}

#[test]
fn without_a_linger_every_restart_is_a_new_beginning() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str()];
    with_full_app(&options, async |app| {
        let mut talkers = Talker::several(&app, Return::Anew).await;
        let emptied = async |_: &FullApp| {
            assert_eq!(file.rows().await, (0, 0), "all is purged when the process has ended");
        };
        let rounds = rounds(5);
        let (app, clients) = restart(app, &options, End::Graceful, &mut talkers, emptied).await;
        for some in talkers.chunks(TALKERS_PER_ROOM) {
            let lives = &some[0].lives;
            let distinct: BTreeSet<_> = lives.iter().map(Value::to_string).collect();
            assert_eq!(distinct.len(), rounds + 1, "a life for each process: {lives:?}");
            assert!(some.iter().all(|talker| talker.lives == *lives), "the same for everybody");
        }
        assert_all_is_there(&talkers);
        println!(
            "survived\t{rounds} restarts without a linger\ta life each, and nothing of an earlier one"
        );
        leave(app, &file, &talkers, clients).await;
    });
}

fn everybody_resumes(end: End) {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str(), "--linger", "60"];
    with_full_app(&options, async |app| {
        let mut talkers = Talker::several(&app, Return::Resumed).await;
        let kept = async |_: &FullApp| {
            assert_eq!(file.rows().await.0, ROOMS as i64, "no room in use is purged");
        };
        let (app, clients) = restart(app, &options, end, &mut talkers, kept).await;
        assert_all_is_there(&talkers);
        let interrupted: usize = talkers.iter().map(|talker| talker.interrupted).sum();
        let missed: usize = talkers.iter().map(|talker| talker.missed).sum();
        let (rounds, said) = (rounds(5), talkers.iter().map(|talker| talker.next).sum::<u64>());
        println!(
            "survived\t{rounds} {end} with a linger\t{said} messages, each there once: {interrupted} times some were under way, {missed} were caught up with"
        );
        assert!(interrupted > 0, "there was something to lose");
        assert!(missed > 0, "and something to catch up with");
        leave(app, &file, &talkers, clients).await;
    });
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Graceful,
    Crash,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Graceful => "restarts",
            Self::Crash => "crashes",
        })
    }
}

/// What those who return to their room find.
#[derive(Clone, Copy, PartialEq)]
enum Return {
    Resumed,
    Anew,
}

/// Its number, counted from the first one, and where it listens.
type Process = (usize, SocketAddr);

/// Where everybody is to be found, and how long they are to go on.
struct Stage {
    process: watch::Receiver<Process>,
    is_over: Cell<bool>,
    /// For each talker the process that has answered it, and how often.
    answered: Vec<Cell<(usize, usize)>>,
}

impl Stage {
    fn is_busy(&self) -> bool {
        let (now, _) = *self.process.borrow();
        self.answered.iter().all(|answered| {
            let (by, times) = answered.get();
            by == now && times >= ANSWERS
        })
    }
}

/// Ends the process again and again while everybody talks, and lets them come to an end at the last one; `between` looks at what each leaves behind.
async fn restart(
    mut app: FullApp,
    options: &[&str],
    end: End,
    talkers: &mut [Talker],
    between: impl AsyncFn(&FullApp),
) -> (FullApp, Vec<Client>) {
    let (moves, process) = watch::channel((0, app.addr));
    let answered = talkers.iter().map(|_| Cell::new((0, 0))).collect();
    let stage = Stage { process, is_over: Cell::new(false), answered };
    let mut moments = Moments::seeded();
    let restarting = async {
        for number in 1..=rounds(5) {
            eventually("everybody talks", async || stage.is_busy()).await;
            match end {
                End::Crash => {
                    sleep(moments.next(LATEST)).await;
                    app.kill().await;
                }
                End::Graceful => {
                    app.terminate();
                    assert_eq!(app.exited().await.code(), Some(0));
                }
            }
            between(&app).await;
            app = FullApp::start(options);
            moves.send_replace((number, app.addr));
        }
        eventually("everybody talks", async || stage.is_busy()).await;
        stage.is_over.set(true);
        app
    };
    let talking = talkers.iter_mut().enumerate().map(|(place, talker)| talker.talk(&stage, place));
    let (app, mut clients) = join(restarting, join_all(talking)).await;
    let rooms = talkers.chunks_mut(TALKERS_PER_ROOM).zip(clients.chunks_mut(TALKERS_PER_ROOM));
    for (talkers, clients) in rooms {
        let head = talkers.iter().map(|talker| talker.next).sum();
        for (talker, client) in talkers.iter_mut().zip(clients) {
            talker.hear_all(client, head).await;
        }
    }
    (app, clients)
}

/// Somebody who talks without a pause, and comes back whatever happens to the server.
struct Talker {
    name: String,
    credential: Header,
    room: String,
    expects: Return,
    /// It waits after a `bye` as it is told. The others come back as soon as they can.
    is_patient: bool,
    /// The epochs of the lives in which it has been.
    lives: Vec<Value>,
    /// The messages of this life that it has been shown.
    shown: Vec<Value>,
    /// The number of its next message in this life.
    next: u64,
    /// Those of which it does not know what became of them.
    open: BTreeSet<u64>,
    /// The others, with the place that was told of each.
    stored: BTreeMap<u64, u64>,
    interrupted: usize,
    missed: usize,
}

impl Talker {
    async fn several(app: &FullApp, expects: Return) -> Vec<Self> {
        let mut talkers = Vec::new();
        for _ in 0..ROOMS {
            let room = unique("hall");
            for place in 0..TALKERS_PER_ROOM {
                let user = app.user("talker").await;
                talkers.push(Self {
                    name: user.name,
                    credential: user.credential,
                    room: room.clone(),
                    expects,
                    is_patient: expects == Return::Resumed && place == 0,
                    lives: Vec::new(),
                    shown: Vec::new(),
                    next: 0,
                    open: BTreeSet::new(),
                    stored: BTreeMap::new(),
                    interrupted: 0,
                    missed: 0,
                });
            }
        }
        talkers
    }

    /// Talks with one process after the other; hands out its socket when all that it has said is answered at the end.
    async fn talk(&mut self, stage: &Stage, place: usize) -> Client {
        let mut process = stage.process.clone();
        loop {
            let (number, addr) = *process.borrow_and_update();
            let mut client = self.come(addr).await;
            let answered = |times| stage.answered[place].set((number, times));
            if self.chat(&mut client, &stage.is_over, answered).await {
                return client;
            }
            let not_before = self.farewell(&client);
            process.changed().await.expect("there is always another process");
            sleep_until(not_before).await;
        }
    }

    async fn come(&mut self, addr: SocketAddr) -> Client {
        let (name, value) = &self.credential;
        let upgrade = Request::upgrade(addr, "/chat/ws").header(name, value);
        let opened = Client::open(upgrade).await;
        let mut client = opened.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", self.name));
        match self.lives.last() {
            None => {
                let join = json!({"room": self.room, "history": 200});
                let joined = client.join_with(join).await;
                self.begin(&joined);
            }
            Some(life) => {
                let resume = json!({"epoch": life, "seq": self.shown.len()});
                let join = json!({"room": self.room, "history": 200, "resume": resume});
                let joined = client.join_with(join).await;
                self.come_back(&joined);
            }
        }
        client
    }

    fn come_back(&mut self, joined: &Value) {
        assert_eq!(joined["resumed"], self.expects == Return::Resumed, "{joined}");
        match self.expects {
            Return::Resumed => {
                assert_eq!(Some(&joined["epoch"]), self.lives.last(), "{joined}");
                let missed = joined["messages"].as_array().expect("messages");
                self.missed += missed.len();
                self.shown.extend_from_slice(missed);
            }
            Return::Anew => {
                self.assert_is_whole();
                self.begin(joined);
            }
        }
    }

    /// Begins another life, in which its messages bear the same numbers and nonces as in the one before.
    fn begin(&mut self, joined: &Value) {
        self.lives.push(joined["epoch"].clone());
        self.shown = joined["messages"].as_array().expect("messages").clone();
        self.next = 0;
        self.open.clear();
        self.stored.clear();
    }

    /// Talks until the socket has ended, or until there is nothing more to say and to be answered; says whether that is it.
    async fn chat(
        &mut self,
        client: &mut Client,
        is_over: &Cell<bool>,
        answered: impl Fn(usize),
    ) -> bool {
        let mut asked = HashMap::new();
        // Those of which it does not know are sent again, with their nonces.
        let mut again: Vec<u64> = self.open.iter().copied().collect();
        let (mut takes_more, mut answers) = (true, 0);
        loop {
            while takes_more && asked.len() < UNDER_WAY {
                let repeated = again.pop();
                if repeated.is_none() && is_over.get() {
                    break;
                }
                let number = repeated.unwrap_or_else(|| self.think_of_another());
                match client.try_ask(self.request(number)).await {
                    Some(id) => drop(asked.insert(id, number)),
                    None => takes_more = false,
                }
            }
            if takes_more && asked.is_empty() {
                return true;
            }
            let Some(frame) = client.next_or_end().await else {
                self.interrupted += usize::from(!self.open.is_empty());
                return false;
            };
            if let Some(number) = frame["id"].as_u64().and_then(|id| asked.remove(&id)) {
                match frame["type"].as_str() {
                    Some("sent") => {
                        self.note(number, &frame);
                        answers += 1;
                        answered(answers);
                    }
                    _ => {
                        assert_eq!(frame["code"], "rate_limited", "{frame}");
                        again.push(number);
                        client.wait_as_told(&frame).await;
                    }
                }
            }
            self.hear(&frame);
        }
    }

    fn think_of_another(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number);
        number
    }

    fn request(&self, number: u64) -> Value {
        let (body, nonce) = (self.body(number), format!("{number}"));
        json!({"type": "send", "room": self.room, "body": body, "nonce": nonce})
    }

    /// No two messages of anybody say the same, in whatever life.
    fn body(&self, number: u64) -> String {
        format!("{number} of {} in {}", self.name, self.lives.len())
    }

    fn note(&mut self, number: u64, sent: &Value) {
        let seq = sent["seq"].as_u64().expect("sent.seq");
        assert!(self.open.remove(&number), "answered twice: {sent}");
        self.stored.insert(number, seq);
    }

    fn hear(&mut self, frame: &Value) {
        if frame["type"] == "message" {
            self.shown.push(frame.clone());
        }
    }

    /// Reads on to the last message of the room.
    async fn hear_all(&mut self, client: &mut Client, head: u64) {
        while self.shown.last().is_none_or(|message| seq(message) < head) {
            let frame = client.next_or_end().await;
            self.hear(&frame.unwrap_or_else(|| panic!("{} before {head} messages", self.name)));
        }
    }

    /// When it may come back.
    fn farewell(&self, client: &Client) -> Instant {
        let Some(bye) = client.trace().of("bye").next() else { return Instant::now() };
        assert_eq!((&bye["code"], &bye["reconnect"]), (&json!("shutting_down"), &json!(true)));
        let wait = bye["after_ms"].as_u64().expect("bye.after_ms");
        assert!(wait <= 5_000, "{bye}");
        let wait = if self.is_patient { Duration::from_millis(wait) } else { Duration::ZERO };
        Instant::now() + wait
    }

    /// Whether it was shown everything of this life from its join on, once, in order, what it was told to be stored at that place, and nothing of any
    /// other life.
    fn assert_is_whole(&self) {
        let Some(first) = self.shown.first().map(seq) else { return };
        let life = format!(" in {}", self.lives.len());
        let mut bodies = BTreeSet::new();
        for (message, place) in self.shown.iter().zip(first..) {
            assert_eq!(seq(message), place, "a gap or a repeat for {}", self.name);
            let body = message["body"].as_str().expect("a body");
            assert!(body.ends_with(&life), "of another life: {body}");
            assert!(bodies.insert(body), "twice: {body}");
        }
        let last = first + self.shown.len() as u64;
        for (number, place) in self.stored.iter().filter(|(_, place)| (first..last).contains(place))
        {
            let message = &self.shown[(place - first) as usize];
            assert_eq!(message["body"], self.body(*number), "acknowledged at {place}");
            assert_eq!(message["user"], self.name, "{message}");
        }
    }
}

fn seq(message: &Value) -> u64 {
    message["seq"].as_u64().expect("a seq")
}

/// Whether everything that anybody has said in this life is there once, and was shown to all in the same order.
fn assert_all_is_there(talkers: &[Talker]) {
    for some in talkers.chunks(TALKERS_PER_ROOM) {
        let head: u64 = some.iter().map(|talker| talker.next).sum();
        for talker in some {
            talker.assert_is_whole();
            assert!(talker.open.is_empty(), "{} has been answered", talker.name);
            assert_eq!(talker.stored.len() as u64, talker.next);
        }
        let stored: BTreeSet<_> = some.iter().flat_map(|talker| talker.stored.values()).collect();
        assert!(stored.into_iter().copied().eq(1..=head), "each has a place of its own");
        let places = |talker: &Talker| -> BTreeMap<u64, Value> {
            talker.shown.iter().map(|message| (seq(message), message["body"].clone())).collect()
        };
        let earliest = some.iter().max_by_key(|talker| talker.shown.len()).expect("somebody");
        let known = places(earliest);
        assert!(known.keys().copied().eq(1..=head), "it was there from the first to the last");
        for talker in some {
            for (place, body) in places(talker) {
                assert_eq!(known.get(&place), Some(&body), "one order: {place}");
            }
        }
    }
}

/// Everybody goes, and nothing is left: neither a ghost before nor a trace after it.
async fn leave(app: FullApp, file: &File, talkers: &[Talker], mut clients: Vec<Client>) {
    let listed = app.user("looker").await.get("/rooms").await.assert_json(200);
    assert_eq!(listed["rooms"].as_array().map(Vec::len), Some(ROOMS), "{listed}");
    for room in listed["rooms"].as_array().expect("rooms") {
        let all = json!(TALKERS_PER_ROOM);
        assert_eq!((&room["users"], &room["connections"]), (&all, &all), "{room}");
    }
    let rooms = talkers.chunks(TALKERS_PER_ROOM).zip(clients.chunks_mut(TALKERS_PER_ROOM));
    for (talkers, clients) in rooms {
        let members = clients[0].members(&talkers[0].room).await;
        let mut names: Vec<_> = talkers.iter().map(|talker| talker.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(users(&members), names, "nobody else");
        for client in clients {
            client.leave(&talkers[0].room).await;
        }
    }
    eventually("nothing is left", async || file.rows().await == (0, 0)).await;
    drop(clients);
    app.terminate();
    assert_eq!(app.exited().await.code(), Some(0));
    assert_eq!(file.rows().await, (0, 0));
    assert_eq!(file.ask::<String>("PRAGMA integrity_check").await, "ok");
}
