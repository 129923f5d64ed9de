//! The handshake: who may open a socket, in the order in which the protocol judges it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chatrooms_core::{Error, Identity, Session};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};
use tracing::Instrument as _;

use crate::{
    Answer, Options,
    address::Place,
    answer::Problem,
    connection::Connection,
    endpoint::Endpoint,
    frames::Watch,
    metered::Metered,
    outgoing::Direct,
    shortcut::Shortcut,
    socket::{serve_vouched, span},
};

/// The one version of the wire there is.
pub(crate) const PROTOCOL: &str = "chatrooms.v1.json";
/// Every connection holds a read buffer of this size for as long as it lives. It is the step in which a frame is copied, not what is asked of the
/// system: [`Metered`] takes more than that off the connection at a time.
const READ_BUFFER: usize = 128;
/// The most bytes of control frames that may wait for a client that does not read.
const CONTROL_BUFFER: usize = 4 * 1024;

/// A request to open a socket that is what it should be.
#[derive(Debug)]
struct Handshake {
    accept: String,
    offers_protocol: bool,
}

/// Whom a socket is opened for.
#[derive(Debug)]
struct Guest {
    session: Session,
    /// These are joined first.
    rooms: Vec<String>,
    /// The session's place among those from its address, for as long as there is a connection.
    place: Option<Box<Place>>,
    /// Whose authenticator vouches for it, where one does.
    voucher: Option<Endpoint>,
}

impl Endpoint {
    /// Opens a socket for whoever the authenticator says it is. `rooms` come from the request's query.
    pub(crate) async fn upgrade(&self, mut parts: Parts) -> Result<Answer, Problem> {
        let handshake = self.judge(&parts)?;
        let identity = self.authenticate(&parts).await?;
        let place = self.place(&parts)?;
        let session = self.registry().open_session(identity)?;
        // Asked after the session stands in the registry: a logout that ran before this has made the credentials void, one that runs
        // after it ends the session.
        self.confirm(session.identity()).await?;
        let rooms = rooms(&parts);
        let guest = Guest { session, rooms, place, voucher: Some(self.clone()) };
        self.open(&mut parts, &handshake, guest)
    }

    /// Opens a socket for somebody whom the host has authenticated itself.
    pub(crate) fn upgrade_as(
        &self,
        mut parts: Parts,
        identity: Identity,
        rooms: Vec<String>,
    ) -> Result<Answer, Problem> {
        let handshake = self.judge(&parts)?;
        self.count_user(identity.user())?;
        let place = self.place(&parts)?;
        let session = self.registry().open_session(identity)?;
        self.open(&mut parts, &handshake, Guest { session, rooms, place, voucher: None })
    }

    fn judge(&self, parts: &Parts) -> Result<Handshake, Problem> {
        if self.registry().is_stopping() {
            return Err(Error::ShuttingDown.into());
        }
        self.count_address(parts)?;
        if parts.method != Method::GET {
            return Err(Problem::method("GET"));
        }
        let headers = &parts.headers;
        let is_upgrade = has_token(headers, header::CONNECTION, "upgrade")
            && has_token(headers, header::UPGRADE, "websocket")
            && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        let (true, Some(key)) = (is_upgrade, key) else {
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "bad_request",
                "this is for WebSocket, version 13",
            );
            return Err(problem.with(header::SEC_WEBSOCKET_VERSION, "13"));
        };
        if !self.options().origins.allow(headers) {
            return Err(Problem::foreign_origin());
        }
        let offers_protocol =
            tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|one| one == PROTOCOL);
        if !offers_protocol && headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
            let message = format!("offer the subprotocol {PROTOCOL}, or none");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_request", message));
        }
        Ok(Handshake { accept: derive_accept_key(key.as_bytes()), offers_protocol })
    }

    fn open(
        &self,
        parts: &mut Parts,
        handshake: &Handshake,
        guest: Guest,
    ) -> Result<Answer, Problem> {
        let Some(on_upgrade) = parts.extensions.remove::<OnUpgrade>() else {
            // Not a fault of the client: the server in front of this cannot hand the connection over.
            let message = "this connection cannot be upgraded";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_request", message));
        };
        let options = Arc::clone(self.options());
        let span = span(&guest.session);
        let serving = run(on_upgrade, guest, options);
        // One that nobody looks at would be entered and left all the same, whenever something is told.
        if span.is_disabled() {
            self.registry().spawn(serving);
        } else {
            self.registry().spawn(serving.instrument(span));
        }
        Ok(switching(handshake))
    }
}

