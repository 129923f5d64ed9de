//! Rates: who floods is told when to come back, and loses nothing that was accepted.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::kit::{Frame, Server, on_every_process, on_every_server, unique};

on_every_server!(
    flooding_is_answered_by_rate_limited,
    waiting_as_told_helps,
    a_flood_harms_nobody_else,
    a_flood_of_requests_is_refused_and_then_ended,
    a_user_who_comes_and_goes_without_end_has_to_wait,
    a_user_who_opens_rooms_without_end_has_to_wait,
);

/// What a user does on several connections each node of a cluster counts by itself.
mod of_several_connections {
    use super::{
        flooding_by_post_is_limited_too, flooding_over_http_is_limited_whatever_is_asked,
        several_tabs_do_not_multiply_the_rate_without_end,
    };

    super::on_every_process!(
        flooding_by_post_is_limited_too,
        flooding_over_http_is_limited_whatever_is_asked,
        several_tabs_do_not_multiply_the_rate_without_end,
    );
}

async fn flooding_is_answered_by_rate_limited(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("flooder").await.connect_to(&[&room]).await;
    // However large a burst is forgiven, ten seconds' worth at once is too much.
    let count = 10 * client.limit("sends_per_second");
    for number in 0..count {
        client.ask(json!({"type": "send", "room": room, "body": number.to_string()})).await;
    }
    let (mut stored, mut refused) = (0, 0);
    for _ in 0..count {
        let answer = client.expect_where("an answer", |frame| frame["id"].is_u64()).await;
        if answer["type"] == "sent" {
            stored += 1;
            assert_eq!(answer["seq"], stored, "what was refused took no place");
            continue;
        }
        assert_eq!(answer["code"], "rate_limited", "{answer}");
        assert_eq!(answer["room"], room, "{answer}");
        assert!(answer["retry_after_ms"].as_u64().is_some_and(|wait| wait >= 1), "{answer}");
        refused += 1;
    }
    assert!(stored >= client.limit("sends_per_second"), "{stored} were let through");
    assert!(refused > 0, "{count} at once were let through");
    client.catch_up(&room).await;
    let delivered = client.trace().of("message").count() as u64;
    assert_eq!(delivered, stored + 1);
}

async fn waiting_as_told_helps(server: &Server) {
    let room = unique("hall");
    let mut client = server.user("flooder").await.connect_to(&[&room]).await;
    let send = json!({"type": "send", "room": room, "body": "again"});
    for _ in 0..3 {
        let refusal = loop {
            let answer = client.request(send.clone()).await;
            if answer["type"] == "error" {
                break answer;
            }
        };
        let wait = refusal["retry_after_ms"].as_u64().expect("retry_after_ms");
        assert!(wait <= 10_000, "a second's rate is never {wait} ms away");
        sleep(Duration::from_millis(wait)).await;
        let answer = client.request(send.clone()).await;
        assert_eq!(answer["type"], "sent", "after waiting as told: {answer}");
    }
}

async fn a_flood_harms_nobody_else(server: &Server) {
    let room = unique("hall");
    let mut flooder = server.user("flooder").await.connect_to(&[&room]).await;
    let mut calm = server.user("calm").await.connect_to(&[&room]).await;
    for _ in 0..10 * flooder.limit("sends_per_second") {
        flooder.ask(json!({"type": "send", "room": room, "body": "flood"})).await;
    }
    let answer = calm.request(json!({"type": "send", "room": room, "body": "calm"})).await;
    assert_eq!(answer["type"], "sent", "{answer}");
    assert_eq!(calm.trace().of("error").count(), 0);
}

async fn flooding_by_post_is_limited_too(server: &Server) {
    let (user, room) = (server.user("flooder").await, unique("hall"));
    let client = user.connect_to(&[&room]).await;
    let most = 20 * client.limit("sends_per_second") + 100;
    for _ in 0..most {
        let answer = user.post(&room, &json!({"body": "flood"})).await;
        if answer.status == 201 {
            continue;
        }
        answer.assert_error(429, "rate_limited");
        let wait = answer.header("Retry-After").and_then(|value| value.parse::<u64>().ok());
        assert!(wait.is_some_and(|seconds| seconds >= 1), "{answer:?}");
        return;
    }
    panic!("{most} posts in a row were let through");
}

