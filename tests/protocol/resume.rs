//! Resume: exactly what was missed, or an ordinary join; never anything in between.

use serde_json::{Value, json};

use crate::history::filled;
use crate::kit::{Client, Server, bodies, on_every_store, seqs, unique};

on_every_store!(
    a_resume_brings_exactly_what_was_missed,
    a_resume_with_nothing_missed_is_empty,
    a_resume_from_the_very_start_brings_everything,
    history_is_ignored_on_a_resume,
    a_foreign_epoch_is_not_resumed,
    a_future_position_is_not_resumed,
    an_epoch_that_has_ended_is_not_resumed,
    what_does_not_fit_is_not_resumed,
    redactions_that_were_missed_are_told,
    a_refused_resume_is_an_ordinary_join,
    messages_go_on_after_a_resume,
);

async fn a_resume_brings_exactly_what_was_missed(server: &Server) {
    let scene = Scene::open(server, 6).await;
    for since in 1..=5 {
        let joined = scene.resume(server, &scene.epoch, since).await;
        assert_eq!(joined["resumed"], true, "after {since}");
        assert_eq!(joined["seq"], 6);
        assert_eq!(joined["epoch"], scene.epoch);
        assert_eq!(seqs(&joined), Vec::from_iter(since + 1..=6));
        assert_eq!(joined["more"], true, "older ones than {since} are kept");
    }
}

async fn a_resume_with_nothing_missed_is_empty(server: &Server) {
    let scene = Scene::open(server, 3).await;
    let joined = scene.resume(server, &scene.epoch, 3).await;
    assert_eq!(joined["resumed"], true);
    assert_eq!(joined["messages"], json!([]));
    assert_eq!((&joined["seq"], &joined["more"]), (&json!(3), &json!(true)));
}

async fn a_resume_from_the_very_start_brings_everything(server: &Server) {
    let scene = Scene::open(server, 3).await;
    let joined = scene.resume(server, &scene.epoch, 0).await;
    assert_eq!(joined["resumed"], true);
    assert_eq!(seqs(&joined), [1, 2, 3]);
    assert_eq!(joined["more"], false);
    let untouched = Scene::open(server, 0).await;
    let joined = untouched.resume(server, &untouched.epoch, 0).await;
    assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(true), &json!(0)));
    assert_eq!((&joined["messages"], &joined["more"]), (&json!([]), &json!(false)));
}

async fn history_is_ignored_on_a_resume(server: &Server) {
    let scene = Scene::open(server, 6).await;
    for history in [0, 1, 50] {
        let mut client = server.user("back").await.connect().await;
        let resume = json!({"epoch": scene.epoch, "seq": 2});
        let joined = client
            .join_with(json!({"room": scene.room, "resume": resume, "history": history}))
            .await;
        assert_eq!(joined["resumed"], true);
        assert_eq!(seqs(&joined), [3, 4, 5, 6]);
    }
}

async fn a_foreign_epoch_is_not_resumed(server: &Server) {
    let scene = Scene::open(server, 3).await;
    let other = Scene::open(server, 3).await;
    for epoch in [other.epoch.clone(), json!(""), json!("0"), json!("x".repeat(200))] {
        let joined = scene.resume(server, &epoch, 1).await;
        assert_eq!(joined["resumed"], false, "for {epoch}");
        assert_eq!(joined["epoch"], scene.epoch);
        assert_eq!(seqs(&joined), [1, 2, 3]);
    }
}

async fn a_future_position_is_not_resumed(server: &Server) {
    let scene = Scene::open(server, 3).await;
    for seq in [4, 1_000, (1 << 53) - 1] {
        let joined = scene.resume(server, &scene.epoch, seq).await;
        assert_eq!(joined["resumed"], false, "after {seq}");
        assert_eq!((&joined["seq"], seqs(&joined)), (&json!(3), vec![1, 2, 3]));
    }
}

