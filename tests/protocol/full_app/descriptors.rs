//! A process that may open no more files: those who are there are not harmed, and when some are free again others come in.

use std::{fs, process::Command, time::Duration};

use futures_util::future::join_all;
use tokio::net::TcpStream;

use crate::kit::{FullApp, eventually, with_full_app_as};

use super::file::File;

const FILES: usize = 256;
const MEMBERS: usize = 20;
const FLOOD: usize = 400;
/// What it says when it cannot accept a connection, once a second as long as that lasts.
const TOLD: &str = "connections cannot be accepted";
/// It waits in between, and does not try on and on.
const BUSY: Duration = Duration::from_millis(700);

#[test]
fn out_of_descriptors_nobody_is_harmed_who_is_there() {
    let file = File::new();
    with_full_app_as(with_few_files(), &["--store", &file.store()], async |app| {
        let mut members = Vec::new();
        for _ in 0..MEMBERS {
            members.push(app.user("member").await.connect_to(&["hall"]).await);
        }
        let flood = join_all((0..FLOOD).map(|_| TcpStream::connect(app.addr))).await;
        assert!(flood.iter().all(Result::is_ok), "the system itself takes them");
        let told = || app.log().matches(TOLD).count();
        eventually("it can accept no more", async || told() > 0).await;
        let before = processor_time(&app);
        for member in &mut members {
            member.catch_up("hall").await;
        }
        // As long as it lets those wait who never say anything.
        eventually("it has tried again, and again", async || told() >= 3).await;
        let busy = processor_time(&app) - before;
        assert!(busy < BUSY, "{busy:?} in which there was nothing to do");
        drop(flood);
        app.user("late").await.connect_to(&["hall"]).await.catch_up("hall").await;
        for member in &mut members {
            member.catch_up("hall").await;
        }
    });
}

/// The program, which may open few files.
fn with_few_files() -> Command {
    let program = FullApp::command();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {FILES}; exec \"$0\" \"$@\"")]);
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// All that it has used so far, in steps of 10 ms.
fn processor_time(app: &FullApp) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", app.id())).expect("it runs");
    let (_, fields) = stat.rsplit_once(')').expect("its name");
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).expect("a time");
    Duration::from_millis((ticks() + ticks()) * 10)
}
