//! The model: what everybody is told, and what is left of a room, by the words of the promises alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chatrooms_core::{Error, RoomEnd};

use super::step::{CLIENTS, ROOMS, Sanction, TABS, USERS, name};

/// Small bounds, so that they are met.
pub(super) const RECENT: usize = 4;
pub(super) const KEEP: u64 = 8;
pub(super) const HISTORY: usize = 5;
pub(super) const LINGER: Duration = Duration::from_secs(30);

/// One life of a room.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) number: usize,
    pub(super) members: Vec<usize>,
    /// Whether somebody has been there in this process.
    has_begun: bool,
    pub(super) head: u64,
    oldest: u64,
    authors: BTreeMap<u64, &'static str>,
    /// What has been taken back, and the newest message at that time.
    redacted: BTreeMap<u64, u64>,
    /// The newest message at the time when something was taken back of which nobody can be told any more, because it is not kept.
    forgotten: u64,
    nonces: BTreeMap<(&'static str, u8), u64>,
    /// Until when whom; without a time, for as long as the life lasts.
    sanctions: BTreeMap<(Sanction, &'static str), Option<Duration>>,
    /// Whether there has ever been one: the store has something to keep then, like a message.
    is_noted: bool,
    /// Until when it waits, where nobody is there.
    until: Option<Duration>,
}

impl Life {
    /// The newest message that the room has at hand for joins, and those before it.
    fn at_hand(&self) -> u64 {
        (RECENT as u64).min(self.head + 1 - self.oldest)
    }

    pub(super) fn names(&self) -> String {
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

    fn holds(&self, what: Sanction, user: &'static str, now: Duration) -> bool {
        let until = self.sanctions.get(&(what, user));
        until.is_some_and(|until| until.is_none_or(|until| until > now))
    }

    fn is_expired(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Messages as they are shown, with those that were taken back marked.
    fn shown(&self, messages: std::ops::RangeInclusive<u64>) -> String {
        let mark = |seq| if self.redacted.contains_key(&seq) { "!" } else { "" };
        messages.map(|seq| format!("{seq}{}", mark(seq))).collect::<Vec<_>>().join(" ")
    }

    fn can_resume(&self, number: usize, seq: u64) -> bool {
        number == self.number
            && self.head - seq <= self.at_hand()
            && (self.forgotten == 0 || seq > self.forgotten)
    }

    /// Forgets the oldest, of a room that is full.
    fn trim(&mut self) {
        if self.head + 1 - self.oldest > KEEP {
            self.oldest = self.head - (KEEP - KEEP / 8) + 1;
            let kept = self.redacted.split_off(&self.oldest);
            let forgotten = std::mem::replace(&mut self.redacted, kept);
            self.forgotten = forgotten.into_values().fold(self.forgotten, u64::max);
            self.nonces.retain(|_, seq| *seq >= self.oldest);
        }
    }
}

/// What everybody should have been told.
#[derive(Debug)]
pub(super) struct Model {
    lingers: bool,
    now: Duration,
    /// The lives of this process.
    pub(super) lives: BTreeMap<usize, Life>,
    /// Those of the process before, to which nobody has come back yet.
    kept: BTreeMap<usize, Life>,
    begun: usize,
    /// The lives that have ended since this was last looked at.
    pub(super) over: Vec<usize>,
    /// How many lives this process has had to purge.
    pub(super) purges: u64,
    pub(super) told: Vec<Vec<String>>,
    /// What the host has been told who watches all rooms.
    pub(super) watched: Vec<String>,
    /// The life and the newest message that a client knows of a room.
    pub(super) known: BTreeMap<(usize, usize), (usize, u64)>,
}

impl Model {
    pub(super) fn new(lingers: bool) -> Self {
        Self {
            lingers,
            now: Duration::ZERO,
            lives: BTreeMap::new(),
            kept: BTreeMap::new(),
            begun: 0,
            over: Vec::new(),
            purges: 0,
            told: vec![Vec::new(); CLIENTS],
            watched: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    fn tell(&mut self, client: usize, at: usize, line: &str) {
        self.told[client].push(in_room(at, line));
    }

    fn show(&mut self, at: usize, line: &str) {
        self.watched.push(in_room(at, line));
    }

    fn tell_all(&mut self, at: usize, but: Option<usize>, line: &str) {
        let members = self.lives.get(&at).map_or_else(Vec::new, |life| life.members.clone());
        for member in members.into_iter().filter(|member| Some(*member) != but) {
            self.tell(member, at, line);
        }
    }

    pub(super) fn is_in(&self, client: usize, at: usize) -> bool {
        self.lives.get(&at).is_some_and(|life| life.members.contains(&client))
    }

    /// Who is there, where somebody is.
    pub(super) fn occupied(&self) -> impl Iterator<Item = (usize, &Life)> {
        let lives = self.lives.iter().map(|(at, life)| (*at, life));
        lives.filter(|(_, life)| !life.members.is_empty())
    }

    /// The message that the next one will be.
    pub(super) fn next(&self, at: usize) -> u64 {
        self.lives.get(&at).map_or(0, |life| life.head) + 1
    }

    /// The life where somebody is.
    fn entered(&mut self, at: usize) -> &mut Life {
        self.open(at);
        let life = self.lives.entry(at).or_insert_with(|| {
            self.begun += 1;
            Life { number: self.begun, oldest: 1, ..Life::default() }
        });
        life.until = None;
        let (head, is_first) = (life.head, !std::mem::replace(&mut life.has_begun, true));
        if is_first {
            self.show(at, &format!("opened at {head}"));
        }
        self.lives.entry(at).or_default()
    }

    /// Has a life of the process before go on in this one: somebody has come to its door.
    fn open(&mut self, at: usize) {
        if let Some(life) = self.kept.remove(&at) {
            self.lives.insert(at, life);
        }
    }

    pub(super) fn join(
        &mut self,
        client: usize,
        at: usize,
        history: Option<usize>,
        resume: bool,
    ) -> Result<(), Error> {
        if self.is_in(client, at) {
            return Err(Error::AlreadyInRoom);
        }
        self.open(at);
        if self.lives.get(&at).is_some_and(|life| life.holds(Sanction::Ban, name(client), self.now))
        {
            return Err(Error::Banned);
        }
        let known = self.known.get(&(client, at)).copied().filter(|_| resume);
        let life = self.entered(at);
        let is_news = !life.has(name(client));
        life.members.push(client);
        let resumes = known.filter(|(number, seq)| life.can_resume(*number, *seq));
        let (how, first) = match resumes {
            Some((_, seq)) => ("resumed", seq + 1),
            None => {
                let wanted = history.unwrap_or(50).min(HISTORY) as u64;
                ("joined", life.head + 1 - wanted.min(life.at_hand()))
            }
        };
        let mut line = format!("{how} at {} [{}]", life.head, life.names());
        if first <= life.head {
            line += &format!(" ({})", life.shown(first..=life.head));
        }
        if life.oldest < first {
            line += " more";
        }
        let taken_back: Vec<_> =
            life.redacted.range(life.oldest..first).map(|(seq, _)| *seq).collect();
        if resumes.is_some() && !taken_back.is_empty() {
            line += &format!(" taken back {taken_back:?}");
        }
        let knows = (life.number, life.head);
        self.known.insert((client, at), knows);
        if is_news {
            self.show(at, &format!("+{}", name(client)));
            self.tell_all(at, Some(client), &format!("+{}", name(client)));
        }
        self.tell(client, at, &line);
        Ok(())
    }

    /// Takes clients out of a room, together.
    pub(super) fn out(&mut self, clients: &[usize], at: usize, why: RoomEnd) {
        let Some(life) = self.lives.get_mut(&at).filter(|_| !clients.is_empty()) else { return };
        life.members.retain(|member| !clients.contains(member));
        let gone: BTreeSet<_> =
            clients.iter().map(|client| name(*client)).filter(|name| !life.has(name)).collect();
        let is_empty = life.members.is_empty();
        let waits = is_empty && why == RoomEnd::Lost && self.lingers;
        life.until = waits.then(|| self.now + LINGER);
        for name in gone {
            self.show(at, &format!("-{name}"));
            self.tell_all(at, None, &format!("-{name}"));
        }
        if is_empty && !waits {
            self.end(at, why);
        }
    }

    fn end(&mut self, at: usize, why: RoomEnd) {
        if let Some(life) = self.lives.remove(&at) {
            if life.has_begun {
                self.show(at, &format!("closed {why:?}"));
            }
            self.purge(life);
        }
    }

    fn purge(&mut self, life: Life) {
        self.purges += 1;
        self.over.push(life.number);
    }

    /// Says something, unless this user has said it before; returns its number, and whether it was.
    pub(super) fn say(&mut self, at: usize, by: &'static str, nonce: Option<u8>) -> (u64, bool) {
        let Some(life) = self.lives.get_mut(&at) else { return (0, false) };
        let mark = nonce.map(|nonce| (by, nonce));
        if let Some(said) = mark.and_then(|mark| life.nonces.get(&mark)) {
            return (*said, true);
        }
        life.head += 1;
        let seq = life.head;
        life.authors.insert(seq, by);
        life.nonces.extend(mark.map(|mark| (mark, seq)));
        life.trim();
        let (number, members) = (life.number, life.members.clone());
        for member in members {
            self.known.insert((member, at), (number, seq));
        }
        let line = format!("{seq} {by}: {}", body(seq));
        self.show(at, &line);
        self.tell_all(at, None, &line);
        (seq, false)
    }

    pub(super) fn redact(&mut self, client: usize, at: usize, seq: u64) -> Result<(), Error> {
        if !self.is_in(client, at) {
            return Err(Error::NotInRoom);
        }
        let Some(life) = self.lives.get_mut(&at) else { return Err(Error::NotInRoom) };
        if seq < life.oldest || seq > life.head {
            return Err(Error::NotFound);
        }
        if life.authors[&seq] != name(client) {
            return Err(Error::Forbidden);
        }
        if !life.redacted.contains_key(&seq) {
            life.redacted.insert(seq, life.head);
            let line = format!("{seq} taken back by {}", name(client));
            self.show(at, &line);
            self.tell_all(at, None, &line);
        }
        Ok(())
    }

    pub(super) fn signal(&mut self, client: usize, at: usize) {
        self.tell_all(at, Some(client), &format!("{} waves", name(client)));
    }

    /// The messages before one, or the newest, and whether there are older ones.
    pub(super) fn history(
        &self,
        client: usize,
        at: usize,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(String, bool), Error> {
        let life = self.lives.get(&at).filter(|_| self.is_in(client, at));
        let life = life.ok_or(Error::NotInRoom)?;
        let end = before.unwrap_or(life.head + 1).min(life.head + 1).max(life.oldest);
        let limit = limit.clamp(1, HISTORY) as u64;
        let first = end.saturating_sub(limit).max(life.oldest);
        Ok((life.shown(first..=end.saturating_sub(1)), life.oldest < first))
    }

    pub(super) fn of(&self, whom: usize, at: usize) -> Vec<usize> {
        let tabs = whom * TABS..(whom + 1) * TABS;
        tabs.filter(|client| self.is_in(*client, at)).collect()
    }

    pub(super) fn kick(&mut self, clients: &[usize], at: usize) {
        for client in clients {
            self.tell(*client, at, "removed kicked");
        }
        self.out(clients, at, RoomEnd::Left);
    }

    /// Imposes something; says on how many connections, where there is such a room.
    pub(super) fn impose(
        &mut self,
        (what, whom): (Sanction, usize),
        at: usize,
        time: Option<Duration>,
    ) -> Option<usize> {
        let until = time.map(|time| self.now + time);
        let life = self.lives.get_mut(&at)?;
        life.sanctions.insert((what, USERS[whom]), until);
        life.is_noted = true;
        let clients = if what == Sanction::Ban { self.of(whom, at) } else { Vec::new() };
        for client in &clients {
            self.tell(*client, at, "removed banned");
        }
        self.out(&clients, at, RoomEnd::Left);
        Some(clients.len())
    }

    /// Says whether there was something to lift.
    pub(super) fn lift(&mut self, (what, whom): (Sanction, usize), at: usize) -> bool {
        let now = self.now;
        let Some(life) = self.lives.get_mut(&at) else { return false };
        let held = life.holds(what, USERS[whom], now);
        life.sanctions.remove(&(what, USERS[whom]));
        held
    }

    pub(super) fn may_speak(&self, client: usize, at: usize) -> Result<(), Error> {
        let life = self.lives.get(&at).filter(|_| self.is_in(client, at));
        let life = life.ok_or(Error::NotInRoom)?;
        let is_muted = life.holds(Sanction::Mute, name(client), self.now);
        if is_muted { Err(Error::Muted) } else { Ok(()) }
    }

    /// Whether anything is imposed on anybody.
    pub(super) fn has_sanctions(&self) -> bool {
        self.lives.values().any(|life| !life.sanctions.is_empty())
    }

    /// Closes a room, also one that waits; returns how many were there.
    pub(super) fn close(&mut self, at: usize) -> usize {
        let all = self.lives.get(&at).map_or_else(Vec::new, |life| life.members.clone());
        for client in &all {
            self.tell(*client, at, "removed room_closed");
        }
        self.out(&all, at, RoomEnd::Closed);
        self.end(at, RoomEnd::Closed);
        all.len()
    }

    /// A session has ended.
    pub(super) fn gone(&mut self, client: usize, why: RoomEnd) {
        self.told[client].clear();
        for at in 0..ROOMS.len() {
            if self.is_in(client, at) {
                self.out(&[client], at, why);
            }
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        let now = self.now;
        for at in 0..ROOMS.len() {
            if self.lives.get(&at).is_some_and(|life| life.is_expired(now)) {
                self.end(at, RoomEnd::Expired);
            }
            if self.kept.get(&at).is_some_and(|life| life.is_expired(now)) {
                self.kept.remove(&at).into_iter().for_each(|life| self.purge(life));
            }
        }
    }

    /// Everybody has gone, and the process puts away what waits for their return.
    pub(super) fn put_away(&mut self) {
        for at in 0..ROOMS.len() {
            if self.lives.get(&at).is_some_and(|life| life.has_begun) {
                self.show(at, &format!("closed {:?}", RoomEnd::PutAway));
            }
        }
    }

    /// Another process begins, with what the store has kept: a life in which nothing was said or imposed is forgotten.
    pub(super) fn restart(&mut self) {
        self.purges = 0;
        self.told.iter_mut().for_each(Vec::clear);
        self.watched.clear();
        let lives = std::mem::take(&mut self.lives);
        let kept = std::mem::take(&mut self.kept);
        for (at, mut life) in lives.into_iter().chain(kept) {
            life.members.clear();
            life.has_begun = false;
            life.until = Some(self.now + LINGER);
            // When something was taken back is not kept; of what has been trimmed not even whether it was.
            life.redacted.values_mut().for_each(|at| *at = life.head);
            if life.oldest > 1 {
                life.forgotten = life.head;
            }
            if life.head == 0 && !life.is_noted {
                self.over.push(life.number);
            } else if self.lingers {
                self.kept.insert(at, life);
            } else {
                self.purge(life);
            }
        }
    }
}

fn in_room(at: usize, line: &str) -> String {
    format!("{}: {line}", ROOMS[at])
}

pub(super) fn body(seq: u64) -> String {
    format!("message {seq}")
}
