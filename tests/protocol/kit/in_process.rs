//! Servers within the test's own process, one for each adapter: whatever a host may set up, a scenario can set up too.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;
use std::panic;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{Request, Response};
use axum::routing::get;
use chatrooms::oracle::Bounds;
use chatrooms::ws::{Endpoint, Options, PeerAddr};
use chatrooms::{
    CloseReason, Identity, RegistryBuilder, RoomRegistry, UserName, axum as axum_chat,
    warp as warp_chat,
};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;
use tokio_util::task::AbortOnDropHandle;
use warp::Filter;

use super::tokens::{ON_PURPOSE, Tokens};
use super::{Doorkeeper, Header, Host, Server, User, bound, in_time, unique};

/// The framework around the chat.
#[derive(Clone, Copy)]
pub(crate) enum Adapter {
    Axum,
    Warp,
}

/// A server of one adapter; dropping it stops it from accepting.
pub(crate) struct InProcess {
    server: Server,
    chat: Chat,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Clone)]
struct Chat {
    registry: RoomRegistry,
    tokens: Tokens,
}

/// Takes a connection and answers it in a task of its own.
type Serve = Box<dyn Fn(TokioIo<TcpStream>, SocketAddr) + Send + Sync>;

/// Where a handler of the host's own, at `/lobby`, lets everybody in.
const LOBBY: [&str; 3] = ["lobby", "annex", ".."];

/// As whom it lets them in.
fn doorman() -> Identity {
    Identity::new(UserName::new("doorman").expect("a good name"))
}

const SERVER_THREAD: &str = "server";

/// Outlives all tests, each of which has a runtime of its own.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    watch_for_panics();
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name(SERVER_THREAD).enable_all().build().expect("a runtime")
});

static PANICKED: AtomicBool = AtomicBool::new(false);

/// Does something where the servers run, such as opening a store, which lives as long as its runtime.
pub(crate) async fn where_servers_run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    RUNTIME.spawn(work).await.expect("it does not panic")
}

impl InProcess {
    /// The one of this adapter that all tests of this process share, with everything as it is by default.
    pub(crate) async fn shared(adapter: Adapter) -> &'static Self {
        static AXUM: OnceCell<InProcess> = OnceCell::const_new();
        static WARP: OnceCell<InProcess> = OnceCell::const_new();
        let shared = match adapter {
            Adapter::Axum => &AXUM,
            Adapter::Warp => &WARP,
        };
        shared.get_or_init(|| Self::start(adapter, RoomRegistry::builder())).await
    }

    /// Starts one with rooms of one's own making.
    pub(crate) async fn start(adapter: Adapter, rooms: RegistryBuilder) -> Self {
        Self::start_with(adapter, rooms, Options::default()).await
    }

    /// The same, with sockets of one's own making too.
    pub(crate) async fn start_with(
        adapter: Adapter,
        rooms: RegistryBuilder,
        options: Options,
    ) -> Self {
        let server = where_servers_run(async move {
            let registry = rooms.start().await.expect("the rooms start");
            let chat = Chat { registry, tokens: Tokens::default() };
            let endpoint = Endpoint::new(chat.registry.clone(), chat.tokens.clone());
            let serve = adapter.mount(endpoint.with_options(options));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let addr = listener.local_addr().expect("its address");
            let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, serve)));
            let host = Box::new(chat.clone());
            let server = Server { addr, mount: "/chat".to_owned(), host };
            Self { server, chat, _accepting: accepting }
        })
        .await;
        bound(Bounds::from(server.registry().config()));
        server
    }

    pub(crate) const fn registry(&self) -> &RoomRegistry {
        &self.chat.registry
    }

    /// A new user of whom the host knows more than a name.
    pub(crate) fn user_with(
        &self,
        label: &str,
        known: impl FnOnce(Identity) -> Identity,
    ) -> User<'_> {
        let name = unique(label);
        let credential = self.chat.tokens.issue(&name, known);
        User { server: &self.server, name, credential }
    }

    /// Makes a user's credentials void and tells nobody.
    pub(crate) fn revoke(&self, user: &User<'_>) {
        self.chat.tokens.revoke(&user.credential);
    }

    pub(crate) fn doorkeeper_is(&self, doorkeeper: Doorkeeper) {
        self.chat.tokens.set(doorkeeper);
    }

    /// Waits until the host has been asked so many times more whether somebody's credentials still hold.
    pub(crate) async fn doorkeeper_was_asked(&self, times: usize) {
        in_time("the host to be asked", self.chat.tokens.asked_again(times)).await;
    }
}