async fn an_epoch_that_has_ended_is_not_resumed(server: &Server) {
    let mut scene = Scene::open(server, 3).await;
    scene.keeper.leave(&scene.room).await;
    let joined = scene.resume(server, &scene.epoch, 1).await;
    assert_eq!(joined["resumed"], false);
    assert_ne!(joined["epoch"], scene.epoch);
    assert_eq!((&joined["seq"], &joined["messages"]), (&json!(0), &json!([])));
    let mut again = Scene::open_in(server, &scene.room, 3).await;
    let joined = scene.resume(server, &scene.epoch, 2).await;
    assert_eq!((&joined["resumed"], &joined["seq"]), (&json!(false), &json!(3)));
    again.keeper.catch_up(&scene.room).await;
}

async fn what_does_not_fit_is_not_resumed(server: &Server) {
    let room = unique("hall");
    let asker = server.user("asker").await.connect().await;
    let (body, reply) = (asker.limit("body_bytes"), asker.limit("reply_bytes"));
    let mut early = server.user("early").await.connect().await;
    let epoch = early.join(&room).await["epoch"].clone();
    let count = reply / body + 5;
    let _keeper = filled(server, &room, count, &"x".repeat(body as usize)).await;
    let mut back = server.user("back").await.connect().await;
    let joined = back.resume(&room, &epoch, 1).await;
    assert_eq!(joined["resumed"], false);
    assert_eq!(joined["epoch"], epoch);
    assert_eq!((&joined["seq"], &joined["more"]), (&json!(count), &json!(true)));
    assert_eq!(seqs(&joined).last(), Some(&count));
    back.leave(&room).await;
    let joined = back.resume(&room, &epoch, count - 5).await;
    assert_eq!(joined["resumed"], true);
    assert_eq!(seqs(&joined), Vec::from_iter(count - 4..=count));
}

async fn redactions_that_were_missed_are_told(server: &Server) {
    let mut scene = Scene::open(server, 6).await;
    for seq in [5, 2, 3] {
        let redact = json!({"type": "redact", "room": scene.room, "seq": seq});
        scene.keeper.granted("ok", redact).await;
    }
    let joined = scene.resume(server, &scene.epoch, 4).await;
    assert_eq!(joined["resumed"], true);
    let mut redacted: Vec<u64> =
        joined["redacted"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    redacted.sort_unstable();
    assert_eq!(redacted, [2, 3], "those up to the given one: {joined}");
    assert_eq!(bodies(&joined), ["", "6"]);
    assert_eq!(joined["messages"][0]["redacted"], true);
    let joined = scene.resume(server, &scene.epoch, 1).await;
    assert!(joined.get("redacted").is_none_or(|list| *list == json!([])), "{joined}");
    assert_eq!(bodies(&joined), ["", "", "4", "", "6"]);
}

async fn a_refused_resume_is_an_ordinary_join(server: &Server) {
    let scene = Scene::open(server, 6).await;
    let mut client = server.user("back").await.connect().await;
    let resume = json!({"epoch": "gone", "seq": 3});
    let joined =
        client.join_with(json!({"room": scene.room, "resume": resume, "history": 2})).await;
    assert_eq!(joined["resumed"], false);
    assert_eq!((seqs(&joined), &joined["more"]), (vec![5, 6], &json!(true)));
    assert_eq!(client.say(&scene.room, "in as usual").await, 7);
}

async fn messages_go_on_after_a_resume(server: &Server) {
    let mut scene = Scene::open(server, 4).await;
    let mut client = server.user("back").await.connect().await;
    client.resume(&scene.room, &scene.epoch, 2).await;
    scene.keeper.say(&scene.room, "next").await;
    assert_eq!(client.expect("message").await["seq"], 5);
}

/// A room with messages "1", "2", ... and somebody who keeps it alive.
struct Scene {
    room: String,
    epoch: Value,
    keeper: Client,
}

impl Scene {
    async fn open(server: &Server, messages: u64) -> Self {
        Self::open_in(server, &unique("hall"), messages).await
    }

    async fn open_in(server: &Server, room: &str, messages: u64) -> Self {
        let mut keeper = server.user("keeper").await.connect().await;
        let epoch = keeper.join(room).await["epoch"].clone();
        for number in 1..=messages {
            keeper.say(room, &number.to_string()).await;
        }
        Self { room: room.to_owned(), epoch, keeper }
    }

    /// What somebody new is answered who claims to have been here up to `seq`.
    async fn resume(&self, server: &Server, epoch: &Value, seq: u64) -> Value {
        server.user("back").await.connect().await.resume(&self.room, epoch, seq).await
    }
}
