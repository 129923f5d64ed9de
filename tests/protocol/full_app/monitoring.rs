//! `--metrics`: the numbers for the operator's Prometheus.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::kit::{FullApp, Request, eventually, unique, with_full_app, with_shared_full_app};

const ON_A_PORT_OF_ITS_OWN: [&str; 2] = ["--metrics", "127.0.0.1:0"];

#[test]
fn what_happens_is_counted() {
    with_full_app(&ON_A_PORT_OF_ITS_OWN, async |app| {
        let before = scrape(&app).await;
        assert_eq!(before["chatrooms_sessions"], 0.0);
        assert_eq!(before["chatrooms_messages_total"], 0.0);

        let room = unique("hall");
        let mut ada = app.user("ada").await.connect_to(&[&room]).await;
        let mut bob = app.user("bob").await.connect_to(&[&room]).await;
        for body in ["one", "two", "three"] {
            ada.say(&room, body).await;
        }
        bob.refused("bad_request", json!({"type": "send", "room": room})).await;
        app.upgrade("").refused().await.assert_error(401, "unauthorized");

        let during = scrape(&app).await;
        for (name, value) in [
            ("chatrooms_sessions", 2.0),
            ("chatrooms_rooms", 1.0),
            ("chatrooms_connections", 2.0),
            ("chatrooms_messages_total", 3.0),
            ("chatrooms_deliveries_total", 6.0),
            ("chatrooms_joins_total{resumed=\"false\"}", 2.0),
            ("chatrooms_refusals_total{code=\"bad_request\"}", 1.0),
            ("chatrooms_refusals_total{code=\"x\"}", 0.0),
            ("chatrooms_handshakes_total{status=\"101\"}", 2.0),
            ("chatrooms_handshakes_total{status=\"401\"}", 1.0),
            ("chatrooms_store_seconds_count{operation=\"open\"}", 1.0),
            ("chatrooms_authenticator_failures_total{failure=\"panicked\"}", 0.0),
        ] {
            assert_eq!(during.get(name), Some(&value), "{name}");
        }

        ada.leave(&room).await;
        ada.close().await;
        bob.close().await;
        let has_ended = async || scrape(&app).await["chatrooms_sessions"] == 0.0;
        eventually("the sessions have ended", has_ended).await;
        let after = scrape(&app).await;
        for (name, value) in [
            ("chatrooms_rooms", 0.0),
            ("chatrooms_connections", 0.0),
            ("chatrooms_outbox_bytes", 0.0),
            ("chatrooms_sessions_opened_total", 2.0),
            ("chatrooms_sessions_ended_total{reason=\"gone\"}", 2.0),
            ("chatrooms_rooms_opened_total", 1.0),
            ("chatrooms_rooms_closed_total{reason=\"lost\"}", 1.0),
            ("chatrooms_purges_total{outcome=\"done\"}", 1.0),
            ("chatrooms_purges_pending", 0.0),
        ] {
            assert_eq!(after.get(name), Some(&value), "{name}");
        }
    });
}

#[test]
fn the_process_is_measured_too() {
    with_full_app(&ON_A_PORT_OF_ITS_OWN, async |app| {
        let numbers = scrape(&app).await;
        assert!(numbers["process_start_time_seconds"] > 1.7e9);
        assert!(numbers["full_app_tasks"] > 1.0);
        if cfg!(target_os = "linux") {
            assert!(numbers["process_resident_memory_bytes"] > 1e6);
            let (open, most) = (numbers["process_open_fds"], numbers["process_max_fds"]);
            assert!(open > 3.0 && open < most, "{open} of {most}");
            assert!(numbers.contains_key("process_cpu_seconds_total"));
        }
    });
}

#[test]
fn those_who_keep_a_connection_waiting_are_counted() {
    with_full_app(&ON_A_PORT_OF_ITS_OWN, async |app| {
        let (whole, half) = ("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /heal");
        let kept_waiting = async |sent: &[&str]| {
            let mut connection = TcpStream::connect(app.addr).await.expect("it listens");
            for (number, part) in sent.iter().enumerate() {
                connection.write_all(part.as_bytes()).await.expect("it is taken");
                if number + 1 < sent.len() {
                    connection.readable().await.expect("it is answered");
                }
            }
            let mut answered = String::new();
            let _reset = connection.read_to_string(&mut answered).await;
            assert_eq!(answered.ends_with("ok"), sent.contains(&whole), "{answered}");
        };
        let several: [&[&str]; 5] = [&[], &[], &[half], &[whole, half], &[whole]];
        join_all(several.map(kept_waiting)).await;
        let numbers = scrape(&app).await;
        for (of, count) in [("silence", 2.0), ("head", 2.0), ("answer", 0.0)] {
            let name = format!("full_app_connections_cut_off_total{{of=\"{of}\"}}");
            assert_eq!(numbers[&name], count, "{name}");
        }
    });
}

#[test]
fn what_is_asked_too_fast_is_counted() {
    with_full_app(&ON_A_PORT_OF_ITS_OWN, async |app| {
        let user = app.user("hasty").await;
        let (header, cookie) = &user.credential;
        let answers = app.request_outside("GET", "/").header(header, cookie).flood(300).await;
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        let numbers = scrape(&app).await;
        assert_eq!(numbers["full_app_rate_limited_total{of=\"browser\"}"], refused as f64);
        assert_eq!(numbers["full_app_rate_limited_total{of=\"address\"}"], 0.0);
        assert!(refused > 0);
    });
}

#[test]
fn nobody_is_named() {
    with_full_app(&ON_A_PORT_OF_ITS_OWN, async |app| {
        let (user, room) = (app.user("canary").await, unique("aviary"));
        let _client = user.connect_to(&[&room]).await;
        let page = Request::new(address(&app), "GET", "/metrics").send().await.body;
        assert!(!page.contains(&user.name) && !page.contains(&room), "{page}");
    });
}

#[test]
fn the_public_address_shows_no_numbers() {
    with_full_app(&ON_A_PORT_OF_ITS_OWN, async |app| {
        assert_eq!(app.request_outside("GET", "/metrics").send().await.status, 404);
        for path in ["/", "/rooms", "/chat/session"] {
            let answer = Request::new(address(&app), "GET", path).send().await;
            assert_eq!(answer.status, 404, "the other address serves nothing else");
        }
    });
    with_shared_full_app(async |app| {
        assert_eq!(app.request_outside("GET", "/metrics").send().await.status, 404);
    });
}

/// Every sample, by its name and labels as they stand on the page.
async fn scrape(app: &FullApp) -> BTreeMap<String, f64> {
    let answer = Request::new(address(app), "GET", "/metrics").send().await;
    let kind = answer.header("Content-Type").unwrap_or_default();
    assert!(answer.status == 200 && kind.starts_with("text/plain; version=0.0.4"), "{answer:?}");
    let samples = answer.body.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    samples.map(sample).collect()
}

fn sample(line: &str) -> (String, f64) {
    let (name, value) = line.rsplit_once(' ').expect("a name and a value");
    (name.to_owned(), value.parse().expect("a number"))
}

fn address(app: &FullApp) -> SocketAddr {
    let page = app.said("metrics on http://").expect("it says where its numbers are");
    page.strip_suffix("/metrics").and_then(|addr| addr.parse().ok()).expect("an address")
}