impl Deref for InProcess {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Adapter {
    /// The same host around the same endpoint, in either framework.
    fn mount(self, chat: Endpoint) -> Serve {
        let http = http1::Builder::new();
        match self {
            Self::Axum => {
                let lobby =
                    get(async |State(chat): State<Endpoint>, upgrade: axum_chat::Upgrade| {
                        upgrade.accept(&chat, doorman(), LOBBY).await
                    });
                let app: Router = Router::new()
                    .route("/lobby", lobby)
                    .with_state(chat.clone())
                    .nest("/chat", axum_chat::router(chat));
                let app = TowerToHyperService::new(app);
                Box::new(move |io, peer| {
                    let app = from(ConnectInfo(peer), app.clone());
                    tokio::spawn(http.serve_connection(io, app).with_upgrades());
                })
            }
            Self::Warp => {
                let at_lobby = chat.clone();
                let lobby = warp::path!("lobby").and(warp_chat::upgrade()).then(
                    move |upgrade: warp_chat::Upgrade| {
                        let chat = at_lobby.clone();
                        async move { upgrade.accept(&chat, doorman(), LOBBY).await }
                    },
                );
                let routes = warp::path("chat").and(warp_chat::routes(chat));
                let app = TowerToHyperService::new(warp::service(lobby.or(routes)));
                Box::new(move |io, peer| {
                    let app = from(PeerAddr(peer.ip()), app.clone());
                    tokio::spawn(http.serve_connection(io, app).with_upgrades());
                })
            }
        }
    }
}

/// The same service, for the requests of a connection from there.
fn from<S, B>(
    peer: impl Clone + Send + Sync + 'static,
    service: S,
) -> impl Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future = S::Future>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body,
{
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        service.call(request)
    })
}

impl Host for Chat {
    fn admit<'a>(&'a self, _: &'a Server, user: &'a str) -> LocalBoxFuture<'a, Header> {
        async move { self.tokens.issue(user, |identity| identity) }.boxed_local()
    }

    fn log_out<'a>(&'a self, _: &'a Server, credential: &'a Header) -> LocalBoxFuture<'a, ()> {
        async move {
            let user = self.tokens.revoke(credential);
            self.registry.end_sessions(&user, &CloseReason::LoggedOut);
        }
        .boxed_local()
    }

    fn shut_down(&self) -> LocalBoxFuture<'_, ()> {
        async move {
            let ending = self.registry.shutdown(Duration::from_secs(2));
            let report = in_time("the shutdown", ending).await;
            assert_eq!(report.unfinished_purges, 0);
            assert_eq!(self.registry.stats().rooms, 0, "nothing is left behind");
        }
        .boxed_local()
    }
}

async fn accept(listener: TcpListener, serve: Serve) {
    loop {
        let (connection, peer) = listener.accept().await.expect("a connection");
        // A client that has gone already refuses it.
        let _ = connection.set_nodelay(true);
        serve(TokioIo::new(connection), peer);
    }
}

/// A task that panics takes only itself along, so that a test would never learn of it.
fn watch_for_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() == Some(ON_PURPOSE) {
            return;
        }
        if thread::current().name() == Some(SERVER_THREAD) {
            PANICKED.store(true, Ordering::Relaxed);
        }
        before(info);
    }));
}

#[track_caller]
pub(super) fn assert_no_server_panicked() {
    assert!(!PANICKED.load(Ordering::Relaxed), "a server in this process panicked, see above");
}
