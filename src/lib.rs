//! Chat rooms for your own service: who is there, what is said in which order, and that it is gone when everybody has gone.
//!
//! ```
//! use chatrooms::{
//!     Draft, Error, EventKind, Identity, Join, Post, RoomName, RoomPolicy, RoomRegistry,
//!     UserName, async_trait,
//! };
//!
//! /// The host's rules: who may come in, and what may be said.
//! #[derive(Debug)]
//! struct House;
//!
//! #[async_trait]
//! impl RoomPolicy for House {
//!     async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
//!         match room.as_str() {
//!             "staff" if who.user().as_str() != "ada" => Err(Error::Forbidden),
//!             _ => Ok(()),
//!         }
//!     }
//!
//!     async fn before_publish(
//!         &self, _: &Identity, _: &RoomName, draft: Draft,
//!     ) -> Result<Draft, Error> {
//!         Ok(Draft { body: draft.body.replace("darn", "****").into(), ..draft })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rooms = RoomRegistry::builder().policy(House).start().await?;
//! let (lobby, staff) = (RoomName::new("lobby")?, RoomName::new("staff")?);
//! let ada = rooms.open_session(Identity::new(UserName::new("ada")?))?;
//! let mut bob = rooms.open_session(Identity::new(UserName::new("bob")?))?;
//!
//! // Join: who is there, what was said, and all that happens from here on, without a gap.
//! ada.join(&lobby, Join::default()).await?;
//! let joined = bob.join(&lobby, Join::default()).await?;
//! assert_eq!((joined.members.len(), joined.seq), (2, 0));
//! assert_eq!(bob.join(&staff, Join::default()).await.unwrap_err(), Error::Forbidden);
//!
//! // Publish: when it returns, the message is stored and has its place.
//! let sent = ada.publish(&lobby, Post::new("hello, darn it")).await?;
//! assert_eq!(sent.seq, 1);
//! bob.next().await; // his own join
//! let told = bob.next().await.expect("the session is open");
//! let EventKind::Message(message) = told.kind() else { panic!("a message comes next") };
//! assert_eq!(&*message.draft.body, "hello, **** it");
//!
//! // Kick: bob is told why, and his session goes on.
//! rooms.moderation(&lobby).kick(bob.identity().user(), Some("mind your words")).await?;
//! assert_eq!(rooms.members(&lobby, None).await?.members.len(), 1);
//!
//! // The last one who goes ends the room, and its messages go with it.
//! drop(ada);
//! assert_eq!(rooms.stats().rooms, 0);
//! # Ok(())
//! # }
//! ```
//!
//! A session behind a WebSocket does the same over the [wire](guide::protocol). An [`Endpoint`](ws::Endpoint) serves it, with the host's own
//! answer to who sends a request, and goes into the host's router, with the feature of its framework:
//!
//! ```
//! use chatrooms::{RoomRegistry, ws::{Endpoint, Refusal, credentials}};
//!
//! // Everybody is who they say they are: ?user=ada. A real one looks up a cookie or a token.
//! let who = |request: &axum::http::request::Parts| {
//!     let user = credentials::query(request, "user").ok_or(Refusal::Unauthorized)?;
//!     user.parse().map(chatrooms::Identity::new).map_err(|_| Refusal::Unauthorized)
//! };
//! let registry = RoomRegistry::new();
//! let chat = Endpoint::new(registry.clone(), who);
//! # let in_warp = chat.clone();
//! let app: axum::Router = axum::Router::new().nest("/chat", chatrooms::axum::router(chat));
//! // in warp: warp::path("chat").and(chatrooms::warp::routes(chat))
//! # use warp::Filter as _;
//! # let _ = warp::path("chat").and(chatrooms::warp::routes(in_warp));
//! ```
//!
//! # The guide
//!
//! From `cargo add` to production, every example compiled: [quick start](guide::quick_start), [your users](guide::users),
//! [rooms from the server](guide::rooms), [policies](guide::policies), [typed events](guide::typed_events), [stores](guide::stores),
//! [pages](guide::pages), [proxies and TLS](guide::proxies), [cookies](guide::cookies), [limits](guide::limits), [production](guide::production), [observability](guide::observability), [testing](guide::testing). For clients in other languages: [the wire](guide::protocol).
//!
//! # Where to find what
//!
//! - [`RoomRegistry`]: all rooms and sessions, and everything that a host does to them: list, announce, notify, watch, kick, ban, mute, close,
//!   log out, shut down. [`Config`] has every bound.
//! - [`Session`]: one client, with a socket behind it or not. Dropping it leaves its rooms.
//! - [`RoomPolicy`]: the host's rules. [`Identity`]: who somebody is, from the host's own [`Authenticator`](ws::Authenticator).
//! - [`MessageStore`]: where messages are kept. [`MemoryStore`] is the default, [`SqliteStore`](sqlite::SqliteStore) comes with a feature.
//! - [`Cluster`]: what several nodes share, so that a room is the same one on all of them; [`RedisCluster`](redis::RedisCluster) comes with a feature.
//! - [`ws`]: the endpoint with its [`Options`](ws::Options), under [`axum`] or [`warp`].
//!
//! # Features
//!
//! None is on by default: rooms in memory, without a socket.
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `axum` | [`chatrooms::axum`](axum): a router to nest, and a socket in a handler of one's own; [`chatrooms::ws`](ws) underneath |
//! | `warp` | [`chatrooms::warp`](warp): the same as filters; [`chatrooms::ws`](ws) underneath |
//! | `sqlite` | [`chatrooms::sqlite`](sqlite): messages in an SQLite file |
//! | `redis`, `redis-tls` | [`chatrooms::redis`](redis): [the same rooms on many nodes](guide::scaling), over Redis or Valkey, and that over TLS |
//! | `json` | [`AppEvent`]: events of an application's own, typed on this side and JSON on the wire |
//! | `metrics` | what happens is [counted](guide::observability), for the recorder of the crate `metrics` that the host installs, such as a Prometheus page |
//! | `testing` | [`chatrooms::testing`](testing): clients without a socket and a store that goes wrong on command, for a host's own tests; brings `oracle` |
//! | `oracle` | [`chatrooms::oracle`](oracle): one function that judges what everybody did and saw, for those who test a store, an adapter, a client or a service; with a framework also [`ws::Transcript`], which reads frames |
//! | `conformance` | [`chatrooms::conformance`](conformance): the suite that every [`MessageStore`] must pass, for those who write one |
//!
//! # What is not here
//!
//! - Accounts, passwords, cookies, roles: the host has them, and the library asks.
//! - An archive. A room lives while somebody is connected to it, or [lingers](Config::linger) for a while; what has to last longer the host keeps
//!   itself, from a [`Watch`] or from its policy.
//! - Several processes without something that they share. With [`redis`] a room is the same one on all nodes; without it a second process has rooms of its own.
//! - Direct messages, threads, reactions, attachments as such. They are rooms and [data](Post::data) of the host's own making.
//! - TLS and listeners: the host's server or the proxy before it has them.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links to what a feature brings are whole with all features.
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "conformance",
        feature = "json",
        feature = "oracle",
        feature = "redis",
        feature = "sqlite",
        feature = "testing",
        feature = "warp"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

pub use chatrooms_core::*;

#[cfg(feature = "axum")]
pub use chatrooms_axum as axum;
#[cfg(feature = "redis")]
pub use chatrooms_redis as redis;
#[cfg(feature = "sqlite")]
pub use chatrooms_sqlite as sqlite;
#[cfg(feature = "warp")]
pub use chatrooms_warp as warp;
#[cfg(any(feature = "axum", feature = "warp"))]
pub use chatrooms_ws as ws;

#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(test)]
mod guide_tests;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