fn switching(handshake: &Handshake) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(&handshake.accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if handshake.offers_protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    answer
}

/// Serves the session once its connection is handed over.
///
/// Every connection holds this for as long as it lives: what is needed only before or after the loop is boxed.
fn run(
    on_upgrade: OnUpgrade,
    guest: Guest,
    options: Arc<Options>,
) -> impl Future<Output = ()> + Send {
    // Out of the block: what is moved in one is held twice.
    let Guest { session, rooms, place, voucher } = guest;
    async move {
        let Some(mut socket) = Box::pin(take_over(on_upgrade, &session, &options)).await else {
            return;
        };
        let outbox = session.owned_outbox();
        let is_tcp = matches!(socket.io(), Connection::Tcp(_));
        let shortcut = Arc::new(Shortcut::new(socket, outbox, is_tcp));
        let (socket, voucher) = (shortcut.socket(), voucher.as_ref());
        serve_vouched(&session, socket, &shortcut, rooms, &options, voucher).await;
        drop(session);
        let (has_heard_all, io) =
            shortcut.change(|socket| (socket.has_heard_all(), socket.io().take()));
        let _ = timeout(DRAIN, Box::pin(io.end(has_heard_all))).await;
        drop(place);
    }
}

async fn take_over(
    on_upgrade: OnUpgrade,
    session: &Session,
    options: &Options,
) -> Option<Direct<Connection>> {
    let upgraded = match timeout(options.close_timeout, on_upgrade).await {
        Ok(upgraded) => upgraded.inspect_err(|error| not_upgraded(error)).ok()?,
        Err(late) => {
            not_upgraded(&late);
            return None;
        }
    };
    let meter = session.outbox().meter().clone();
    let (connection, unread) = Connection::new(upgraded);
    let io = Metered::new(connection, unread, meter, Watch::new(options));
    let config = Some(layer(options));
    Some(Direct::new(WebSocketStream::from_raw_socket(io, Role::Server, config).await))
}

/// What the WebSocket layer may take.
pub(crate) fn layer(options: &Options) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        // Control frames are all that goes through it.
        .write_buffer_size(0)
        .max_write_buffer_size(CONTROL_BUFFER)
        .max_message_size(Some(options.frame_bytes))
        .max_frame_size(Some(options.frame_bytes))
}

fn not_upgraded(error: &(dyn std::error::Error + 'static)) {
    tracing::debug!(
        name: "upgrade_failed",
        target: "chatrooms_ws",
        error,
        "a connection went before it was a socket"
    );
}

/// How long what a client has still sent is taken off a connection that has ended.
const DRAIN: Duration = Duration::from_secs(1);

/// The rooms that a request names, in order.
pub(crate) fn rooms(parts: &Parts) -> Vec<String> {
    let query = parts.uri.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.filter(|(name, _)| name == "room").map(|(_, room)| room.into_owned()).collect()
}

/// Whether a list in the headers holds a token, whatever its case.
fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|one| one.eq_ignore_ascii_case(token))
}

/// The members of a comma-separated list in the headers.
pub(crate) fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(name).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

