//! One fault after the other over three nodes and their Redis, while everybody talks, comes and goes: what all of them were told is as promised, and nothing is left.

mod fault;
mod guest;

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::kit::{
    Cluster, Header, Moments, User, eventually, everything_is_recorded, rounds, unique,
    with_cluster_that_keeps,
};

use self::{
    fault::Fault,
    guest::{Guest, Mood, Stage},
};

const ROOMS: usize = 2;
const GUESTS: usize = 7;
/// So many answers each of them has had before something happens, and again after that.
const ANSWERS: usize = 8;
/// Nobody waits for the dead for long.
const MORTAL: [&str; 2] = ["--lease", "1"];

#[test]
fn a_schedule_of_faults_breaks_no_promise() {
    let mut moments = Moments::seeded();
    let rounds = rounds(Fault::ALL.len());
    with_cluster_that_keeps(&MORTAL, async |mut cluster| {
        everything_is_recorded();
        let rooms: Vec<String> = (0..ROOMS).map(|_| unique("hall")).collect();
        let mut guests = Vec::new();
        for _ in 0..GUESTS {
            guests.push(Guest::new(&cluster, moments.fork()).await);
        }
        let reader = cluster.user("reader").await.credential;
        let mut lives = BTreeSet::new();
        for (round, fault) in Fault::schedule(rounds, &mut moments).into_iter().enumerate() {
            println!("round {round}: {fault:?}");
            live_through(fault, &mut cluster, &mut guests, &rooms, &mut moments).await;
            guest::rest(&mut guests, &rooms).await;
            join_all(guests.iter_mut().map(|guest| guest.go())).await;
            nothing_is_left(&cluster, &reader).await;
            for guest in &mut guests {
                lives.append(&mut guest.lives);
            }
        }
        let sum = |count: fn(&Guest) -> usize| guests.iter().map(count).sum::<usize>();
        let (said, resumed) = (sum(|guest| guest.said), sum(|guest| guest.resumed));
        println!(
            "survived\t{rounds} faults of three nodes and their Redis\t{said} messages in {} lives, and {resumed} times somebody went on where they had been",
            lives.len()
        );
        assert!(said > rounds * GUESTS, "there was something to lose: {said} messages");
        assert!(lives.len() >= rounds * ROOMS, "each round ends all rooms");
        assert!(rounds < Fault::ALL.len() || resumed > 0, "somebody has lost their node");
    });
}

/// Everybody is at it before, meanwhile and after.
async fn live_through(
    fault: Fault,
    cluster: &mut Cluster,
    guests: &mut [Guest],
    rooms: &[String],
    moments: &mut Moments,
) {
    let stage = Stage::new(guests.len());
    let living = guests.iter_mut().enumerate();
    let living = living.map(|(place, guest)| guest.live(&stage, place, rooms));
    let striking = async {
        stage.everybody_is_at_it(ANSWERS).await;
        stage.mood.set(Mood::Hurry);
        stage.everybody_is_at_it(1).await;
        fault.strike(cluster, &stage, moments).await;
        stage.mood.set(Mood::Talk);
        stage.everybody_is_at_it(ANSWERS).await;
        stage.mood.set(Mood::Rest);
    };
    join(striking, join_all(living)).await;
}

/// Nobody is anywhere, on whichever node, and Redis keeps nothing for ever but who the nodes are.
async fn nothing_is_left(cluster: &Cluster, credential: &Header) {
    for server in &cluster.nodes {
        let reader = User { server, name: String::new(), credential: credential.clone() };
        eventually("no room is left on any node", async || {
            let answer = reader.get("/rooms").await;
            answer.status == 200 && answer.json()["rooms"] == json!([])
        })
        .await;
    }
    let redis = &cluster.redis;
    eventually("three nodes are alive, and nothing else is kept for ever", async || {
        redis.ask(&["HLEN", ALIVE]) == cluster.nodes.len().to_string()
            && redis.ask(&["EVAL", KEPT_FOR_EVER, "0"]) == ALIVE
    })
    .await;
    let keys = redis.keys_of_rooms();
    let left: Vec<_> = keys.iter().filter(|key| !key.contains(":claim:")).collect();
    assert!(left.is_empty(), "{left:?}");
}

const ALIVE: &str = "chatrooms:{nodes}:alive";

/// Names that are held, notes of who has opened a room and fences expire by themselves.
const KEPT_FOR_EVER: &str = "
    local kept = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
        if redis.call('PTTL', key) == -1 then table.insert(kept, key) end
    end
    return kept";
