//! What both sides of the siege speak: HTTP and WebSocket, byte by byte, so that every byte can be a wrong one.

mod frame;
mod http;
mod link;
mod socket;
mod user;

use std::{error::Error, fmt, io, net::SocketAddr};

pub(super) use frame::{CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, frame, text};
pub(super) use http::{Answer, Request};
pub(super) use link::{Link, SLACK};
pub(super) use socket::Socket;
pub(super) use user::User;

/// Where the server is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target(pub(super) SocketAddr);

/// What came instead of what is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Wrong {}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}
