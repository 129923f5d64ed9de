//! Somebody with a socket: one visit after the other, each of which ends in another way.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    dice::Dice,
    director::LAST_WORD,
    episode::{Phase, ROOMS, Shared},
    oddity::Oddity,
    socket::{Ended, Frame, Socket},
};

/// Between one act and the next.
const PACE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(6_000));
/// Between one visit and the next.
const AWAY: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(1_500));
/// No request is open for longer.
const ANSWERED: Duration = Duration::from_secs(120);
/// Most are in the first room, and the last one is empty now and then.
const LIKED: [usize; 10] = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3];
/// Where nobody stays.
const PASSAGE: usize = 3;
/// What a store in trouble answers, and what is told to those who are too fast or too late.
const EXPECTED: [&str; 5] =
    ["store_unavailable", "outcome_unknown", "busy", "rate_limited", "not_found"];

/// What is done at a time.
#[derive(Clone, Copy, Debug)]
enum Act {
    Say,
    Move,
    Signal,
    History,
    Members,
    Redact,
    Go,
}

use Act::{Go, History, Members, Move, Redact, Say, Signal};

const ACTS: [Act; 20] = [
    Say, Say, Say, Say, Say, Say, Say, Say, Say, Say, Move, Move, Move, Signal, Signal, History,
    Members, Redact, Go, Go,
];

#[derive(Debug)]
pub(crate) struct Guest {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    dice: Dice,
    number: usize,
    cookie: String,
    /// How much it has said, so that nothing is said twice.
    said: u64,
    /// The life of each room that it was in, and the newest message of it that it has.
    known: HashMap<usize, (String, u64)>,
    /// What it has said and does not know what became of.
    open: Vec<Saying>,
    has_rested: bool,
    has_heard: bool,
}

/// Something said, which is said again under the same nonce if nobody knows what became of it.
#[derive(Clone, Debug)]
struct Saying {
    place: usize,
    body: String,
}

/// One visit.
#[derive(Debug)]
struct Visit {
    socket: Socket,
    /// The rooms that it is in.
    rooms: Vec<usize>,
    /// The messages of its own, to take one back: a room and a number.
    own: Vec<(usize, u64)>,
    /// What is not answered yet.
    asked: HashMap<u64, Asked>,
    last_words: usize,
}

#[derive(Clone, Debug)]
enum Asked {
    Join(usize),
    Send(Saying),
    /// Answered when ready, which may be after a leave that was asked for later.
    Look,
    Other,
}

/// Why somebody does something.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Time,
    Storm,
    Rest,
}

impl Guest {
    pub(crate) fn new(shared: Arc<Shared>, number: usize) -> Self {
        let stage = &shared.stage;
        let who = ((stage.house as u64) << 40) | (stage.number << 16) | (number as u64 + 1);
        Self {
            phase: shared.phase.clone(),
            dice: Dice::new(stage.plan.seed, who),
            number,
            cookie: stage.plan.guest(stage.house, number).to_owned(),
            said: 0,
            known: HashMap::new(),
            open: Vec::new(),
            has_rested: false,
            has_heard: false,
            shared,
        }
    }

    /// Comes and goes until all rest, rests, and goes.
    pub(crate) async fn live(mut self) {
        let mut is_new = true;
        while *self.phase.borrow() == Phase::Living {
            let left = self.left();
            let odd = Oddity::befalls(&mut self.dice, is_new, left);
            is_new = false;
            let visited = match odd {
                Some(oddity) => oddity.visit(&self.shared, &self.cookie, &mut self.dice).await,
                None => match self.visit().await {
                    Ok(true) => return,
                    Ok(false) => Ok(()),
                    Err(ended) => Err(ended),
                },
            };
            if let Err(ended) = visited {
                let called = self.shared.stage.called();
                let problem =
                    format!("{called}: a socket of guest {} ended: {}", self.number, ended.why);
                self.shared.stage.counts.problem(problem);
            }
            sleep(self.dice.between(AWAY.0, AWAY.1)).await;
        }
        // Whatever has become of its last visit, nobody waits for it.
        self.rests(&[]);
        self.hears();
    }

    /// Comes, does this and that, and goes; true where it has gone with everybody else.
    async fn visit(&mut self) -> Result<bool, Ended> {
        let mut visit = self.come().await?;
        loop {
            let next = Instant::now() + self.dice.between(PACE.0, PACE.1);
            match self.listen_until(&mut visit, next).await? {
                Cause::Rest => return self.rest(visit).await.map(|()| true),
                Cause::Storm => {
                    self.shared.stage.counts.add("resets in storms");
                    self.vanish(visit);
                    return Ok(false);
                }
                Cause::Time => match self.dice.one_of(&ACTS) {
                    Go => return self.go(visit).await.map(|()| false),
                    act => self.act(&mut visit, act).await?,
                },
            }
        }
    }

