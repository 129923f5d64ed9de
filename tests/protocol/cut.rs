//! Join is one cut: whoever joins while everybody talks misses nothing and gets nothing twice.

use chatrooms::{Config, RoomRegistry};
use futures_util::future::join_all;
use serde_json::json;

use crate::kit::{
    Adapter, Client, InProcess, Server, everything_is_recorded, on_each_adapter, on_every_store,
    unique,
};

on_every_store!(joins_in_a_busy_room_have_neither_gap_nor_repeat);

mod without_limits {
    use super::{
        joins_among_senders_who_run_flat_out_have_neither_gap_nor_repeat, on_each_adapter,
    };

    on_each_adapter!(joins_among_senders_who_run_flat_out_have_neither_gap_nor_repeat);
}

const SENDERS: usize = 8;
const JOINERS: usize = 12;
const VISITS: usize = 42;

async fn joins_in_a_busy_room_have_neither_gap_nor_repeat(server: &Server) {
    come_and_go_while(server, SENDERS, talk).await;
}

async fn joins_among_senders_who_run_flat_out_have_neither_gap_nor_repeat(adapter: Adapter) {
    let mut config = Config::default();
    (config.sends_per_second, config.requests_per_second) = (u32::MAX, u32::MAX);
    config.joins_per_second = u32::MAX;
    let server = InProcess::start(adapter, RoomRegistry::builder().config(config)).await;
    let senders = come_and_go_while(&server, 4, flood).await;
    let said: usize = senders.iter().map(|sender| sender.trace().of("sent").count()).sum();
    let visits = JOINERS * VISITS;
    assert!(said > visits, "more was said than one message to a visit: {said}");
}

/// Has the joiners come and go while so many senders talk; returns these. Whether they have all seen the same, without a gap or a repeat, is judged by the oracle.
async fn come_and_go_while(
    server: &Server,
    senders: usize,
    talk: impl AsyncFn(&mut Client, &str),
) -> Vec<Client> {
    everything_is_recorded();
    let room = unique("market");
    let mut talking = Vec::new();
    for _ in 0..senders {
        talking.push(server.user("sender").await.connect_to(&[&room]).await);
    }
    let mut joiners = Vec::new();
    for _ in 0..JOINERS {
        joiners.push(server.user("joiner").await.connect().await);
    }
    let joiners = tokio::select! {
        joiners = join_all(joiners.into_iter().map(|joiner| visit(joiner, &room))) => joiners,
        _ = join_all(talking.iter_mut().map(|sender| talk(sender, &room))) => {
            unreachable!("they talk as long as anybody comes")
        }
    };
    let visits = joiners.iter().map(|joiner| joiner.trace().of("joined").count()).sum::<usize>();
    assert_eq!(visits, JOINERS * VISITS);
    talking
}

/// Talks without waiting for each answer, for ever.
async fn flood(sender: &mut Client, room: &str) {
    loop {
        let mut asked = Vec::new();
        for _ in 0..8 {
            let send = json!({"type": "send", "room": room, "body": "going on"});
            asked.push(sender.ask(send).await);
        }
        for id in asked {
            let answer = sender.answer(id).await;
            assert_eq!(answer["type"], "sent", "{answer}");
        }
        sender.forget_arrived();
    }
}

/// Talks as fast as the limits let it, for ever.
async fn talk(sender: &mut Client, room: &str) {
    loop {
        sender.say(room, "going on").await;
        sender.forget_arrived();
    }
}

/// Comes and goes; each visit stays until it has seen others talk after the cut.
async fn visit(mut joiner: Client, room: &str) -> Client {
    for round in 0..VISITS {
        let joined = joiner.join_with(json!({"room": room, "history": round})).await;
        let next = joined["seq"].as_u64().expect("joined.seq") + 1;
        for seq in next..next + 3 {
            assert_eq!(joiner.expect("message").await["seq"], seq);
        }
        joiner.leave(room).await;
        joiner.forget_arrived();
    }
    joiner
}