async fn flooding_over_http_is_limited_whatever_is_asked(server: &Server) {
    let (user, other) = (server.user("flooder").await, server.user("calm").await);
    let mut witness = other.connect_to(&[&unique("hall")]).await;
    let answers = user.request("GET", "/session").flood(1000).await;
    let (granted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert!(granted.len() >= 100, "{} were answered", granted.len());
    let last = refused.last().expect("a thousand at once were let through");
    for answer in &refused {
        answer.assert_error(429, "rate_limited");
    }
    let wait = last.header("Retry-After").and_then(|value| value.parse().ok());
    let wait = wait.expect("it says how long to wait");
    assert!((1..=10).contains(&wait), "{last:?}");
    other.get("/session").await.assert_json(200);
    witness.granted("pong", json!({"type": "ping"})).await;
    sleep(Duration::from_secs(wait)).await;
    user.get("/rooms").await.assert_json(200);
    user.connect().await;
}

async fn a_flood_of_requests_is_refused_and_then_ended(server: &Server) {
    let mut socket = server.user("flooder").await.connect_raw("").await;
    let ping = Frame::text(r#"{"type":"ping"}"#).bytes();
    // Far more than a burst and all that are refused before it is abuse.
    socket.try_write_bytes(&ping.repeat(6000)).await;
    let (texts, code) = socket.rest().await;
    assert!(matches!(code, None | Some(4504)), "{code:?}");
    let frames: Vec<Value> =
        texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
    let count =
        |name: &str, value: &str| frames.iter().filter(|frame| frame[name] == value).count();
    assert!(count("type", "pong") >= 100);
    assert!(count("code", "rate_limited") >= 1000);
    let bye = frames.last().expect("an answer");
    assert_eq!((&bye["type"], &bye["code"]), (&json!("bye"), &json!("abuse")));
}

async fn a_user_who_comes_and_goes_without_end_has_to_wait(server: &Server) {
    let room = unique("hall");
    let _keeper = server.user("keeper").await.connect_to(&[&room]).await;
    let mut client = server.user("restless").await.connect().await;
    for _ in 0..1000 {
        let answer = client.request(json!({"type": "join", "room": room})).await;
        if answer["type"] == "joined" {
            client.leave(&room).await;
            continue;
        }
        assert_eq!((&answer["code"], &answer["room"]), (&json!("rate_limited"), &json!(room)));
        let wait = answer["retry_after_ms"].as_u64().expect("retry_after_ms");
        sleep(Duration::from_millis(wait)).await;
        client.join(&room).await;
        return;
    }
    panic!("a thousand joins in a row were let through");
}

async fn a_user_who_opens_rooms_without_end_has_to_wait(server: &Server) {
    let mut client = server.user("builder").await.connect().await;
    let elsewhere = unique("elsewhere");
    let _keeper = server.user("keeper").await.connect_to(&[&elsewhere]).await;
    for _ in 0..1000 {
        let room = unique("room");
        let answer = client.request(json!({"type": "join", "room": room})).await;
        if answer["type"] == "joined" {
            client.leave(&room).await;
            continue;
        }
        assert_eq!((&answer["code"], &answer["room"]), (&json!("rate_limited"), &json!(room)));
        assert!(answer["retry_after_ms"].as_u64().is_some_and(|wait| wait >= 1), "{answer}");
        client.join(&elsewhere).await;
        return;
    }
    panic!("a thousand rooms in a row were opened");
}

async fn several_tabs_do_not_multiply_the_rate_without_end(server: &Server) {
    let (user, room) = (server.user("flooder").await, unique("hall"));
    let mut tabs = Vec::new();
    for _ in 0..20 {
        tabs.push(user.connect_to(&[&room]).await);
    }
    let each = 2 * tabs[0].limit("sends_per_second");
    let mut asked = 0;
    let mut refused = 0;
    for tab in &mut tabs {
        for _ in 0..each {
            tab.ask(json!({"type": "send", "room": room, "body": "flood"})).await;
            asked += 1;
        }
    }
    for tab in &mut tabs {
        for _ in 0..each {
            let answer = tab.expect_where("an answer", |frame| frame["id"].is_u64()).await;
            refused += u64::from(answer["code"] == "rate_limited");
        }
    }
    assert!(refused > 0, "one user sent {asked} messages at once through 20 tabs");
}
