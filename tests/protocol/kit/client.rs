//! A WebSocket client that keeps every frame, both ways, and lets nothing pass that the protocol does not allow.

use std::collections::VecDeque;

use chatrooms::ws::Transcript;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;

use super::http::Upgraded;
use super::{Request, Response, Trace, in_time, run, schema};

pub(crate) struct Client {
    pub(crate) user: String,
    pub(crate) hello: Value,
    socket: WebSocketStream<TcpStream>,
    inbox: VecDeque<Value>,
    trace: Trace,
    transcript: Transcript,
    last_id: u64,
    close: Option<Close>,
    has_ended: bool,
}

/// How a socket ended; no code when it just broke.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Close {
    pub(crate) code: Option<u16>,
    pub(crate) reason: String,
}

impl Client {
    /// Opens a socket and reads its first frame, which is `hello`.
    pub(crate) async fn open(upgrade: Request) -> Result<Self, Response> {
        let transcript = Transcript::new(&run());
        let (stream, rest) = match upgrade.exchange().await {
            Upgraded::Open { stream, rest, .. } => (stream, rest),
            Upgraded::Refused(response) => return Err(response),
        };
        let mut client = Self::on(stream, rest, transcript).await;
        let first = client.next().await;
        client.begin(first);
        Ok(client)
    }

    /// The same at a server that may refuse it right now, or end before it says hello: then there is none.
    pub(crate) async fn try_open(upgrade: Request) -> Option<Self> {
        let transcript = Transcript::new(&run());
        let Upgraded::Open { stream, rest, .. } = upgrade.try_exchange().await? else {
            return None;
        };
        let mut client = Self::on(stream, rest, transcript).await;
        let first = client.next_or_end().await?;
        client.begin(first);
        Some(client)
    }

    async fn on(stream: TcpStream, rest: Vec<u8>, transcript: Transcript) -> Self {
        let socket = WebSocketStream::from_partially_read(stream, rest, Role::Client, None).await;
        Self {
            user: String::new(),
            hello: Value::Null,
            socket,
            inbox: VecDeque::new(),
            trace: Trace::default(),
            transcript,
            last_id: 0,
            close: None,
            has_ended: false,
        }
    }

    fn begin(&mut self, first: Value) {
        match first["type"].as_str() {
            Some("hello") => self.hello = first,
            // A socket that is ended while it opens may hear nothing else.
            Some("bye") => self.inbox.push_back(first),
            _ => panic!("hello comes first, not {first}"),
        }
        self.user = self.hello["user"].as_str().unwrap_or_default().to_owned();
    }

    /// One of the limits in `hello`.
    #[track_caller]
    pub(crate) fn limit(&self, name: &str) -> u64 {
        self.hello["limits"][name].as_u64().unwrap_or_else(|| panic!("hello.limits.{name}"))
    }

