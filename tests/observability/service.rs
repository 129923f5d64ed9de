//! A small service on the runtime of the test that asks for it, so that what it does is that test's alone; and a client of it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::request::Parts;
use chatrooms::ws::{Authenticator, Endpoint, Options, Refusal, credentials};
use chatrooms::{Identity, RoomRegistry, UserName, async_trait};
use futures_util::{SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::task::AbortOnDropHandle;
use warp::Filter;

/// How long anything may take before it counts as hung.
const HANG: Duration = Duration::from_secs(15);

pub(crate) struct Service {
    pub(crate) addr: SocketAddr,
    _accepting: AbortOnDropHandle<()>,
}

impl Service {
    /// Serves these rooms to those who carry a token: `user` and what comes after a full stop.
    pub(crate) async fn start(registry: &RoomRegistry) -> Self {
        Self::start_with(registry, Options::default()).await
    }

    /// The same, with sockets of one's own making.
    pub(crate) async fn start_with(registry: &RoomRegistry, options: Options) -> Self {
        let chat = Endpoint::new(registry.clone(), ByToken).with_options(options);
        let app: Router = Router::new().nest("/chat", chatrooms::axum::router(chat));
        Self::listen(|listener| async { axum::serve(listener, app).await.expect("it serves") })
            .await
    }

    /// The same in warp.
    pub(crate) async fn start_on_warp(registry: &RoomRegistry) -> Self {
        let chat = Endpoint::new(registry.clone(), ByToken);
        let app = warp::path("chat").and(chatrooms::warp::routes(chat));
        let app = TowerToHyperService::new(warp::service(app));
        Self::listen(|listener| async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let http = http1::Builder::new();
                let serving = http.serve_connection(TokioIo::new(stream), app.clone());
                tokio::spawn(serving.with_upgrades());
            }
        })
        .await
    }

    async fn listen<F: Future<Output = ()> + Send + 'static>(
        serve: impl FnOnce(TcpListener) -> F,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        Self { addr, _accepting: AbortOnDropHandle::new(tokio::spawn(serve(listener))) }
    }

    /// A socket with these headers; or the status that was answered instead.
    pub(crate) async fn connect(
        &self,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Client, u16> {
        let url = format!("ws://{}/chat/ws{query}", self.addr);
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(self.addr).await.expect("it listens");
        match timeout(HANG, tokio_tungstenite::client_async(request, stream))
            .await
            .expect("an answer")
        {
            Ok((socket, _)) => Ok(Client(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A socket of this user, who is in this room.
    pub(crate) async fn joined(&self, user: &str, room: &str) -> Client {
        let authorization = ("authorization", format!("Bearer {user}.secret"));
        let connected =
            self.connect(&format!("?room={room}"), &[(authorization.0, &authorization.1)]).await;
        let mut client = connected.expect("let in");
        client.expect("joined").await;
        client
    }
}

/// The token says who somebody is, and may come in any of four ways.
struct ByToken;

#[async_trait]
impl Authenticator for ByToken {
    async fn authenticate(&self, request: &Parts) -> Result<Identity, Refusal> {
        let carried = credentials::bearer(request)
            .or_else(|| credentials::cookie(request, "session"))
            .or_else(|| credentials::subprotocol(request, "token."))
            .map(str::to_owned)
            .or_else(|| credentials::query(request, "token").map(Into::into));
        let token = carried.ok_or(Refusal::Unauthorized)?;
        let user = token.split('.').next().unwrap_or_default();
        assert_ne!(user, "panic", "on purpose");
        UserName::new(user).map(Identity::new).map_err(|_| Refusal::Unauthorized)
    }
}

pub(crate) struct Client(WebSocketStream<TcpStream>);

impl Client {
    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        timeout(HANG, self.0.send(Message::text(text)))
            .await
            .expect("in time")
            .expect("a live socket");
    }

    /// Sends what no client library would, as far as it is taken.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = timeout(HANG, self.0.get_mut().write_all(bytes)).await.expect("in time");
    }

    /// Reads on to a frame of this type.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("it ended before {kind}"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Reads until the server has closed.
    pub(crate) async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }

    /// Vanishes with a reset, saying nothing.
    pub(crate) fn reset(self) {
        self.0.get_ref().set_zero_linger().expect("a socket that can be reset");
    }

    pub(crate) async fn close(mut self) {
        self.0.close(None).await.expect("a live socket");
        self.ended().await;
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            match timeout(HANG, self.0.next()).await.expect("a frame in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Asks again and again until the answer is yes.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(HANG, waiting).await.unwrap_or_else(|_| panic!("never happened: {what}"));
}