    async fn come(&mut self) -> Result<Visit, Ended> {
        let socket = Socket::open(&self.shared, &self.cookie, false).await?;
        self.shared.stage.counts.add("visits");
        let (rooms, own, asked) = (Vec::new(), Vec::new(), HashMap::new());
        let mut visit = Visit { socket, rooms, own, asked, last_words: 0 };
        let place = self.dice.one_of(&LIKED);
        self.join(&mut visit, place).await?;
        Ok(visit)
    }

    /// Listens until it is time to do something.
    async fn listen_until(&mut self, visit: &mut Visit, next: Instant) -> Result<Cause, Ended> {
        let (mut phase, mut storm) = (self.phase.clone(), self.shared.stage.storm.clone());
        storm.mark_unchanged();
        loop {
            tokio::select! {
                frame = visit.socket.frame() => self.hear(visit, &frame?)?,
                () = sleep_until(next) => return Ok(Cause::Time),
                () = comes(&mut phase, Phase::Resting) => return Ok(Cause::Rest),
                Ok(()) = storm.changed() => return Ok(Cause::Storm),
            }
        }
    }

    async fn act(&mut self, visit: &mut Visit, act: Act) -> Result<(), Ended> {
        if visit.rooms.contains(&PASSAGE) {
            return self.leave(visit, PASSAGE).await;
        }
        if visit.rooms.is_empty() || matches!(act, Move) {
            let place = self.dice.one_of(&LIKED);
            let is_joining = visit.asked.values().any(|asked| matches!(asked, Asked::Join(_)));
            return match visit.rooms.contains(&place) {
                true => self.leave(visit, place).await,
                false if is_joining => Ok(()),
                false => self.join(visit, place).await,
            };
        }
        let place = self.dice.one_of(&visit.rooms);
        let room = self.shared.stage.room(place);
        let (request, asked) = match act {
            Say => return self.say(visit, place).await,
            Signal => {
                return visit.socket.say(&json!({"type": "signal", "room": room, "data": 1})).await;
            }
            History => {
                let page = json!({"type": "history", "room": room, "before": 20, "limit": 20});
                (page, Asked::Look)
            }
            Members => (json!({"type": "members", "room": room}), Asked::Look),
            _ => match visit.own.pop() {
                Some((place, seq)) if visit.rooms.contains(&place) => {
                    let room = self.shared.stage.room(place);
                    (json!({"type": "redact", "room": room, "seq": seq}), Asked::Other)
                }
                _ => return Ok(()),
            },
        };
        visit.ask(request, asked).await
    }

    /// Joins a room, and goes on where it was if it may.
    async fn join(&mut self, visit: &mut Visit, place: usize) -> Result<(), Ended> {
        let mut join = json!({"type": "join", "room": self.shared.stage.room(place)});
        if let Some((epoch, seq)) = self.known.get(&place)
            && self.dice.in_a_hundred(60)
        {
            join["resume"] = json!({"epoch": epoch, "seq": seq});
        }
        visit.ask(join, Asked::Join(place)).await
    }

    async fn leave(&mut self, visit: &mut Visit, place: usize) -> Result<(), Ended> {
        visit.rooms.retain(|room| *room != place);
        visit.own.retain(|(room, _)| *room != place);
        let leave = json!({"type": "leave", "room": self.shared.stage.room(place)});
        visit.ask(leave, Asked::Other).await
    }

    /// Says something new, or again what was said before and not answered.
    async fn say(&mut self, visit: &mut Visit, place: usize) -> Result<(), Ended> {
        let again = self.open.iter().position(|saying| saying.place == place);
        let saying = again.map(|at| self.open.swap_remove(at)).unwrap_or_else(|| {
            self.said += 1;
            let body = format!(
                "{} of guest {}, {}",
                self.said,
                self.number,
                "word ".repeat(self.dice.below(40))
            );
            Saying { place, body }
        });
        let room = self.shared.stage.room(place);
        let nonce = saying.body.split(',').next().unwrap_or_default();
        let send = json!({"type": "send", "room": room, "body": saying.body, "nonce": nonce});
        visit.ask(send, Asked::Send(saying)).await
    }

