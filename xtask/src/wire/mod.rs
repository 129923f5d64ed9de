//! What both sides of the siege speak: HTTP and WebSocket, byte by byte, so that every byte can be a wrong one.

mod frame;
mod http;
mod link;
mod socket;
mod user;

use std::{error::Error, fmt, io, net::SocketAddr};

pub(crate) use frame::{CLOSE, CONTINUATION, FIN, PING, PONG, TEXT, frame, text};
pub(crate) use http::{Answer, Request};
pub(crate) use link::{Link, SLACK};
pub(crate) use socket::Socket;
pub(crate) use user::User;

/// Where the server is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target(pub(crate) SocketAddr);

/// What came instead of what is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong(pub(crate) String);

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