    /// Everything that has been heard so far.
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Sends a frame as it stands.
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends text which need not be JSON at all.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.transcript.sent(text);
        self.send_message(Message::text(text)).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        in_time("the server to take a frame", self.socket.send(message))
            .await
            .expect("a live socket");
    }

    /// Sends a request with a fresh `id`, which is returned.
    pub(crate) async fn ask(&mut self, mut request: Value) -> u64 {
        self.last_id += 1;
        request["id"] = json!(self.last_id);
        self.send(request).await;
        self.last_id
    }

    /// Sends a request with a fresh `id`, which is returned; `None` where the socket takes nothing any more.
    pub(crate) async fn try_ask(&mut self, mut request: Value) -> Option<u64> {
        self.last_id += 1;
        request["id"] = json!(self.last_id);
        let text = request.to_string();
        self.transcript.sent(&text);
        let sent = self.socket.send(Message::text(text));
        let taken = in_time("the server to take a frame", sent).await;
        taken.is_ok().then_some(self.last_id)
    }

    /// Sends a request and waits for its one answer.
    pub(crate) async fn request(&mut self, request: Value) -> Value {
        let id = self.ask(request).await;
        self.answer(id).await
    }

    /// The answer to the request with this `id`.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        self.expect_where("an answer", |frame| frame["id"] == id).await
    }

    /// The next frame in order, whatever it is.
    pub(crate) async fn next(&mut self) -> Value {
        self.expect_where("any frame", |_| true).await
    }

    /// The next frame in order, or `None` once the socket has ended.
    pub(crate) async fn next_or_end(&mut self) -> Option<Value> {
        if let Some(frame) = self.inbox.pop_front() {
            return Some(frame);
        }
        let user = self.user.clone();
        in_time(&format!("a frame for {user}, or the end"), self.receive()).await
    }

    /// The next frame of this type; others stay to be expected later.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(kind, |frame| frame["type"] == kind).await
    }

    /// The next frame of this type about this room.
    pub(crate) async fn expect_in(&mut self, kind: &str, room: &str) -> Value {
        let wanted = |frame: &Value| frame["type"] == kind && frame["room"] == room;
        self.expect_where(&format!("{kind} in {room}"), wanted).await
    }

    /// The next frame that `wanted` says yes to.
    pub(crate) async fn expect_where(
        &mut self,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        if let Some(position) = self.inbox.iter().position(&wanted) {
            return self.inbox.remove(position).expect("it was just found");
        }
        let user = self.user.clone();
        in_time(&format!("{what} for {user}"), async {
            loop {
                match self.receive().await {
                    Some(frame) if wanted(&frame) => return frame,
                    Some(frame) => self.inbox.push_back(frame),
                    None => panic!("the socket of {user} ended ({:?}) before {what}", self.close),
                }
            }
        })
        .await
    }

    /// Drops what has arrived and nobody expects; the oracle knows of it.
    pub(crate) fn forget_arrived(&mut self) {
        self.inbox.clear();
    }

    /// Notes for the oracle that everything has arrived that was caused so far, and that all who were lost have been missed.
    pub(crate) fn settled(&self) {
        self.transcript.settled();
    }

    /// Reads until the server has closed, whoever began it.
    pub(crate) async fn closed(&mut self) -> Close {
        let user = self.user.clone();
        in_time(&format!("the end of {user}'s socket"), async {
            while let Some(frame) = self.receive().await {
                self.inbox.push_back(frame);
            }
        })
        .await;
        self.close.clone().unwrap_or_default()
    }

    /// Closes as a browser tab does, and waits for the end.
    pub(crate) async fn close(mut self) -> Close {
        let frame = CloseFrame { code: 1000.into(), reason: "".into() };
        let _already_closing = self.socket.close(Some(frame)).await;
        self.closed().await
    }

    /// Vanishes with a reset, saying nothing.
    pub(crate) fn reset(self) {
        self.socket.get_ref().set_zero_linger().expect("a socket that can be reset");
    }

    /// The next frame off the wire, checked; `None` at the end.
    async fn receive(&mut self) -> Option<Value> {
        loop {
            let Some(next) = self.socket.next().await else {
                self.ended();
                return None;
            };
            match next {
                Ok(Message::Text(text)) => {
                    let frame = schema::check(&text);
                    self.trace.received(frame.clone());
                    self.transcript.received(&text);
                    return Some(frame);
                }
                Ok(Message::Binary(_)) => panic!("the server sent a binary frame"),
                Ok(Message::Close(frame)) => self.close = Some(frame.into()),
                Ok(_control) => {}
                Err(_broken) => {
                    self.ended();
                    return None;
                }
            }
        }
    }

    /// Notes the end once.
    fn ended(&mut self) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.transcript.ended(self.close.as_ref().and_then(|close| close.code));
        }
    }
}

impl From<Option<CloseFrame>> for Close {
    fn from(frame: Option<CloseFrame>) -> Self {
        let told = |frame: CloseFrame| Self {
            code: Some(frame.code.into()),
            reason: frame.reason.to_string(),
        };
        frame.map(told).unwrap_or_default()
    }
}
