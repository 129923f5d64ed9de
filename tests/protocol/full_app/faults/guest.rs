//! Somebody who talks, comes, goes and asks, and comes back whatever happens.

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::kit::{Client, Cluster, Header, Moments, Request, eventually};

/// Nobody thinks for longer about what to do next, unless they are in a hurry.
const THOUGHT: Duration = Duration::from_millis(20);
/// What may be refused while something goes wrong, or because of what has happened meanwhile.
const REFUSALS: [&str; 5] =
    ["rate_limited", "store_unavailable", "outcome_unknown", "not_in_room", "shutting_down"];

/// What everybody does now, and how far they are.
pub(super) struct Stage {
    pub(super) mood: Cell<Mood>,
    answers: Vec<Cell<usize>>,
}

#[derive(Clone, Copy)]
pub(super) enum Mood {
    Talk,
    Hurry,
    Storm,
    Rest,
}

impl Stage {
    pub(super) fn new(guests: usize) -> Self {
        Self { mood: Cell::new(Mood::Talk), answers: vec![Cell::new(0); guests] }
    }

    /// Waits until everybody has had so many answers from now on.
    pub(super) async fn everybody_is_at_it(&self, answers: usize) {
        self.answers.iter().for_each(|count| count.set(0));
        let is_enough = |count: &Cell<usize>| count.get() >= answers;
        eventually("everybody is at it", async || self.answers.iter().all(is_enough)).await;
    }
}

pub(super) struct Guest {
    name: String,
    credential: Header,
    balancer: SocketAddr,
    chance: Moments,
    client: Option<Client>,
    /// The rooms it is in.
    there: BTreeSet<String>,
    /// In which life of a room it was last, and how far it has heard it.
    heard: HashMap<String, (Value, u64)>,
    /// What it has said, and does not know what has become of it: that is said again.
    unsure: Option<Value>,
    /// So many things it has wanted to say.
    tried: usize,
    /// The lives that it was in.
    pub(super) lives: BTreeSet<String>,
    /// So many things that were kept.
    pub(super) said: usize,
    /// So often it has gone on where it had been.
    pub(super) resumed: usize,
}

impl Guest {
    pub(super) async fn new(cluster: &Cluster, chance: Moments) -> Self {
        let user = cluster.user("guest").await;
        Self {
            name: user.name,
            credential: user.credential,
            balancer: cluster.addr,
            chance,
            client: None,
            there: BTreeSet::new(),
            heard: HashMap::new(),
            unsure: None,
            tried: 0,
            lives: BTreeSet::new(),
            said: 0,
            resumed: 0,
        }
    }

    /// Is at it until it is time to rest.
    pub(super) async fn live(&mut self, stage: &Stage, place: usize, rooms: &[String]) {
        loop {
            let answer = match stage.mood.get() {
                Mood::Talk => {
                    sleep(self.chance.next(THOUGHT)).await;
                    self.do_something(rooms).await
                }
                Mood::Hurry => self.do_something(rooms).await,
                Mood::Storm => self.come_or_go(&rooms[0]).await,
                Mood::Rest => return,
            };
            if answer.is_some() {
                stage.answers[place].update(|count| count + 1);
            }
        }
    }

    async fn do_something(&mut self, rooms: &[String]) -> Option<Value> {
        let room = &rooms[self.chance.choice(rooms.len())];
        if !self.there.contains(room) {
            return self.join(room).await;
        }
        match self.chance.choice(24) {
            0 => {
                self.vanish();
                None
            }
            1..5 => self.leave(room).await,
            5..8 => self.members(room).await,
            8..10 => self.ask(json!({"type": "history", "room": room})).await,
            _ => self.say(room).await,
        }
    }

    async fn come_or_go(&mut self, room: &str) -> Option<Value> {
        if self.there.contains(room) { self.leave(room).await } else { self.join(room).await }
    }

    async fn join(&mut self, room: &str) -> Option<Value> {
        let mut join = json!({"type": "join", "room": room});
        if let Some((epoch, seq)) = self.heard.get(room) {
            join["resume"] = json!({"epoch": epoch, "seq": seq});
        }
        self.ask(join).await
    }

    async fn leave(&mut self, room: &str) -> Option<Value> {
        self.ask(json!({"type": "leave", "room": room})).await
    }

    async fn members(&mut self, room: &str) -> Option<Value> {
        self.ask(json!({"type": "members", "room": room})).await
    }

    async fn say(&mut self, room: &str) -> Option<Value> {
        let send = self.unsure.take_if(|send| send["room"] == room).unwrap_or_else(|| {
            self.tried += 1;
            let (body, nonce) =
                (format!("{} of {}", self.tried, self.name), self.tried.to_string());
            json!({"type": "send", "room": room, "body": body, "nonce": nonce})
        });
        let answer = self.ask(send.clone()).await;
        match answer.as_ref().map(|answer| (&answer["type"], &answer["code"])) {
            Some((kind, _)) if kind == "sent" => self.said += 1,
            Some((_, code)) if code != "outcome_unknown" => {}
            _ => self.unsure = Some(send),
        }
        answer
    }

