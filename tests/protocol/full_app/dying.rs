//! Where a process dies: between storing and showing, and in the middle of a removal. Each is tried until it has happened there.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::kit::{Client, FullApp, eventually, unique, with_full_app};

use super::file::File;

/// Far more than it takes, where it can happen at all.
const TRIES: usize = 40;
const SPEAKERS: usize = 8;
/// Each says as much before any of it is stored.
const WORDS: usize = 10;
/// They write more than is removed at once, and so much that this takes its time.
const AUTHORS: usize = 21;
const PAGES: usize = 100;
const PAGE: usize = 3_900;
const ALL: i64 = (AUTHORS * (PAGES + 1)) as i64;

#[test]
fn what_was_stored_and_not_shown_when_the_process_died_is_seen_by_nobody() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str()];
    with_full_app(&options, async |mut app| {
        for _ in 0..TRIES {
            let room = unique("hall");
            let mut speakers = Vec::new();
            for _ in 0..SPEAKERS {
                speakers.push(app.user("speaker").await.connect().await);
            }
            let epoch = speakers[0].join(&room).await["epoch"].clone();
            join_all(speakers[1..].iter_mut().map(|speaker| speaker.join(&room))).await;
            // What waits for the database is stored together, and then shown.
            let held = file.hold().await;
            join_all(speakers.iter_mut().map(|speaker| speak(speaker, &room))).await;
            let mut reader = open(&file).await;
            File::let_go(held).await;
            while messages(&mut reader).await < SPEAKERS as i64 {}
            app.kill().await;
            let stored = messages(&mut reader).await;
            let shown = join_all(speakers.iter_mut().map(last_shown)).await;
            app = FullApp::start(&options);
            nothing_is_there(&app, &room, &epoch).await;
            eventually("it is removed", async || messages(&mut reader).await == 0).await;
            if shown.into_iter().all(|seq| seq < stored as u64) {
                return;
            }
        }
        panic!("never did it die between the two");
    });
}

#[test]
fn a_removal_that_the_end_of_the_process_cuts_off_is_finished_by_the_next_one() {
    let file = File::new();
    let store = file.store();
    let options = ["--store", store.as_str()];
    with_full_app(&options, async |mut app| {
        for number in 1..=TRIES {
            let (mut host, room) = (app.user("host").await.connect().await, unique("hall"));
            let epoch = host.join(&room).await["epoch"].clone();
            for _ in 0..AUTHORS {
                write(app.user("author").await.connect().await, &room).await;
                // Who does not read is let go.
                host.catch_up(&room).await;
            }
            let mut reader = open(&file).await;
            assert_eq!(messages(&mut reader).await, ALL);
            host.leave(&room).await;
            while messages(&mut reader).await == ALL {}
            app.kill().await;
            let left = messages(&mut reader).await;
            app = FullApp::start(&options);
            nothing_is_there(&app, &room, &epoch).await;
            eventually("all of it is removed", async || file.rows().await == (0, 0)).await;
            assert_eq!(file.ask::<String>("PRAGMA integrity_check").await, "ok");
            println!("try {number}: {left} of {ALL} were left");
            if left > 0 {
                return;
            }
        }
        panic!("never did it die in the middle");
    });
}

/// Says some things, and returns when the server has read them.
async fn speak(speaker: &mut Client, room: &str) {
    for word in 0..WORDS {
        speaker.ask(json!({"type": "send", "room": room, "body": word.to_string()})).await;
    }
    speaker.granted("pong", json!({"type": "ping"})).await;
}

/// Reads to the end, of which the last message is returned.
async fn last_shown(speaker: &mut Client) -> u64 {
    speaker.closed().await;
    let messages = speaker.trace().of("message");
    messages.filter_map(|message| message["seq"].as_u64()).max().unwrap_or(0)
}

/// Comes, writes, and goes when all of it is stored.
async fn write(mut author: Client, room: &str) {
    author.join_with(json!({"room": room, "history": 0})).await;
    let (mut asked, body) = (Vec::new(), "x".repeat(PAGE));
    for _ in 0..PAGES {
        let send = json!({"type": "send", "room": room, "body": body});
        asked.push(author.ask(send).await);
    }
    for id in asked {
        assert_eq!(author.answer(id).await["type"], "sent");
    }
    author.close().await;
}

/// Neither the old life nor anything of it.
async fn nothing_is_there(app: &FullApp, room: &str, epoch: &Value) {
    let reader = app.user("reader").await;
    reader.get(&format!("/rooms/{room}/messages")).await.assert_error(404, "not_found");
    let mut client = reader.connect().await;
    let joined = client.resume(room, epoch, 0).await;
    assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(0)), "{joined}");
    assert_eq!((&joined["messages"], &joined["more"]), (&json!([]), &json!(false)), "{joined}");
    assert_ne!(&joined["epoch"], epoch);
    client.leave(room).await;
}

async fn open(file: &File) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file.path());
    options.connect().await.expect("the file opens")
}

async fn messages(connection: &mut SqliteConnection) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM chatrooms_messages");
    count.fetch_one(connection).await.expect("a count")
}
