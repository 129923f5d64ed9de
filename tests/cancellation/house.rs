//! A chat in which everything takes its time, so that there is something to be cancelled in, and who is there.

use std::{io, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response, request::Parts},
};
use chatrooms::{
    Config, Draft, Error, Identity, RoomName, RoomPolicy, RoomRegistry, Session, async_trait,
    oracle::{Bounds, Recorder, check},
    testing::{Call, Fault, FaultyStore, TestClient, user},
    ws::{Authenticator, ClientAddress, Endpoint, Options, PeerAddr, Refusal},
};
use futures_util::{FutureExt as _, future::join};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{DuplexStream, duplex},
    time::{Instant, sleep},
};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Who comes by all requests and sockets.
pub(crate) const GUEST: &str = "ada";
/// What takes its time takes so long.
const SLOW: Duration = Duration::from_millis(10);

/// A host that answers nothing at once.
#[derive(Debug)]
struct Unhurried;

#[async_trait]
impl Authenticator for Unhurried {
    async fn authenticate(&self, _: &Parts) -> Result<Identity, Refusal> {
        sleep(SLOW).await;
        Ok(Identity::new(user(GUEST)))
    }

    async fn still_valid(&self, _: &Identity) -> bool {
        sleep(SLOW).await;
        true
    }
}

#[async_trait]
impl RoomPolicy for Unhurried {
    async fn may_join(&self, _: &Identity, _: &RoomName) -> Result<(), Error> {
        sleep(SLOW).await;
        Ok(())
    }

    async fn before_publish(
        &self,
        _: &Identity,
        _: &RoomName,
        draft: Draft,
    ) -> Result<Draft, Error> {
        sleep(SLOW).await;
        Ok(draft)
    }

    async fn may_redact(&self, _: &Identity, _: &RoomName, _: u64) -> Result<(), Error> {
        sleep(SLOW).await;
        Ok(())
    }
}

/// One place for a user and one for an address, so that one that is not given back is missed.
pub(crate) struct House {
    pub(crate) registry: RoomRegistry,
    pub(crate) chat: Endpoint,
    pub(crate) run: Recorder,
    store: FaultyStore,
}

impl House {
    pub(crate) async fn new() -> Self {
        let store = FaultyStore::new();
        for call in [Call::Open, Call::Append, Call::Redact, Call::ReadBefore, Call::Close] {
            store.always(call, Fault::Slow(SLOW));
        }
        let mut config = Config::default();
        config.sessions_per_user = 1;
        let rooms = RoomRegistry::builder().store(store.clone()).config(config).policy(Unhurried);
        let registry = rooms.start().await.expect("the rooms start");
        let mut options = Options::default();
        (options.client_address, options.sessions_per_address) = (ClientAddress::Peer, 1);
        let chat = Endpoint::new(registry.clone(), Unhurried).with_options(options);
        let run = Recorder::bounded(Bounds::from(registry.config()));
        Self { registry, chat, run, store }
    }

    /// Somebody in the lobby who is told all that happens there.
    pub(crate) async fn witness(&self) -> TestClient {
        let witness = TestClient::new(&self.registry, "bob").recorded(&self.run);
        witness.join("lobby").await.expect("there is room");
        witness.told();
        witness
    }

    /// A session of the guest's.
    pub(crate) fn session(&self) -> Session {
        self.registry.open_session(Identity::new(user(GUEST))).expect("the place is free")
    }

    /// The same request, from the one address there is.
    pub(crate) fn addressed<B>(&self, mut request: Request<B>) -> Request<B> {
        request.extensions_mut().insert(PeerAddr([192, 0, 2, 1].into()));
        request
    }

    /// A client's handshake over a connection of HTTP, and what comes of it; a server that gives no answer ends the connection.
    pub(crate) async fn connect(
        &self,
        open: impl AsyncFn(Request<String>) -> Option<Response<()>>,
    ) -> Option<WebSocketStream<DuplexStream>> {
        let (ours, theirs) = duplex(1 << 16);
        let open = &open;
        let service = service_fn(move |request: Request<Incoming>| async move {
            let request = self.addressed(request.map(|_| String::new()));
            let answer = open(request).await.ok_or_else(|| io::Error::other("dropped"))?;
            Ok::<_, io::Error>(answer.map(|()| Body::empty()))
        });
        let serving = http1::Builder::new().serve_connection(TokioIo::new(ours), service);
        let shaking = client_async("ws://chat.example/ws?room=lobby", theirs);
        let (_, shaken) = join(serving.with_upgrades(), shaking).await;
        shaken.ok().map(|(socket, answer)| {
            assert_eq!(answer.status(), 101);
            socket
        })
    }

    /// What somebody in the lobby was told of is what its history holds.
    pub(crate) async fn is_stored_as_shown(&self, witness: &TestClient) {
        sleep(Duration::from_secs(1)).await;
        let told = witness.told();
        let shown = told.iter().filter(|line| line.contains("hello")).count();
        let page = witness.history("lobby", None, 9).await.expect("it is there");
        assert_eq!((shown, told.len() < 9), (page.messages.len(), true), "{told:?}");
        assert!(shown <= 1, "{told:?}");
    }

    /// Waits until a user has no session and no socket any more.
    pub(crate) async fn has_ended(&self, name: &str) {
        self.eventually(|| {
            let stats = self.registry.stats();
            let connections = self.registry.connections(&lobby(), &user(name)).now_or_never();
            stats.sessions == 1 && connections == Some(Ok(0))
        })
        .await;
        // The connection of a session holds its address while its end is waited for.
        sleep(Duration::from_secs(2)).await;
    }

    /// Waits until nothing is left, and has everything judged.
    pub(crate) async fn emptied(self) {
        self.eventually(|| {
            let stats = self.registry.stats();
            let open = self.store.open_lives().len();
            (stats.rooms, stats.sessions, stats.purges.pending, open) == (0, 0, 0, 0)
        })
        .await;
        check(&self.run.trace()).unwrap_or_else(|broken| panic!("{broken}"));
    }

    async fn eventually(&self, is_so: impl Fn() -> bool) {
        let limit = Instant::now() + Duration::from_secs(120);
        while !is_so() {
            assert!(Instant::now() < limit, "left behind: {:?}", self.registry.stats());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn lobby() -> RoomName {
    chatrooms::testing::room("lobby")
}
