//! Everything at once, on several threads, judged by the oracle.

use std::{collections::HashSet, sync::Arc};

use chatrooms_core::{
    CloseReason, Error, Join, Post,
    oracle::check,
    testing::{Call, Fault, HANG_LIMIT},
};
use tokio::time::timeout;

use crate::{
    dice::Dice,
    kit::{Client, House, millis, names, room, user},
};

const ROOMS: [&str; 3] = ["a", "b", "c"];
const USERS: [&str; 5] = ["ada", "bob", "eve", "joe", "kim"];

/// A client that does as the dice say.
struct Player {
    name: &'static str,
    client: Client,
}

impl Player {
    fn new(house: &House, name: &'static str) -> Self {
        Self { name, client: house.client(name) }
    }

    async fn act(&mut self, house: &House, dice: &mut Dice) {
        let at = dice.roll(&ROOMS);
        match dice
            .roll(&["join", "join", "send", "send", "send", "leave", "redact", "again", "other"])
        {
            "join" => drop(self.client.join(at, Join::default()).await),
            "send" => self.send(at, dice).await,
            "leave" => drop(self.client.try_leave(at)),
            "redact" => drop(self.client.redact(at, dice.roll(&[1, 2, 3, 5, 8])).await),
            "again" if dice.roll(&[true, false, false]) => self.reconnect(house),
            "other" if dice.roll(&[true, false, false, false]) => interfere(house, at, dice),
            _ => {}
        }
        self.client.told();
    }

    async fn send(&self, at: &str, dice: &mut Dice) {
        let body = dice.roll(&["x", "y", "z"]);
        let outcome = if dice.roll(&[true, false]) {
            self.client.publish(at, Post::new(body)).await.map(drop)
        } else {
            self.client.send(at, body).await.map(drop)
        };
        let failed = |error: &Error| {
            !matches!(error, Error::NotInRoom | Error::StoreUnavailable | Error::OutcomeUnknown)
        };
        if let Err(error) = outcome
            && failed(&error)
        {
            panic!("{error}");
        }
    }

    fn reconnect(&mut self, house: &House) {
        *self = Self::new(house, self.name);
    }
}

fn interfere(house: &House, at: &str, dice: &mut Dice) {
    let whom = dice.roll(&USERS);
    match dice.roll(&["kick", "kick", "kick", "close", "end"]) {
        "kick" => house.kick(at, whom),
        "close" => house.close_room(at),
        _ => house.end_sessions(whom, CloseReason::Moved),
    };
}

async fn storm(house: House, rounds: usize, sabotage: fn(&House, &mut Dice)) {
    house.run.complete();
    let house = Arc::new(house);
    let players = (0..12).map(|seed| {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            let mut dice = Dice(seed);
            let mut player = Player::new(&house, USERS[seed as usize % USERS.len()]);
            for _ in 0..rounds {
                sabotage(&house, &mut dice);
                let acted = timeout(HANG_LIMIT, player.act(&house, &mut dice)).await;
                acted.expect("no act waits for ever, whatever the others do");
                if player.client.session.outbox().closed().is_some() {
                    player.reconnect(&house);
                }
                tokio::task::yield_now().await;
            }
            player
        })
    });
    let players: Vec<_> = futures_util::future::join_all(players.collect::<Vec<_>>())
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    house.store.heal();
    let mut tries = 0;
    while !is_quiet(&players).await {
        tries += 1;
        assert!(tries < 1_000, "it does not come to rest");
    }
    players.iter().for_each(|player| player.client.settled());
    let judged = check(&house.run.trace()).unwrap_or_else(|broken| panic!("{broken}"));
    assert!(judged.messages > 100 && judged.lives > 10, "something was done: {judged:?}");
    drop(players);
    house.emptied().await;
    let closed = house.store.closed_lives();
    assert_eq!(
        closed.iter().collect::<HashSet<_>>().len(),
        closed.len(),
        "every life is purged once"
    );
}

/// Waits until everything has been delivered that was sent: a message to oneself is behind all others.
async fn is_quiet(players: &[Player]) -> bool {
    for Player { client, .. } in players {
        for at in client.session.rooms() {
            if client.publish(at.as_str(), Post::new("the last")).await.is_err() {
                return false;
            }
        }
    }
    true
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

/// F09: several threads have one session go in and out of rooms, some of which begin and end with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_comes_and_goes_on_many_threads_is_where_all_tables_say() {
    let house = House::configured(|config| {
        (config.joins_per_second, config.new_rooms_per_minute) = (u32::MAX, u32::MAX);
    })
    .await;
    let [with_witness @ .., without] = &ROOMS;
    let mut witnesses = Vec::new();
    for (name, at) in USERS.iter().zip(with_witness) {
        let witness = house.client(name);
        witness.enter(at).await;
        witness.told();
        witnesses.push((*at, witness));
    }
    let restless = Arc::new(house.unrecorded("zoe"));
    let threads = (0..8).map(|seed| tokio::spawn(come_and_go(Arc::clone(&restless), Dice(seed))));
    for thread in threads.collect::<Vec<_>>() {
        thread.await.unwrap();
    }

    let is_in = |at: &str| restless.session.rooms().contains(&room(at));
    let (listed, _) = house.registry.rooms(None, usize::MAX).await.unwrap();
    let connections = |at: &str| {
        listed.iter().find(|there| there.room == room(at)).map(|there| there.connections)
    };
    for (at, witness) in &witnesses {
        let told = witness.told();
        let zoes: Vec<_> = told.iter().filter(|line| line.ends_with("zoe")).collect();
        assert!(zoes.len() > 100, "there was a storm: {} in {at}", zoes.len());
        assert_eq!(zoes.last().is_some_and(|line| line.ends_with("+zoe")), is_in(at), "{at}");
        let members = witness.session.members(&room(at), None).unwrap().members;
        assert_eq!(names(&members).contains(&"zoe".to_owned()), is_in(at), "{at}");
        assert_eq!(connections(at), Some(1 + usize::from(is_in(at))), "{at}");
    }
    assert_eq!(connections(without), is_in(without).then_some(1));
    let stats = house.registry.stats();
    assert_eq!((stats.rooms, stats.sessions), (listed.len(), witnesses.len() + 1));
    assert_eq!(house.registry.sessions_of(&user("zoe")), 1);

    drop((restless, witnesses));
    house.emptied().await;
    let closed = house.store.closed_lives();
    assert!(closed.len() > 100, "the room of nobody else has ended often: {}", closed.len());
    assert_eq!(closed.iter().collect::<HashSet<_>>().len(), closed.len(), "and once each time");
}

async fn come_and_go(client: Arc<Client>, mut dice: Dice) {
    for _ in 0..1_000 {
        let at = dice.roll(&ROOMS);
        let outcome = if dice.roll(&[true, false]) {
            client.join(at, Join::default()).await.map(drop)
        } else {
            client.try_leave(at)
        };
        assert!(matches!(outcome, Ok(()) | Err(Error::AlreadyInRoom | Error::NotInRoom)));
        client.told();
    }
}
