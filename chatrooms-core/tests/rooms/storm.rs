//! Everything at once, on several threads, judged by the oracle.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chatrooms_core::{
    CloseReason, Error, Join, Post, RoomName,
    testing::{Call, Fault},
};

use crate::{
    kit::{Client, House, millis, room, user},
    oracle::{Ledger, Trace, View},
};

const ROOMS: [&str; 3] = ["a", "b", "c"];
const USERS: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];

/// A small generator of its own for each client, so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll<T: Copy>(&mut self, sides: &[T]) -> T {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sides[(self.0 >> 33) as usize % sides.len()]
    }
}

/// A client that does as the dice say and writes down all it is told.
struct Player {
    client: Client,
    trace: Trace,
    traces: Vec<Trace>,
    /// The rooms it is in, and the life of each.
    lives: HashMap<RoomName, String>,
}

impl Player {
    fn new(house: &House, name: &str) -> Self {
        let client = house.client(name);
        Self { client, trace: Trace::new(name), traces: Vec::new(), lives: HashMap::new() }
    }

    async fn act(&mut self, house: &House, dice: &mut Dice) {
        let at = room(dice.roll(&ROOMS));
        match dice
            .roll(&["join", "join", "send", "send", "send", "leave", "redact", "again", "other"])
        {
            "join" => self.join(&at).await,
            "send" => self.send(&at, dice).await,
            "leave" => self.leave(&at),
            "redact" => {
                let _ = self.client.session.redact(&at, dice.roll(&[1, 2, 3, 5, 8])).await;
            }
            "again" if dice.roll(&[true, false, false]) => self.reconnect(house),
            "other" if dice.roll(&[true, false, false, false]) => interfere(house, &at, dice),
            _ => {}
        }
        self.trace.read(&self.client.session);
    }

    async fn join(&mut self, at: &RoomName) {
        if let Ok(joined) = self.client.session.join(at, Join::default()).await {
            self.lives.insert(at.clone(), joined.epoch.to_string());
        }
    }

    async fn send(&mut self, at: &RoomName, dice: &mut Dice) {
        let Some(life) = self.lives.get(at) else { return };
        let body = format!("{life} {}", dice.roll(&["x", "y", "z"]));
        match self.client.session.send(at, Post::new(body)).await {
            Ok(receipt) if dice.roll(&[true, false]) => drop(receipt.wait().await),
            Ok(receipt) => drop(receipt),
            Err(Error::NotInRoom) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn leave(&mut self, at: &RoomName) {
        if self.client.session.leave(at).is_ok() {
            self.trace.left(at, &self.client.session);
        }
    }

    fn reconnect(&mut self, house: &House) {
        let name = self.client.session.identity().user().to_string();
        let mut next = Self::new(house, &name);
        std::mem::swap(self, &mut next);
        next.trace.read(&next.client.session);
        self.traces = next.traces;
        self.traces.push(next.trace);
    }
}

fn interfere(house: &House, at: &RoomName, dice: &mut Dice) {
    let whom = user(dice.roll(&USERS));
    match dice.roll(&["kick", "kick", "kick", "close", "end"]) {
        "kick" => drop(house.registry.moderation(at).kick(&whom, None)),
        "close" => drop(house.registry.moderation(at).close(None)),
        _ => drop(house.registry.end_sessions(&whom, &CloseReason::Moved)),
    }
}

async fn storm(house: House, rounds: usize, sabotage: fn(&House, &mut Dice)) {
    let house = Arc::new(house);
    let players = (0..12).map(|seed| {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            let mut dice = Dice(seed);
            let mut player = Player::new(&house, USERS[seed as usize % USERS.len()]);
            for _ in 0..rounds {
                sabotage(&house, &mut dice);
                player.act(&house, &mut dice).await;
                if player.client.session.outbox().closed().is_some() {
                    player.reconnect(&house);
                }
                tokio::task::yield_now().await;
            }
            player
        })
    });
    let mut players: Vec<_> = futures_util::future::join_all(players.collect::<Vec<_>>())
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    house.store.heal();
    let mut tries = 0;
    while !is_quiet(&house, &players).await {
        tries += 1;
        assert!(tries < 1_000, "it does not come to rest");
    }
    judge(&house, &mut players);
    drop(players);
    house.emptied().await;
    let closed = house.store.closed_lives();
    assert_eq!(
        closed.iter().collect::<std::collections::HashSet<_>>().len(),
        closed.len(),
        "every life is purged once"
    );
}

/// Waits until everything has been delivered that was sent: a message to oneself is behind all others.
async fn is_quiet(house: &House, players: &[Player]) -> bool {
    for player in players {
        for at in player.client.session.rooms() {
            let joined = house.registry.rooms(None, 9).0;
            let life =
                joined.iter().find(|summary| summary.room == at).map(|summary| summary.epoch);
            let Some(life) = life else { return false };
            let post = Post::new(format!("{life} the last"));
            if player.client.session.publish(&at, post).await.is_err() {
                return false;
            }
        }
    }
    true
}

fn judge(house: &House, players: &mut [Player]) {
    let mut ledger = Ledger::new();
    let mut views: HashMap<RoomName, View> = HashMap::new();
    for player in players {
        player.trace.read(&player.client.session);
        for trace in &player.traces {
            trace.check(&mut ledger).unwrap();
        }
        let known = player.trace.check(&mut ledger).unwrap();
        if player.client.session.outbox().closed().is_some() {
            continue;
        }
        for (room, view) in known {
            let first = views.entry(room.clone()).or_insert_with(|| view.clone());
            assert_eq!(*first, view, "all see the same of {room}");
            let members = player.client.session.members(&room, None).unwrap().members;
            let there: BTreeSet<_> = members.iter().map(|member| member.user.to_string()).collect();
            assert_eq!(view.members, there);
        }
    }
    assert_eq!(views.len(), house.registry.rooms(None, 9).0.len());
    assert!(ledger.len() > 100, "something was said");
}

fn fast(config: &mut chatrooms_core::Config) {
    config.sends_per_second = 1_000_000;
    config.send_burst = 1_000_000;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_promise_holds_in_a_storm() {
    storm(House::configured(fast).await, 3_000, |_, _| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_promise_holds_in_a_storm_with_a_slow_store() {
    let house = House::configured(fast).await;
    for call in [Call::Open, Call::Append, Call::Redact, Call::Close] {
        house.store.always(call, Fault::Slow(millis(1)));
    }
    storm(house, 300, |_, _| ()).await;
}

#[tokio::test(start_paused = true)]
async fn every_promise_holds_in_a_storm_with_a_store_that_forgets() {
    let house = House::configured(fast).await;
    storm(house, 2_000, |house, dice| {
        let (call, fault) = dice.roll(&[
            (Call::Append, Fault::Unsure),
            (Call::Append, Fault::PanicAfter),
            (Call::Append, Fault::Fail),
            (Call::Append, Fault::Slow(millis(3))),
            (Call::ReadAfter, Fault::Fail),
            (Call::Redact, Fault::Fail),
            (Call::Open, Fault::Slow(millis(2))),
            (Call::Open, Fault::Fail),
            (Call::Close, Fault::Fail),
            (Call::Close, Fault::Slow(millis(9))),
        ]);
        if dice.roll(&[true, false, false, false, false, false, false, false]) {
            house.store.next(call, fault);
        }
    })
    .await;
}
