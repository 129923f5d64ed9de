//! The chatrooms wire protocol, version 1, over WebSocket and HTTP, for any web framework on hyper.
//!
//! Adapters such as `chatrooms-axum` hand requests to an [`Endpoint`]; it does all the rest. For a framework without an adapter, that is
//! all there is to do:
//!
//! ```
//! use bytes::Bytes;
//! use chatrooms_ws::{Answer, Endpoint};
//! use http_body_util::Full;
//!
//! /// `path` is the part below the mount. The request carries hyper's `OnUpgrade` in its extensions.
//! async fn chat(endpoint: &Endpoint, path: &str, request: http::Request<Full<Bytes>>) -> Answer {
//!     endpoint.handle(path, request).await
//! }
//! ```
//!
//! # What it serves
//!
//! | below the mount | what it is |
//! | --- | --- |
//! | `GET ws` | the WebSocket; `?room=NAME`, repeatable, joins during the handshake |
//! | `GET session` | who the caller is, or the status that a handshake would get |
//! | `GET rooms`, `GET rooms/{room}` | where somebody is, and who |
//! | `GET rooms/{room}/messages` | what has been said |
//! | `POST rooms/{room}/messages` | says something without a socket |
//! | `GET chatrooms.js`, `chatrooms.d.ts` | the client module for pages, and its types |
//!
//! Each can be switched off in [`Options`].
//!
//! # Who may
//!
//! An [`Authenticator`] says who sends a request; frames never do. It finds a cookie, a bearer token, a parameter of the query or a token among the
//! subprotocols by [`credentials`], where it stands what each of these costs. [`Origins`] says from which pages browsers may come: from those of
//! the same host, unless told otherwise; whoever goes by cookies leaves it so.
//!
//! Credentials end in three ways, and sockets with them: when [`Identity::expires_at`](chatrooms_core::Identity::expires_at) says so; when the host ends
//! the sessions of a user, or of one device of theirs ([`RoomRegistry::end_sessions_where`](chatrooms_core::RoomRegistry::end_sessions_where)); and
//! within [`Options::recheck`] when [`Authenticator::still_valid`] no longer holds, for whatever ended elsewhere.
//!
//! # What is not here
//!
//! Rooms and their rules are in `chatrooms-core`; TLS, log-in and listeners are the host's. Frames are not compressed.
#![forbid(unsafe_code)]

mod abuse;
mod address;
mod answer;
mod asking;
mod authenticator;
mod batch;
mod client;
mod connection;
pub mod credentials;
mod endpoint;
mod farewell;
mod first;
mod frames;
mod framing;
mod gathering;
mod halves;
mod heartbeat;
mod incoming;
mod jitter;
mod json;
mod lanes;
#[doc(hidden)]
pub mod measured;
mod metered;
mod metrics;
mod object;
mod options;
mod origin;
mod outgoing;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;
mod rates;
mod read_ahead;
mod request;
mod response;
mod revocation;
mod routes;
mod shortcut;
mod socket;
#[cfg(feature = "oracle")]
mod transcript;
mod upgrade;

pub use address::{ClientAddress, PeerAddr};
pub use answer::Answer;
pub use authenticator::{Authenticator, Refusal};
pub use endpoint::Endpoint;
pub use ipnet::IpNet;
pub use options::Options;
pub use origin::Origins;
pub use socket::serve;
#[cfg(feature = "oracle")]
pub use transcript::Transcript;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
