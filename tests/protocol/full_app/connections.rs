//! `--sessions-per-address`, `--trusted-proxy`, `--head-seconds`: how many connections one address has, whose word counts for where they come from, and how long they may be silent.

use std::time::{Duration, Instant};

use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::kit::{in_time, with_full_app};

#[test]
fn silence_lasts_as_long_as_the_option_says() {
    with_full_app(&["--head-seconds=6"], async |app| {
        let began = Instant::now();
        let mut silent = TcpStream::connect(app.addr).await.expect("it listens");
        assert_eq!(in_time("its end", silent.read(&mut [0])).await.ok(), Some(0));
        assert!(began.elapsed() >= Duration::from_secs(6), "longer than the default");
    });
}

#[test]
fn an_address_has_so_many_connections() {
    with_full_app(&["--sessions-per-address=1"], async |app| {
        let (one, other) = (app.user("one").await, app.user("other").await);
        let _connected = one.connect().await;
        let elsewhere = other.upgrade("").header("X-Forwarded-For", "192.0.2.1");
        elsewhere.refused().await.assert_error(429, "too_many_sessions");
    });
}

#[test]
fn behind_a_trusted_proxy_it_is_the_clients_address_that_counts() {
    let options = ["--sessions-per-address=1", "--trusted-proxy=127.0.0.1"];
    with_full_app(&options, async |app| {
        let user = app.user("guest").await;
        let from = |address: &str| user.upgrade("").header("X-Forwarded-For", address);
        let _connected = from("192.0.2.1").open_raw().await;
        from("192.0.2.1").refused().await.assert_error(429, "too_many_sessions");
        let _elsewhere = from("192.0.2.2").open_raw().await;
    });
}

#[test]
fn without_the_option_one_address_may_be_a_whole_school() {
    with_full_app(&[], async |app| {
        let mut connected = Vec::new();
        for _ in 0..300 {
            connected.push(app.user("pupil").await.connect().await);
        }
        assert_eq!(connected.len(), 300);
    });
}
