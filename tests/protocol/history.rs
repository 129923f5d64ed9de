//! `history`: what was said before, page by page.

use serde_json::{Value, json};

use crate::kit::{Client, Server, on_every_store, seqs, unique};

on_every_store!(
    the_newest_come_first_when_nothing_else_is_said,
    before_is_exclusive_and_more_is_true_to_the_end,
    history_before_the_first_is_empty,
    fifty_is_the_default,
    more_than_the_maximum_is_lowered_to_it,
    an_answer_stays_under_its_limit,
    whatever_was_accepted_before_is_in_it,
);

async fn the_newest_come_first_when_nothing_else_is_said(server: &Server) {
    let (user, room) = (server.user("teller").await, unique("hall"));
    let mut client = user.connect_to(&[&room]).await;
    let empty = client.history(&room, json!({})).await;
    assert_eq!(
        (&empty["room"], &empty["messages"], &empty["more"]),
        (&json!(room), &json!([]), &json!(false))
    );
    for body in ["one", "two", "three"] {
        client.say(&room, body).await;
    }
    let answer = client.history(&room, json!({"limit": 2})).await;
    assert_eq!((seqs(&answer), &answer["more"]), (vec![2, 3], &json!(true)));
    let answer = client.history(&room, json!({"limit": 3})).await;
    assert_eq!((seqs(&answer), &answer["more"]), (vec![1, 2, 3], &json!(false)));
    assert_eq!(answer["messages"][0]["user"], user.name);
}

async fn before_is_exclusive_and_more_is_true_to_the_end(server: &Server) {
    let (mut client, room) = (server.user("teller").await.connect().await, unique("hall"));
    client.join(&room).await;
    for number in 1..=7 {
        client.say(&room, &number.to_string()).await;
    }
    let pages = [
        (7, vec![4, 5, 6], true),
        (4, vec![1, 2, 3], false),
        (3, vec![1, 2], false),
        (100, vec![5, 6, 7], true),
    ];
    for (before, expected, more) in pages {
        let answer = client.history(&room, json!({"before": before, "limit": 3})).await;
        assert_eq!((seqs(&answer), &answer["more"]), (expected, &json!(more)), "before {before}");
    }
}

async fn history_before_the_first_is_empty(server: &Server) {
    let (mut client, room) = (server.user("teller").await.connect().await, unique("hall"));
    client.join(&room).await;
    client.say(&room, "one").await;
    let answer = client.history(&room, json!({"before": 1})).await;
    assert_eq!((&answer["messages"], &answer["more"]), (&json!([]), &json!(false)));
}

async fn fifty_is_the_default(server: &Server) {
    let room = unique("hall");
    let mut client = filled(server, &room, 55, "x").await;
    let answer = client.history(&room, json!({})).await;
    assert_eq!((seqs(&answer), &answer["more"]), ((6..=55).collect(), &json!(true)));
    let joined = server.user("late").await.connect().await.join(&room).await;
    assert_eq!((seqs(&joined), &joined["more"]), ((6..=55).collect(), &json!(true)));
}

async fn more_than_the_maximum_is_lowered_to_it(server: &Server) {
    let room = unique("hall");
    let maximum = server.user("asker").await.connect().await.limit("history");
    let mut client = filled(server, &room, maximum + 5, "x").await;
    let expected: Vec<u64> = (6..=maximum + 5).collect();
    for asked in [maximum, maximum + 1, 1_000_000_000] {
        let answer = client.history(&room, json!({"limit": asked})).await;
        assert_eq!((seqs(&answer), &answer["more"]), (expected.clone(), &json!(true)));
        let mut late = server.user("late").await.connect().await;
        let joined = late.join_with(json!({"room": room, "history": asked})).await;
        assert_eq!((seqs(&joined), &joined["more"]), (expected.clone(), &json!(true)));
    }
}

async fn an_answer_stays_under_its_limit(server: &Server) {
    let room = unique("hall");
    let asker = server.user("asker").await.connect().await;
    let (body, reply) = (asker.limit("body_bytes"), asker.limit("reply_bytes"));
    let count = reply / body + 5;
    let mut client = filled(server, &room, count, &"x".repeat(body as usize)).await;
    // The oracle judges the size; together the pages hold everything.
    let (mut before, mut found) = (count + 1, Vec::new());
    loop {
        let answer = client.history(&room, json!({"before": before, "limit": 1000})).await;
        let page = seqs(&answer);
        found.splice(0..0, page.iter().copied());
        if answer["more"] == false {
            break;
        }
        before = *page.first().expect("a page with more is not empty");
    }
    assert_eq!(found, Vec::from_iter(1..=count));
    let mut late = server.user("late").await.connect().await;
    let joined = late.join_with(json!({"room": room, "history": count})).await;
    assert_eq!(joined["more"], true);
    assert_eq!(joined["messages"].as_array().and_then(|list| list.last()).map(seq), Some(count));
}

/// A client in a room in which so many messages have been said, by as many users as their rates need.
pub(crate) async fn filled(server: &Server, room: &str, count: u64, body: &str) -> Client {
    let mut keeper = server.user("keeper").await.connect_to(&[room]).await;
    let each = keeper.limit("sends_per_second");
    let mut left = count;
    while left > 0 {
        let mut speaker = server.user("speaker").await.connect_to(&[room]).await;
        let share = left.min(each);
        for _ in 0..share {
            speaker.ask(json!({"type": "send", "room": room, "body": body})).await;
        }
        for _ in 0..share {
            let answer = speaker.expect_where("an answer", |frame| frame["id"].is_u64()).await;
            if answer["type"] == "sent" {
                left -= 1;
            } else {
                assert_eq!(answer["code"], "rate_limited", "{answer}");
            }
        }
        speaker.leave(room).await;
    }
    keeper
        .expect_where("the last message", |frame| frame["type"] == "message" && seq(frame) == count)
        .await;
    keeper
}

fn seq(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap_or_default()
}

/// As often as it takes to meet a node that has not heard of it yet.
const ROUNDS: usize = 20;

async fn whatever_was_accepted_before_is_in_it(server: &Server) {
    let room = unique("hall");
    let mut tellers = Vec::new();
    for _ in 0..3 {
        tellers.push(server.user("teller").await.connect_to(&[&room]).await);
    }
    for round in 0..ROUNDS {
        let said = tellers[round % 3].say(&room, "now").await;
        let answer = tellers[(round + 1) % 3].history(&room, json!({"limit": 1})).await;
        assert_eq!(seqs(&answer), [said]);
    }
}
