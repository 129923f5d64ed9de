//! Mounts [chatrooms](chatrooms_ws) into an axum application.
//!
//! ```no_run
//! use axum::Router;
//! use chatrooms_axum::router;
//! use chatrooms_core::{Identity, RoomRegistry, UserName};
//! use chatrooms_ws::{Endpoint, Refusal};
//!
//! /// The host's own way to know its users: here a header that its proxy sets.
//! fn who(request: &axum::http::request::Parts) -> Result<Identity, Refusal> {
//!     let user = request.headers.get("x-user").and_then(|value| value.to_str().ok());
//!     let user = user.and_then(|user| UserName::new(user).ok()).ok_or(Refusal::Unauthorized)?;
//!     Ok(Identity::new(user))
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> std::io::Result<()> {
//! let chat = Endpoint::new(RoomRegistry::new(), who);
//! let app: Router = Router::new().nest("/chat", router(chat));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! Set `TCP_NODELAY` on the listener that is yours (`axum::serve::ListenerExt::tap_io`): without it the kernel may hold small frames back.
//! Behind axum's own graceful shutdown, call [`RoomRegistry::shutdown`](chatrooms_core::RoomRegistry::shutdown): axum does not wait for sockets.
#![forbid(unsafe_code)]

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, FromRequestParts, Request},
    response::Response,
};
use chatrooms_core::Identity;
use chatrooms_ws::{Endpoint, PeerAddr};
use http::{Extensions, request::Parts};

/// All routes of the protocol, to be nested wherever the host wants them.
///
/// The socket is at `<mount>/ws`; see [`Endpoint`] for the others, and [`Options`](chatrooms_ws::Options) for how to switch them off.
/// A limit of [sessions](chatrooms_ws::Options::sessions_per_address) or [requests](chatrooms_ws::Options::http_per_second_per_address) per address needs axum to tell the connection's address, by
/// [`Router::into_make_service_with_connect_info`] with `SocketAddr`, or a [`PeerAddr`] in the request's extensions.
///
/// Every path below the mount is answered, if only by 404. The mount with a slash and nothing after it, `/chat/`, is below it for
/// [`Router::nest_service`] alone: for [`Router::nest`] it is a path of the host's.
pub fn router<S>(endpoint: Endpoint) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().fallback(move |mut request: Request| {
        let endpoint = endpoint.clone();
        note_peer(request.extensions_mut());
        async move {
            let path = request.uri().path().to_owned();
            endpoint.handle(&path, request).await.map(Body::from)
        }
    })
}

/// A request to open a socket, for a handler of the host's own that has found out by itself who it is.
///
/// ```
/// use axum::{extract::State, response::Response};
/// use chatrooms_axum::Upgrade;
/// use chatrooms_core::{Identity, UserName};
/// use chatrooms_ws::Endpoint;
///
/// async fn lobby(State(chat): State<Endpoint>, upgrade: Upgrade) -> Response {
///     let guest = Identity::new(UserName::new("guest").expect("a good name"));
///     upgrade.accept(&chat, guest, ["lobby"]).await
/// }
/// ```
#[derive(Debug)]
pub struct Upgrade(Parts);

impl Upgrade {
    /// Opens the socket and joins these rooms first, whatever the query says.
    ///
    /// # Cancel safety
    /// Dropped, the socket has not been opened.
    pub async fn accept<R: Into<String>>(
        self,
        endpoint: &Endpoint,
        identity: Identity,
        rooms: impl IntoIterator<Item = R>,
    ) -> Response {
        let rooms = rooms.into_iter().map(Into::into).collect();
        endpoint.accept(self.0, identity, rooms).await.map(Body::from)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut parts = parts.clone();
        note_peer(&mut parts.extensions);
        Ok(Self(parts))
    }
}

/// Where the connection comes from, where axum has been asked to tell it.
fn note_peer(extensions: &mut Extensions) {
    if let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>() {
        let peer = PeerAddr(peer.ip());
        extensions.get_or_insert(peer);
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
