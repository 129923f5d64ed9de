//! One endpoint for all adapters: a request comes in, an answer goes out, whatever the framework.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use chatrooms_core::{Error, Identity, RoomRegistry, UserName};
use http::{Request, request::Parts};
use http_body::Body;

use crate::{
    Answer, Authenticator, Options, Origins, Refusal,
    address::{Addresses, Place},
    answer::Problem,
    asking::{Unanswered, ask},
    metrics::Metrics,
    rates::Rates,
};

/// The chat of a service, ready to be mounted. Cloning is cheap.
///
/// Adapters hand it requests with the part of the path below the mount; it does all the rest.
#[derive(Clone)]
pub struct Endpoint {
    registry: RoomRegistry,
    authenticator: Arc<dyn Authenticator>,
    options: Arc<Options>,
    metrics: Arc<Metrics>,
    addresses: Addresses,
    rates: Arc<Rates>,
}

impl Endpoint {
    /// The chat of this registry, for those whom the authenticator lets in.
    pub fn new(registry: RoomRegistry, authenticator: impl Authenticator) -> Self {
        let options = Options::default();
        let endpoint = Self {
            registry,
            authenticator: Arc::new(authenticator),
            rates: Arc::new(Rates::new(&options)),
            options: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            addresses: Addresses::default(),
        };
        endpoint.with_options(options)
    }

    /// With other times and bounds of its sockets, other origins or fewer routes.
    #[must_use]
    pub fn with_options(mut self, mut options: Options) -> Self {
        options.fit(self.registry.config());
        self.rates = Arc::new(Rates::new(&options));
        self.options = Arc::new(options);
        self
    }

    /// With other origins.
    #[must_use]
    pub fn with_origins(self, origins: Origins) -> Self {
        let options = Options { origins, ..(*self.options).clone() };
        self.with_options(options)
    }

    /// The rooms.
    #[must_use]
    pub const fn registry(&self) -> &RoomRegistry {
        &self.registry
    }

    /// The times and bounds in force.
    #[must_use]
    pub const fn options(&self) -> &Arc<Options> {
        &self.options
    }

    /// Answers a request. `path` is the part below the mount, still percent-encoded, with or without a leading slash.
    ///
    /// # Cancel safety
    /// Dropped, an upgrade has not happened, and a posted message may or may not have been sent; it is never half sent.
    pub async fn handle<B>(&self, path: &str, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let path = path.trim_start_matches('/');
        if path == "ws" {
            return self.handshake(self.upgrade(parts).await);
        }
        self.route(path, parts, body).await.unwrap_or_else(|problem| {
            self.registry.count_refusal(problem.code());
            problem.answer()
        })
    }

    /// Opens a socket for somebody whom the host has authenticated itself, and joins these rooms first. A request that is no
    /// handshake, or comes from a foreign page, is answered accordingly. The authenticator is not asked, now or later: the host, whose word this
    /// is, ends the sessions of those who log out by [`RoomRegistry::end_sessions_where`], and says by [`Identity::expires_at`] how long it holds.
    ///
    /// # Cancel safety
    /// Dropped, the upgrade has not happened.
    pub async fn accept(&self, request: Parts, identity: Identity, rooms: Vec<String>) -> Answer {
        self.handshake(self.upgrade_as(request, identity, rooms))
    }

    /// Answers a handshake, whatever has come of it.
    fn handshake(&self, outcome: Result<Answer, Problem>) -> Answer {
        let answer = outcome.unwrap_or_else(|problem| {
            // Neither who asked nor with what: a request that is refused may hold anything.
            tracing::debug!(
                name: "handshake_refused",
                target: "chatrooms_ws",
                status = problem.status().as_u16(),
                code = ?problem.code(),
                "a handshake was refused"
            );
            self.registry.count_refusal(problem.code());
            problem.answer()
        });
        self.metrics.handshake(answer.status());
        answer
    }

    /// Takes a place for a session from where the request comes, where that can be told.
    pub(crate) fn place(&self, parts: &Parts) -> Result<Option<Box<Place>>, Error> {
        let address = self.options.client_address.of(parts);
        let most = self.options.sessions_per_address;
        // Boxed because it lies in the task of every session, and most hosts know no addresses.
        address.map(|address| self.addresses.enter(address, most).map(Box::new)).transpose()
    }

    /// Whether there would be a place right now.
    pub(crate) fn has_place(&self, parts: &Parts) -> bool {
        let address = self.options.client_address.of(parts);
        address.is_none_or(|address| {
            self.addresses.has_place(address, self.options.sessions_per_address)
        })
    }

    /// Counts a request towards what may come from its address, where that can be told: before anything else is done for it, as a proxy would.
    pub(crate) fn count_address(&self, parts: &Parts) -> Result<(), Error> {
        let address = self.options.client_address.of(parts);
        address.map_or(Ok(()), |address| self.rates.address(address, &self.metrics))
    }

    /// Counts a request towards what a user may ask.
    pub(crate) fn count_user(&self, user: &UserName) -> Result<(), Error> {
        self.rates.user(user, &self.metrics)
    }

    /// Who sends this request, as the authenticator says. Whoever is refused counts towards nobody's allowance.
    pub(crate) async fn authenticate(&self, parts: &Parts) -> Result<Identity, Problem> {
        let asked = async { self.authenticator.authenticate(parts).await };
        let limit = self.options.authenticator_time;
        let identity = ask("authenticate", limit, &self.metrics, asked).await??;
        self.count_user(identity.user())?;
        Ok(identity)
    }

    /// Refuses whose credentials hold no longer.
    pub(crate) async fn confirm(&self, identity: &Identity) -> Result<(), Problem> {
        if self.still_valid(identity).await? { Ok(()) } else { Err(Refusal::Unauthorized.into()) }
    }

    pub(crate) async fn still_valid(&self, identity: &Identity) -> Result<bool, Unanswered> {
        let asked = async { self.authenticator.still_valid(identity).await };
        ask("still_valid", self.options.authenticator_time, &self.metrics, asked).await
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("registry", &self.registry).finish_non_exhaustive()
    }
}
