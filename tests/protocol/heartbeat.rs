//! Liveness: the server pings, and lets go whoever is not heard of.

use std::process::{Child, Stdio};
use std::time::Duration;

use chatrooms::RoomRegistry;
use chatrooms::ws::Options;
use serde_json::{Value, json};

use crate::kit::{
    Adapter, Frame, InProcess, Process, User, eventually, on_each_adapter, opcode, signal, unique,
};

on_each_adapter!(
    hello_says_how_often_the_server_pings,
    who_does_not_answer_is_let_go,
    who_answers_stays,
    any_frame_is_a_sign_of_life,
    who_is_frozen_is_missed_and_their_rooms_end,
);

const HEARTBEAT: Duration = Duration::from_millis(100);
/// Long enough for a client of a busy machine, too short for one that never answers.
const GRACE: Duration = Duration::from_millis(900);
/// So many pings take longer than anybody may be silent.
const PINGS: usize = 15;

async fn hello_says_how_often_the_server_pings(adapter: Adapter) {
    let server = start(adapter).await;
    assert_eq!(server.user("guest").await.connect().await.hello["heartbeat_ms"], 100);
}

async fn who_does_not_answer_is_let_go(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let user = server.user("silent").await;
    let (texts, code) = user.connect_raw(&format!("?room={room}")).await.rest().await;
    assert_eq!(code, Some(4001));
    let bye: Value = serde_json::from_str(texts.last().expect("a bye")).expect("JSON");
    assert_eq!((&bye["type"], &bye["code"]), (&json!("bye"), &json!("heartbeat_timeout")));
    assert_eq!(bye["reconnect"], true);
    user.get(&format!("/rooms/{room}")).await.assert_error(404, "not_found");
}

async fn who_answers_stays(adapter: Adapter) {
    stays_by_answering_pings_with(adapter, &Frame::new(opcode::PONG, "")).await;
}

async fn any_frame_is_a_sign_of_life(adapter: Adapter) {
    stays_by_answering_pings_with(adapter, &Frame::text(r#"{"type":"ping"}"#)).await;
}

async fn stays_by_answering_pings_with(adapter: Adapter, sign_of_life: &Frame) {
    let server = start(adapter).await;
    let mut socket = server.user("lively").await.connect_raw("").await;
    let mut pings = 0;
    while pings < PINGS {
        let frame = socket.read().await.expect("a frame, not the end");
        assert_ne!(frame.opcode, opcode::CLOSE, "{frame:?}");
        if frame.opcode == opcode::PING {
            socket.write(sign_of_life).await;
            pings += 1;
        }
    }
}

/// A machine that stops, or a network that is gone: no end of the connection comes, and nothing else either.
async fn who_is_frozen_is_missed_and_their_rooms_end(adapter: Adapter) {
    let (server, room) = (start(adapter).await, unique("hall"));
    let (user, shared, own) =
        (server.user("frozen").await, format!("{room}-0"), format!("{room}-1"));
    let mut witness = server.user("witness").await.connect_to(&[&shared]).await;
    let there = Elsewhere::start(&user, &room);
    let has_both = |members: &Value| {
        let members = members["members"].as_array().expect("a list").iter();
        members
            .filter(|member| member["user"] == user.name)
            .any(|member| member["connections"] == 2)
    };
    eventually("all four are there", async || {
        let alone = user.get(&format!("/rooms/{own}")).await;
        has_both(&witness.members(&shared).await)
            && alone.status == 200
            && alone.assert_json(200)["connections"] == 2
    })
    .await;
    witness.forget_arrived();
    signal(there.0.id(), "STOP");
    let left = json!([user.name]);
    witness.expect_where("left", |frame| frame["left"] == left).await;
    eventually("the room where nobody else is has ended", async || {
        witness.granted("pong", json!({"type": "ping"})).await;
        server.user("looker").await.get(&format!("/rooms/{own}")).await.status == 404
    })
    .await;
}

/// Another process with four sockets of a user, two in each of two rooms. Dropping it ends it.
struct Elsewhere(Child);

impl Elsewhere {
    fn start(user: &User<'_>, room: &str) -> Self {
        let (name, value) = &user.credential;
        let mut command = Process::command("load");
        command.arg(format!("ws://{}/chat/ws", user.server.addr)).args(["--query", ""]);
        command.arg("--header").arg(format!("{name}: {value}")).args(["--room", room]);
        command.args(["--connections", "4", "--rooms", "2", "--idle", "--duration", "60"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("load starts"))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.0.kill().expect("it has not ended by itself");
        self.0.wait().expect("it has ended");
    }
}

async fn start(adapter: Adapter) -> InProcess {
    let mut options = Options::default();
    (options.heartbeat, options.grace) = (HEARTBEAT, GRACE);
    InProcess::start_with(adapter, RoomRegistry::builder(), options).await
}