/// Whether this is the Base64 of 16 bytes.
fn is_key(key: &HeaderValue) -> bool {
    let key = key.as_bytes();
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_digit)
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        io,
        pin::Pin,
        sync::atomic::{AtomicBool, Ordering},
        task::{Context, Poll},
    };

    use async_trait::async_trait;
    use chatrooms_core::{RoomRegistry, UserName};
    use http::Request;
    use hyper::{server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::{
            AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
            duplex,
        },
        net::{TcpListener, TcpStream},
        sync::mpsc,
        time::Instant,
    };

    use super::*;
    use crate::{Authenticator, Refusal};

    /// A logout that runs between the first question and the second.
    struct VoidMeanwhile;

    #[async_trait]
    impl Authenticator for VoidMeanwhile {
        async fn authenticate(&self, _: &Parts) -> Result<Identity, Refusal> {
            Ok(Identity::new(UserName::new("ada").expect("a good name")))
        }

        async fn still_valid(&self, _: &Identity) -> bool {
            false
        }
    }

    /// What a host's code may do to whoever asks it.
    #[derive(Clone, Copy, Debug)]
    enum Fault {
        SilentAtFirst,
        SilentLater,
        PanickingAtFirst,
        PanickingLater,
    }

    #[async_trait]
    impl Authenticator for Fault {
        async fn authenticate(&self, _: &Parts) -> Result<Identity, Refusal> {
            match self {
                Self::SilentAtFirst => std::future::pending().await,
                Self::PanickingAtFirst => panic!("on purpose"),
                _ => VoidMeanwhile.authenticate(&Request::new(()).into_parts().0).await,
            }
        }

        async fn still_valid(&self, _: &Identity) -> bool {
            match self {
                Self::SilentLater => std::future::pending().await,
                Self::PanickingLater => panic!("on purpose"),
                _ => true,
            }
        }
    }

    /// The status and the code of both ways to ask who one is.
    async fn refusals(endpoint: &Endpoint) -> [(StatusCode, String, bool); 2] {
        let mut refusals = Vec::new();
        for (path, request) in [("/ws", handshake()), ("/session", Request::new(String::new()))] {
            let request = request.map(http_body_util::Full::<Bytes>::from);
            let answer = endpoint.handle(path, request).await;
            let body: serde_json::Value = serde_json::from_slice(answer.body()).expect("JSON");
            let code = body["error"]["code"].as_str().unwrap_or_default().to_owned();
            let tells_when = answer.headers().contains_key(header::RETRY_AFTER);
            refusals.push((answer.status(), code, tells_when));
        }
        refusals.try_into().expect("two")
    }

    fn handshake() -> Request<String> {
        let mut request = Request::get("/ws")
            .header(header::CONNECTION, "keep-alive, Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
            .body(String::new())
            .expect("a request");
        let on_upgrade = hyper::upgrade::on(&mut request);
        request.extensions_mut().insert(on_upgrade);
        request
    }

    #[tokio::test]
    async fn credentials_that_become_void_while_a_socket_is_opened_open_none() {
        let registry = RoomRegistry::new();
        let endpoint = Endpoint::new(registry.clone(), VoidMeanwhile);
        let answer =
            endpoint.handle("/ws", handshake().map(http_body_util::Full::<Bytes>::from)).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(registry.stats().sessions, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_authenticator_that_does_not_answer_is_not_waited_for() {
        for fault in [Fault::SilentAtFirst, Fault::SilentLater] {
            let endpoint = Endpoint::new(RoomRegistry::new(), fault);
            for (status, _, tells_when) in refusals(&endpoint).await {
                assert_eq!(
                    (status, tells_when),
                    (StatusCode::SERVICE_UNAVAILABLE, true),
                    "{fault:?}"
                );
            }
            assert_eq!(endpoint.registry().stats().sessions, 0);
        }
    }

    const HANDSHAKE: &[u8] =
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    /// A server that has heard a handshake and keeps the answer to it to itself: its connection lives, and never becomes a socket.
    async fn keep_the_answer(endpoint: Endpoint, answered: mpsc::UnboundedSender<StatusCode>) {
        let (ours, mut theirs) = duplex(1024);
        let service = service_fn(move |request| {
            let (endpoint, answered) = (endpoint.clone(), answered.clone());
            async move {
                let answer = endpoint.handle("/ws", request).await;
                let _ = answered.send(answer.status());
                std::future::pending::<Result<Response<String>, Infallible>>().await
            }
        });
        theirs.write_all(HANDSHAKE).await.expect("it reads");
        let connection = http1::Builder::new().serve_connection(TokioIo::new(ours), service);
        let _ = connection.with_upgrades().await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_upgrade_that_never_comes_is_not_waited_for() {
        let registry = RoomRegistry::new();
        let ada = |_: &Parts| Ok(Identity::new(UserName::new("ada").expect("a good name")));
        let endpoint = Endpoint::new(registry.clone(), ada);
        let (answered, mut answers) = mpsc::unbounded_channel();
        let server = tokio::spawn(keep_the_answer(endpoint.clone(), answered));
        assert_eq!(answers.recv().await, Some(StatusCode::SWITCHING_PROTOCOLS));
        assert_eq!(registry.stats().sessions, 1);
        let began = Instant::now();
        while registry.stats().sessions > 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "the session is still there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let lasted = began.elapsed();
        let limit = endpoint.options().close_timeout;
        assert!((limit..limit + Duration::from_secs(1)).contains(&lasted), "{lasted:?}");
        assert!(!server.is_finished(), "its connection is open all the time");
        server.abort();
    }

    /// A connection that notes when its last word is written, as TLS has one.
    struct WithLastWord {
        io: DuplexStream,
        is_said: Arc<AtomicBool>,
    }

    impl AsyncRead for WithLastWord {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.io).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for WithLastWord {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.io).poll_write(cx, buf)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.io).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.is_said.store(true, Ordering::Relaxed);
            Pin::new(&mut self.io).poll_shutdown(cx)
        }
    }

    /// Serves everybody as ada, over one connection.
    fn serve(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let ada = |_: &Parts| Ok(Identity::new(UserName::new("ada").expect("a good name")));
        let endpoint = Endpoint::new(RoomRegistry::new(), ada);
        let service = service_fn(move |request| {
            let endpoint = endpoint.clone();
            async move {
                let answer = endpoint.handle("/ws", request).await;
                Ok::<_, Infallible>(answer.map(http_body_util::Full::new))
            }
        });
        let http = http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(io), service).with_upgrades());
    }

    #[tokio::test]
    async fn who_broke_the_rules_reads_why_whatever_they_have_still_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let mut client = TcpStream::connect(address).await.expect("it listens");
        serve(listener.accept().await.expect("it comes").0);
        client.write_all(HANDSHAKE).await.expect("it reads");
        // A frame that is not masked, and much behind it that nobody will look at.
        client.write_all(&[0x81, 0]).await.expect("it reads");
        client.write_all(&[0; 100_000]).await.expect("it reads");
        client.shutdown().await.expect("it is open");
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.expect("no reset");
        let [high, low] = 1002_u16.to_be_bytes();
        assert!(heard.ends_with(&[0x88, 2, high, low]), "{heard:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_a_last_word_says_it_when_its_client_has_closed() {
        let (ours, mut theirs) = duplex(10_000);
        let is_said = Arc::new(AtomicBool::new(false));
        serve(WithLastWord { io: ours, is_said: Arc::clone(&is_said) });
        theirs.write_all(HANDSHAKE).await.expect("it reads");
        // A close without a reason, masked with nothing.
        theirs.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.expect("it reads");
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.expect("it ends");
        assert!(heard.starts_with(b"HTTP/1.1 101") && heard.ends_with(&[0x88, 0]));
        assert!(is_said.load(Ordering::Relaxed));
    }

    /// It is the largest thing that a silent connection holds, and grows unseen with whatever is kept over an await in its loop. With what tokio adds,
    /// which it rounds up to a multiple of 128, this is an allocation of 2,304 bytes.
    #[cfg(target_pointer_width = "64")]
    #[tokio::test]
    async fn a_sessions_task_stays_small() {
        let ada = Identity::new(UserName::new("ada").expect("a good name"));
        let session = RoomRegistry::new().open_session(ada).expect("there is room");
        let on_upgrade = hyper::upgrade::on(Request::new(()));
        let guest = Guest { session, rooms: Vec::new(), place: None, voucher: None };
        let task = run(on_upgrade, guest, Arc::default());
        let bytes = size_of_val(&task);
        assert!(bytes <= 2176, "{bytes}");
    }

    #[tokio::test]
    async fn an_authenticator_that_panics_harms_one_request() {
        for fault in [Fault::PanickingAtFirst, Fault::PanickingLater] {
            let endpoint = Endpoint::new(RoomRegistry::new(), fault);
            for (status, code, _) in refusals(&endpoint).await {
                let expected = (StatusCode::INTERNAL_SERVER_ERROR, "internal");
                assert_eq!((status, code.as_str()), expected, "{fault:?}");
            }
            assert_eq!(endpoint.registry().stats().sessions, 0);
        }
    }

    #[tokio::test]
    async fn a_function_that_panics_before_it_answers_is_caught_too() {
        let panicking = |_: &Parts| -> Result<Identity, Refusal> { panic!("on purpose") };
        let endpoint = Endpoint::new(RoomRegistry::new(), panicking);
        for (status, code, _) in refusals(&endpoint).await {
            assert_eq!((status.as_u16(), code.as_str()), (500, "internal"));
        }
    }
}