    fn hear(&mut self, visit: &mut Visit, frame: &Frame) -> Result<(), Ended> {
        let place = frame.room.as_deref().and_then(|room| self.shared.stage.place(room));
        if let (Some(place), Some(seq)) = (place, frame.seq) {
            match (frame.kind.as_str(), &frame.epoch) {
                ("joined", Some(epoch)) => drop(self.known.insert(place, (epoch.clone(), seq))),
                ("message", _) => {
                    if let Some((_, newest)) = self.known.get_mut(&place) {
                        *newest = seq;
                    }
                    visit.last_words += usize::from(frame.body.as_deref() == Some(LAST_WORD));
                }
                _ => {}
            }
        }
        let asked = frame.id.and_then(|id| visit.asked.remove(&id));
        match (asked, frame.code.as_deref()) {
            (Some(Asked::Join(place)), None) => visit.rooms.push(place),
            (Some(Asked::Send(saying)), None) => {
                // The numbers of a life mean nothing in the next one.
                let is_there = visit.rooms.contains(&saying.place);
                visit.own.extend(frame.seq.filter(|_| is_there).map(|seq| (saying.place, seq)));
            }
            (Some(asked), Some(code)) => {
                self.shared.stage.counts.refused(code);
                let has_left = matches!(asked, Asked::Look) && code == "not_in_room";
                if !has_left && !EXPECTED.contains(&code) {
                    return Err(Ended { why: format!("{asked:?} was refused: {code}") });
                }
                if let (Asked::Send(saying), "outcome_unknown") = (asked, code) {
                    self.open.push(saying);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Goes in one way or another.
    async fn go(&mut self, mut visit: Visit) -> Result<(), Ended> {
        let counts = &self.shared.stage.counts;
        match self.dice.below(10) {
            0..4 => {
                counts.add("resets");
                self.vanish(visit);
                return Ok(());
            }
            4..6 => {
                for place in std::mem::take(&mut visit.rooms) {
                    self.leave(&mut visit, place).await?;
                }
                self.hear_answers(&mut visit).await?;
            }
            _ => {}
        }
        match visit.socket.close().await {
            Ended { why } if why == "1000" => Ok(()),
            ended => Err(ended),
        }
    }

    fn vanish(&mut self, mut visit: Visit) {
        self.open.extend(visit.asked.drain().filter_map(|(_, asked)| match asked {
            Asked::Send(saying) => Some(saying),
            _ => None,
        }));
        visit.socket.reset();
    }

    async fn hear_answers(&mut self, visit: &mut Visit) -> Result<(), Ended> {
        let heard = async {
            while !visit.asked.is_empty() {
                let frame = visit.socket.frame().await?;
                self.hear(visit, &frame)?;
            }
            Ok(())
        };
        let hung = |_| Err(Ended { why: "what was asked was not answered".to_owned() });
        timeout(ANSWERED, heard).await.unwrap_or_else(hung)
    }

    /// Listens to the last word, and goes with everybody else.
    async fn rest(&mut self, mut visit: Visit) -> Result<(), Ended> {
        self.hear_answers(&mut visit).await?;
        self.rests(&visit.rooms);
        while visit.last_words < visit.rooms.len() {
            let frame = visit.socket.frame().await?;
            self.hear(&mut visit, &frame)?;
        }
        visit.socket.settled();
        self.hears();
        let mut phase = self.phase.clone();
        loop {
            tokio::select! {
                frame = visit.socket.frame() => self.hear(&mut visit, &frame?)?,
                () = comes(&mut phase, Phase::Going) => return self.go(visit).await,
            }
        }
    }

    /// Says that it rests, with a connection to each of these rooms.
    fn rests(&mut self, rooms: &[usize]) {
        if !std::mem::replace(&mut self.has_rested, true) {
            self.shared.rest.send_modify(|rest| {
                rest.resting += 1;
                rooms.iter().for_each(|place| rest.connections[*place] += 1);
            });
        }
    }

    /// Says that it has heard all there is.
    fn hears(&mut self) {
        if !std::mem::replace(&mut self.has_heard, true) {
            self.shared.rest.send_modify(|rest| rest.have_heard += 1);
        }
    }

    /// Until everybody rests, at least.
    fn left(&self) -> Duration {
        self.shared.ends.saturating_duration_since(Instant::now())
    }
}

/// Waits for a phase, or a later one.
async fn comes(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    // An episode that is given up has no later one.
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

impl Visit {
    async fn ask(&mut self, request: Value, asked: Asked) -> Result<(), Ended> {
        let id = self.socket.ask(request).await?;
        self.asked.insert(id, asked);
        Ok(())
    }
}

const _: () = assert!(ROOMS == PASSAGE + 1, "each room is liked by somebody");
