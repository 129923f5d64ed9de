//! Mounts [chatrooms](chatrooms_ws) into a warp application (`warp::serve` needs warp's feature `server`).
//!
//! ```no_run
//! use chatrooms_core::{Identity, RoomRegistry, UserName};
//! use chatrooms_ws::{Endpoint, Refusal};
//! use warp::Filter;
//!
//! /// The host's own way to know its users: here a header that its proxy sets.
//! fn who(request: &warp::http::request::Parts) -> Result<Identity, Refusal> {
//!     let user = request.headers.get("x-user").and_then(|value| value.to_str().ok());
//!     let user = user.and_then(|user| UserName::new(user).ok()).ok_or(Refusal::Unauthorized)?;
//!     Ok(Identity::new(user))
//! }
//!
//! # #[tokio::main]
//! # async fn main() {
//! let chat = Endpoint::new(RoomRegistry::new(), who);
//! let app = warp::path("chat").and(chatrooms_warp::routes(chat));
//! warp::serve(app).run(([127, 0, 0, 1], 5000)).await;
//! # }
//! ```
//!
//! warp does not set `TCP_NODELAY` on the connections that it accepts, so that the kernel may hold small frames back. A service that
//! cares for every millisecond sets it on its own listener (`tokio::net::TcpSocket::set_nodelay`), from which connections inherit it on Linux, and hands
//! that to `warp::serve(..).incoming(..)`. So does the example `minimal_warp`.
//! When the service stops, call [`RoomRegistry::shutdown`](chatrooms_core::RoomRegistry::shutdown): warp does not wait for sockets.
#![forbid(unsafe_code)]

use std::{convert::Infallible, net::SocketAddr};

use bytes::{Buf, Bytes};
use chatrooms_core::Identity;
use chatrooms_ws::{Answer, Endpoint, PeerAddr};
use futures_util::{Stream, TryStreamExt as _};
use http::{HeaderMap, Method, Request, Uri, request::Parts};
use http_body::Frame;
use http_body_util::{Empty, StreamBody};
use hyper::upgrade::OnUpgrade;
use warp::{
    Filter, Rejection,
    filters::path::{FullPath, Tail},
    reply::Response,
};

/// All routes of the protocol, to be mounted wherever the host wants them: behind `warp::path("chat")`, for instance.
///
/// The socket is at `<mount>/ws`; see [`Endpoint`] for the others, and [`Options`](chatrooms_ws::Options) for how to switch them off.
/// A limit of [sessions](chatrooms_ws::Options::sessions_per_address) or [requests](chatrooms_ws::Options::http_per_second_per_address) per address knows the address of a connection from warp's own server; whoever serves these routes by
/// another one puts a [`PeerAddr`] into the request's extensions.
///
/// Every path below the mount is answered, if only by 404: what the host has there itself comes before this with `or`.
pub fn routes(
    endpoint: Endpoint,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
    warp::path::tail().and(head()).and(warp::body::stream()).then(move |tail: Tail, head, body| {
        let endpoint = endpoint.clone();
        async move {
            let request = Request::from_parts(head, StreamBody::new(frames(body)));
            reply(endpoint.handle(tail.as_str(), request).await)
        }
    })
}

/// A request to open a socket, for a filter of the host's own that has found out by itself who it is.
///
/// ```
/// use chatrooms_core::{Identity, UserName};
/// use chatrooms_ws::Endpoint;
/// use warp::{Filter, Rejection, reply::Response};
///
/// fn lobby(chat: Endpoint) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
///     warp::path("lobby").and(chatrooms_warp::upgrade()).then(move |upgrade: chatrooms_warp::Upgrade| {
///         let chat = chat.clone();
///         async move {
///             let guest = Identity::new(UserName::new("guest").expect("a good name"));
///             upgrade.accept(&chat, guest, ["lobby"]).await
///         }
///     })
/// }
/// ```
pub fn upgrade()
-> impl Filter<Extract = (Upgrade,), Error = Infallible> + Clone + Send + Sync + 'static {
    head().map(Upgrade)
}

/// See [`upgrade`].
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
        reply(endpoint.accept(self.0, identity, rooms).await)
    }
}

/// The head of the request, as warp gives it away in parts.
fn head() -> impl Filter<Extract = (Parts,), Error = Infallible> + Clone + Send + Sync + 'static {
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional())
        .and(peer())
        .map(parts)
}

/// Where the connection comes from, as the host says or as warp's own server knows.
fn peer() -> impl Filter<Extract = (Option<PeerAddr>,), Error = Infallible> + Copy {
    warp::ext::optional().and(warp::addr::remote()).map(
        |told: Option<PeerAddr>, seen: Option<SocketAddr>| {
            told.or_else(|| seen.map(|seen| PeerAddr(seen.ip())))
        },
    )
}

fn parts(
    method: Method,
    path: FullPath,
    query: Option<String>,
    headers: HeaderMap,
    upgrade: Option<OnUpgrade>,
    peer: Option<PeerAddr>,
) -> Parts {
    let (mut parts, _) = Request::new(Empty::<Bytes>::new()).into_parts();
    let target = query
        .map_or_else(|| path.as_str().to_owned(), |query| format!("{}?{query}", path.as_str()));
    // What was taken from a URI makes one again.
    parts.uri = Uri::try_from(target).unwrap_or_default();
    parts.method = method;
    parts.headers = headers;
    if let Some(upgrade) = upgrade {
        parts.extensions.insert(upgrade);
    }
    if let Some(peer) = peer {
        parts.extensions.insert(peer);
    }
    parts
}

fn frames(
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> impl Stream<Item = Result<Frame<Bytes>, warp::Error>> {
    body.map_ok(|mut part| Frame::data(part.copy_to_bytes(part.remaining())))
}

fn reply(answer: Answer) -> Response {
    answer.map(Into::into)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
