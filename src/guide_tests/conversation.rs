//! The conversation in docs/PROTOCOL.md, played against a server.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{
    Data, EventKind, Identity, Join, Post, RoomName, RoomRegistry, Session, UserName,
    ws::{Endpoint, Refusal, credentials},
};

const PROTOCOL: &str = include_str!("../../docs/PROTOCOL.md");
const HANG_LIMIT: Duration = Duration::from_secs(10);

/// What differs from one conversation to the next. Whether it is the same again is looked at in [`Play::learn`].
const VARYING: [&str; 4] = ["session", "epoch", "at", "after_ms"];

/// The conversation of one client, and who else takes part in it.
struct Play {
    rooms: RoomRegistry,
    lobby: RoomName,
    addr: std::net::SocketAddr,
    ada: Session,
    eve: Option<Session>,
    bob: Option<WebSocketStream<TcpStream>>,
    /// What stands for what: values of the text and those of this conversation.
    learned: Vec<(String, String)>,
}

#[tokio::test]
async fn the_conversation_goes_as_it_is_written() {
    let (_, text) = PROTOCOL.split_once("## A conversation").expect("the chapter");
    let text = text.split("```").nth(1).expect("the block").strip_prefix("text\n");
    let lines = text.expect("a block of text").lines().filter(|line| !line.is_empty());
    let mut lines = lines.peekable();
    let mut play = Play::begin().await;
    while let Some(line) = lines.next() {
        if let Some(sent) = line.strip_prefix("→ ") {
            play.send(sent).await;
        } else if let Some(first) = line.strip_prefix("← ") {
            let mut told = vec![first];
            while let Some(next) = lines.next_if(|line| line.starts_with("← ")) {
                told.push(&next["← ".len()..]);
            }
            play.is_told(&told).await;
        } else {
            play.others(line).await;
        }
    }
    assert!(play.bob.is_some(), "the conversation was played");
}

impl Play {
    async fn begin() -> Self {
        let who = |request: &axum::http::request::Parts| {
            let user = credentials::query(request, "user").ok_or(Refusal::Unauthorized)?;
            user.parse().map(Identity::new).map_err(|_| Refusal::Unauthorized)
        };
        let rooms = RoomRegistry::new();
        let chat = crate::axum::router(Endpoint::new(rooms.clone(), who));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        tokio::spawn(async {
            axum::serve(listener, axum::Router::new().nest("/chat", chat)).await
        });
        let lobby = RoomName::new("lobby").expect("a good name");
        let ada = rooms.open_session(identity("ada")).expect("she is let in");
        Self { rooms, lobby, addr, ada, eve: None, bob: None, learned: Vec::new() }
    }