    /// Goes without a word, from everywhere.
    fn vanish(&mut self) {
        if let Some(client) = self.client.take() {
            client.reset();
        }
        self.there.clear();
    }

    /// Leaves what it is in, or goes without a word.
    pub(super) async fn go(&mut self) {
        if self.chance.choice(2) == 0 {
            for room in self.there.clone() {
                self.leave(&room).await;
            }
        }
        self.vanish();
    }

    /// Asks for something, and reads on to the answer; `None` where there is none because the socket has ended.
    async fn ask(&mut self, request: Value) -> Option<Value> {
        if self.client.is_none() {
            self.come().await;
        }
        let id = self.client.as_mut()?.try_ask(request.clone()).await;
        loop {
            let frame = self.hear().await?;
            if id.is_some_and(|id| frame["id"] == id) {
                self.take(&request, &frame).await;
                return Some(frame);
            }
        }
    }

    /// Opens a socket on whichever node lets it in.
    async fn come(&mut self) {
        let (name, value) = &self.credential;
        let upgrade = Request::upgrade(self.balancer, "/chat/ws").header(name, value);
        eventually("a node lets somebody in", async || {
            self.client = Client::try_open(upgrade.clone()).await;
            self.client.is_some()
        })
        .await;
    }

    /// As patient with limits as a client should be, and with nothing else.
    async fn take(&mut self, request: &Value, answer: &Value) {
        if answer["type"] != "error" {
            return;
        }
        let is_expected = REFUSALS.iter().any(|code| answer["code"] == *code);
        assert!(is_expected, "{request} of {} was answered by {answer}", self.name);
        match &self.client {
            Some(client) if answer["code"] == "rate_limited" => client.wait_as_told(answer).await,
            _ => sleep(self.chance.next(THOUGHT)).await,
        }
    }

    /// The next frame, or `None` at the end of the socket.
    async fn hear(&mut self) -> Option<Value> {
        let Some(frame) = self.client.as_mut()?.next_or_end().await else {
            self.client = None;
            self.there.clear();
            return None;
        };
        let room = frame["room"].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap_or_default() {
            "joined" => {
                self.resumed += usize::from(frame["resumed"] == true);
                self.lives.insert(frame["epoch"].to_string());
                let seq = frame["seq"].as_u64().unwrap_or(0);
                self.heard.insert(room.clone(), (frame["epoch"].clone(), seq));
                self.there.insert(room);
            }
            "message" => {
                if let Some((_, seq)) = self.heard.get_mut(&room) {
                    *seq = frame["seq"].as_u64().unwrap_or(*seq);
                }
            }
            "left" | "removed" => _ = self.there.remove(&room),
            _ => {}
        }
        Some(frame)
    }

    async fn hear_up_to(&mut self, room: &str, last: u64) -> Option<()> {
        while self.heard.get(room).is_none_or(|(_, seq)| *seq < last) {
            self.hear().await.filter(|_| self.there.contains(room))?;
        }
        Some(())
    }
}

/// Everybody is in all rooms and nobody else, says a last word and hears everybody's.
pub(super) async fn rest(guests: &mut [Guest], rooms: &[String]) {
    eventually("everybody rests", async || are_at_rest(guests, rooms).await.is_some()).await;
}

/// `None` where something has come in between.
async fn are_at_rest(guests: &mut [Guest], rooms: &[String]) -> Option<()> {
    for guest in &mut *guests {
        for room in rooms {
            if !guest.there.contains(room) {
                guest.join(room).await?;
            }
        }
    }
    let everybody: BTreeSet<String> = guests.iter().map(|guest| guest.name.clone()).collect();
    for guest in &mut *guests {
        for room in rooms {
            let answer = guest.members(room).await?;
            let members = answer["members"].as_array()?.iter();
            let is_one = |member: &Value| member["connections"] == 1;
            let there = members.filter(|member| is_one(member)).map(|member| &member["user"]);
            let there: BTreeSet<_> = there.filter_map(Value::as_str).map(str::to_owned).collect();
            if there != everybody {
                return None;
            }
        }
    }
    for room in rooms {
        let mut last = 0;
        for guest in &mut *guests {
            // What is said again may have its place already.
            last = last.max(guest.say(room).await?["seq"].as_u64()?);
        }
        for guest in &mut *guests {
            guest.hear_up_to(room, last).await?;
        }
    }
    for guest in guests {
        guest.client.as_ref()?.settled();
    }
    Some(())
}
