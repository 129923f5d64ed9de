//! `kill -9` in the middle of everything, again and again on the same file: no ghost, no old message, a whole database.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::kit::{
    Client, FullApp, Moments, eventually, everything_is_recorded, rounds, unique, with_full_app,
};

use super::file::File;

const ROOMS: usize = 3;
const TALKERS: usize = 6;
/// Nobody talks for longer before the process ends.
const LATEST: Duration = Duration::from_millis(400);

#[test]
fn a_crash_leaves_no_ghost_and_no_old_message() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str()];
    let mut moments = Moments::seeded();
    with_full_app(&options, async |mut app| {
        everything_is_recorded();
        let mut epochs: Vec<Value> = Vec::new();
        let rooms: Vec<String> = (0..ROOMS).map(|_| unique("hall")).collect();
        let (rounds, mut said) = (rounds(20), 0);
        for round in 0..rounds {
            let crash = moments.next(LATEST);
            println!("round {round}: killed after {crash:?}");
            let earlier = epochs.len();
            let mut talkers = enter(&app, &rooms, &mut epochs).await;
            // It ends at the time, wherever it is: that is the point.
            let _cut_off = timeout(crash, join_all(talkers.iter_mut().map(talk))).await;
            app.kill().await;
            said += talkers
                .iter()
                .map(|talker| talker.client.trace().of("sent").count())
                .sum::<usize>();
            app = FullApp::start(&options);
            assert_eq!(file.ask::<String>("PRAGMA integrity_check").await, "ok");
            no_trace_is_left(&app, &rooms, &epochs, earlier).await;
        }
        println!(
            "survived\t{rounds} crashes without a linger\t{said} messages, of which none came back"
        );
        assert!(said > rounds * TALKERS, "there was something to lose: {said} messages");
        eventually("what was said is gone from the file", async || {
            file.ask::<i64>("SELECT count(*) FROM chatrooms_messages").await == 0
        })
        .await;
        app.terminate();
        assert!(app.exited().await.success());
        assert_eq!(file.ask::<String>("PRAGMA integrity_check").await, "ok");
        assert_eq!(file.ask::<i64>("SELECT count(*) FROM chatrooms_lives").await, 0);
    });
}

struct Talker {
    client: Client,
    room: String,
}

async fn enter(app: &FullApp, rooms: &[String], epochs: &mut Vec<Value>) -> Vec<Talker> {
    let mut talkers = Vec::new();
    for number in 0..TALKERS {
        let room = rooms[number % rooms.len()].clone();
        let mut client = app.user("talker").await.connect().await;
        let epoch = client.join(&room).await["epoch"].clone();
        if !epochs.contains(&epoch) {
            epochs.push(epoch);
        }
        talkers.push(Talker { client, room });
    }
    talkers
}

/// Says one thing after the other, leaving and coming back now and then.
async fn talk(talker: &mut Talker) {
    for number in 0.. {
        talker.client.say(&talker.room, &format!("{number}")).await;
        if number % 7 == 6 {
            talker.client.leave(&talker.room).await;
            talker.client.join(&talker.room).await;
        }
    }
}

/// Nobody can be where they were in the last round, and what begins is none of all the lives there have been.
async fn no_trace_is_left(app: &FullApp, rooms: &[String], epochs: &[Value], earlier: usize) {
    let ended = &epochs[earlier..];
    let reader = app.user("reader").await;
    assert_eq!(reader.get("/rooms").await.assert_json(200)["rooms"], json!([]), "no ghost");
    let mut client = reader.connect().await;
    let mut lives = BTreeSet::new();
    for room in rooms {
        for epoch in ended {
            let joined = client.resume(room, epoch, 0).await;
            assert_eq!(
                (&joined["resumed"], &joined["seq"]),
                (&json!(false), &json!(0)),
                "{joined}"
            );
            assert_eq!(
                (&joined["messages"], &joined["more"]),
                (&json!([]), &json!(false)),
                "{joined}"
            );
            assert_eq!(joined["members"].as_array().map(Vec::len), Some(1), "{joined}");
            assert!(!epochs.contains(&joined["epoch"]), "an old life goes on: {joined}");
            lives.insert(joined["epoch"].to_string());
            client.leave(room).await;
        }
    }
    assert_eq!(lives.len(), rooms.len() * ended.len(), "a life each time");
}