    async fn others(&mut self, line: &str) {
        let (rooms, lobby) = (&self.rooms, &self.lobby);
        match line {
            "ada is in the lobby and has said \"welcome\"" => {
                self.ada.join(lobby, Join::default()).await.expect("she joins");
                self.say("welcome", None).await;
            }
            "ada types" => self.ada.signal(lobby, "typing", None).expect("she signals"),
            "ada says \"look at this\" with data" => {
                self.say("look at this", Some(r#"{"poll":{"options":["tea","coffee"]}}"#)).await;
            }
            "ada says \"are you there?\"" => self.say("are you there?", None).await,
            "ada takes back message 3" => {
                let receipt = self.ada.redact(lobby, 3).await.expect("she may");
                receipt.wait().await.expect("it is taken back");
            }
            "the service tells bob that his invoice is there" => {
                let data = Some(Data::new(r#"{"number":17}"#));
                assert_eq!(rooms.notify(&user("bob"), "invoice", data), Ok(1));
            }
            "eve comes" => {
                let eve = rooms.open_session(identity("eve")).expect("she is let in");
                eve.join(lobby, Join::default()).await.expect("she joins");
                self.eve = Some(eve);
            }
            "eve goes" => self.eve = None,
            "bob's connection is lost" => {
                self.bob = None;
                self.sees_bob_leave().await;
            }
            "bob does not know whether his first message arrived, and sends it again" => {}
            "the service kicks bob out of the lobby, \"good night\"" => {
                let kicked = rooms.moderation(lobby).kick(&user("bob"), Some("good night")).await;
                assert_eq!(kicked, Ok(1));
            }
            "the service shuts down" => {
                let rooms = rooms.clone();
                tokio::spawn(async move { rooms.shutdown(HANG_LIMIT).await });
            }
            line => panic!("nobody knows how to do this: {line}"),
        }
    }

    async fn say(&self, body: &str, data: Option<&str>) {
        let post = Post::new(body).data(data.map(Data::new));
        self.ada.publish(&self.lobby, post).await.expect("it is kept");
    }

    async fn sees_bob_leave(&mut self) {
        let left = async {
            loop {
                let event = self.ada.next().await.expect("her session is open");
                if matches!(event.kind(), EventKind::Presence { left, .. } if left.contains(&user("bob")))
                {
                    return;
                }
            }
        };
        timeout(HANG_LIMIT, left).await.expect("bob's end is seen");
    }

    async fn send(&mut self, line: &str) {
        if let Some(target) = line.strip_prefix("GET ") {
            let stream = TcpStream::connect(self.addr).await.expect("a connection");
            let url = format!("ws://{}{target}", self.addr);
            let (socket, _) = client_async(url, stream).await.expect("a handshake");
            self.bob = Some(socket);
            return;
        }
        let mut frame = line.to_owned();
        for (written, meant) in &self.learned {
            frame = frame.replace(written, meant);
        }
        let bob = self.bob.as_mut().expect("bob is connected");
        bob.send(Message::text(frame)).await.expect("it is sent");
    }

    /// All of these frames come next, in whatever order.
    async fn is_told(&mut self, told: &[&str]) {
        let mut expected: Vec<_> = told.iter().map(|line| Told::written(line)).collect();
        let mut came: Vec<_> = Vec::new();
        for _ in told {
            let next = self.bob.as_mut().expect("bob is connected").next();
            let frame = timeout(HANG_LIMIT, next).await.unwrap_or_else(|_| panic!("{told:#?}"));
            came.push(Told::from(frame.expect("the socket is open").expect("a frame")));
        }
        expected.sort_by_key(Told::kind);
        came.sort_by_key(Told::kind);
        for (expected, came) in expected.iter().zip(&came) {
            assert_eq!(expected.without_varying(), came.without_varying());
            self.learn(expected, came);
        }
    }

    /// Remembers what an epoch of the text stands for; it stands for the same everywhere.
    fn learn(&mut self, expected: &Told, came: &Told) {
        let (Told::Frame(expected), Told::Frame(came)) = (expected, came) else { return };
        let (Some(written), Some(meant)) = (expected["epoch"].as_str(), came["epoch"].as_str())
        else {
            return;
        };
        assert_eq!(written.len(), meant.len(), "an epoch looks like one");
        match self.learned.iter().find(|(known, _)| known == written) {
            Some((_, known)) => assert_eq!(known, meant, "the same epoch"),
            None => self.learned.push((written.to_owned(), meant.to_owned())),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Told {
    Frame(Value),
    Close(String),
}

impl Told {
    fn written(line: &str) -> Self {
        match line.strip_prefix("close ") {
            Some(close) => Self::Close(close.to_owned()),
            None => Self::Frame(serde_json::from_str(line).expect("JSON")),
        }
    }

    fn kind(&self) -> String {
        match self {
            Self::Frame(frame) => frame["type"].to_string(),
            Self::Close(_) => "~ last".to_owned(),
        }
    }

    fn without_varying(&self) -> Self {
        match self {
            Self::Close(close) => Self::Close(close.clone()),
            Self::Frame(frame) => {
                let mut frame = frame.clone();
                level(&mut frame);
                Self::Frame(frame)
            }
        }
    }
}

impl From<Message> for Told {
    fn from(message: Message) -> Self {
        match message {
            Message::Close(Some(close)) => {
                Self::Close(format!("{} {}", u16::from(close.code), close.reason))
            }
            message => Self::written(message.to_text().expect("a text frame")),
        }
    }
}

/// Leaves of varying texts how long they are, and of varying numbers nothing.
fn level(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if VARYING.contains(&name.as_str()) {
                    *value = value.as_str().map_or(0, str::len).into();
                } else {
                    level(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(level),
        _ => {}
    }
}

fn user(name: &str) -> UserName {
    UserName::new(name).expect("a good name")
}

fn identity(name: &str) -> Identity {
    Identity::new(user(name))
}
