//! What clients do at the same time on real threads has to be such that some order of whole steps explains it: every call takes place at one moment between its
//! begin and its end. stateright's tester looks for that order.

mod history;
mod one_room;
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chatrooms_core::{
    Error, Identity, Join, Joined, MemoryStore, Message, MessageStore, Page, Post, RoomRegistry,
    RoomSummary, Session,
    testing::{Call, Fault, FaultyStore},
};

use crate::{
    dice::Dice,
    kit::{bodies, lobby, millis, names, seqs, user},
};
use history::{Clock, History, Log};
use one_room::{Op, Ret};

const CLIENTS: [&str; 3] = ["ada", "bob", "eve"];
/// How many steps each client takes in a round.
const STEPS: usize = 8;

/// A client on a thread of its own.
struct Client<'a> {
    name: &'static str,
    registry: &'a RoomRegistry,
    session: Session,
    log: Log<'a>,
}

impl<'a> Client<'a> {
    fn new(registry: &'a RoomRegistry, clock: &'a Clock, name: &'static str) -> Self {
        Self { name, registry, session: session(registry, name), log: Log::new(clock, name) }
    }

    async fn act(&mut self, dice: &mut Dice, step: usize) {
        let op = match dice.roll(&[0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 5]) {
            0 => Op::Join(self.name),
            1 => Op::Leave(self.name),
            2 => Op::Publish(self.name, format!("{} {step}", self.name).into()),
            3 => Op::Read(self.name),
            4 => Op::Lose(self.name),
            _ => Op::Look,
        };
        self.log.begins(op.clone());
        let ret = self.take(op).await;
        self.log.ends(ret);
    }

    async fn take(&mut self, op: Op) -> Ret {
        let (session, room) = (&self.session, &lobby());
        match op {
            Op::Join(_) => {
                session.join(room, Join::default()).await.map_or_else(refused, |cut| joined(&cut))
            }
            Op::Leave(_) => session.leave(room).map_or_else(refused, |()| Ret::Done),
            Op::Publish(_, text) => {
                let sent = session.publish(room, Post::new(text)).await;
                sent.map_or_else(refused, |sent| Ret::Sent(sent.seq))
            }
            Op::Read(_) => {
                session.history(room, None, 100).await.map_or_else(refused, |page| read(&page))
            }
            Op::Lose(_) => {
                self.session = self::session(self.registry, self.name);
                Ret::Done
            }
            Op::Look => {
                let found = self.registry.room(room).await;
                found.map_or(Ret::Nobody, |summary| seen(&summary))
            }
        }
    }
}

fn session(registry: &RoomRegistry, name: &str) -> Session {
    registry.open_session(Identity::new(user(name))).unwrap()
}

fn refused(error: Error) -> Ret {
    Ret::Refused(error)
}

fn joined(cut: &Joined) -> Ret {
    Ret::Joined {
        epoch: cut.epoch,
        is_first: cut.first_in_room,
        members: names(&cut.members),
        said: said(cut.seq, &cut.messages),
    }
}

fn read(page: &Page) -> Ret {
    Ret::Read(said(page.messages.len() as u64, &page.messages))
}

fn seen(summary: &RoomSummary) -> Ret {
    Ret::Seen { epoch: summary.epoch, seq: summary.seq, connections: summary.connections }
}

/// The texts of a life, all of which are at hand.
fn said(seq: u64, messages: &[Arc<Message>]) -> Vec<String> {
    assert!(seqs(messages).into_iter().eq(1..=seq), "{:?} up to {seq}", seqs(messages));
    bodies(messages)
}

/// Has everybody begin at the same time, as nearly as that can be had.
#[derive(Default)]
struct Start(AtomicUsize);

impl Start {
    fn wait(&self) {
        let arrived = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let all = arrived.next_multiple_of(CLIENTS.len());
        while self.0.load(Ordering::SeqCst) < all {
            std::thread::yield_now();
        }
    }
}

/// Tries rounds on a store each, and looks for the order of each; says how many calls went on beside another.
fn rounds<S: MessageStore>(rounds: u64, store: impl Fn() -> S) -> usize {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let mut beside = 0;
    for round in 0..rounds {
        let registry = runtime.block_on(RoomRegistry::builder().store(store()).start()).unwrap();
        let (clock, start) = (Clock::default(), Start::default());
        let history = std::thread::scope(|threads| {
            let clients: Vec<_> = (0_u64..)
                .zip(CLIENTS)
                .map(|(number, name)| {
                    let (registry, clock, start, on) =
                        (&registry, &clock, &start, runtime.handle());
                    threads.spawn(move || {
                        let _on = on.enter();
                        let mut client = Client::new(registry, clock, name);
                        let mut dice = Dice(round * 16 + number);
                        start.wait();
                        for step in 0..STEPS {
                            on.block_on(client.act(&mut dice, step));
                        }
                        client
                    })
                })
                .collect();
            // Nobody goes before all have done what they do: that would be a call of which no log knows.
            let clients: Vec<_> =
                clients.into_iter().map(|client| client.join().unwrap()).collect();
            History::of(clients.into_iter().map(|client| client.log))
        });
        beside += history.beside();
        if !history.has_an_order() {
            panic!("no order explains round {round}:\n{history}");
        }
        drop(registry);
    }
    beside
}

fn explored(rounds: u64, beside: usize, store: &str) {
    assert!(beside > 0, "nothing has happened at the same time");
    for promise in [
        "P1 atomic membership",
        "P2 a life is purged once, and no other",
        "P4 one order, the same for all",
    ] {
        println!(
            "explored\t{promise}\t{rounds} histories on real threads, {beside} calls beside others, on {store}\t{rounds}"
        );
    }
}

/// As many for each sequence of the model, as `PROPTEST_CASES` says.
fn cases() -> u64 {
    proptest::test_runner::Config::default().cases.into()
}

#[test]
fn what_happens_at_the_same_time_has_an_order() {
    let count = 8 * cases();
    let beside = rounds(count, MemoryStore::new);
    explored(count, beside, "MemoryStore");
}

#[test]
fn what_happens_at_the_same_time_has_an_order_with_a_store_that_takes_its_time() {
    let count = cases() / 4;
    let beside = rounds(count, || {
        let store = FaultyStore::new();
        for call in [Call::Open, Call::Append, Call::ReadBefore, Call::Close] {
            store.always(call, Fault::Slow(millis(0)));
        }
        store
    });
    explored(count, beside, "a slow store");
}
