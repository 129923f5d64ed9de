//! A server under test, whatever framework or process is behind it.

use std::net::SocketAddr;

use futures_util::future::LocalBoxFuture;

use super::{Request, User, unique};

/// A header as it stands in a request.
pub(crate) type Header = (String, String);

/// A running server: where it listens, where the library is mounted, and how its users come and go.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) mount: String,
    pub(crate) host: Box<dyn Host>,
}

/// What differs between the applications which the same scenarios run against.
pub(crate) trait Host: Send + Sync {
    /// Lets a user in: the header that carries their identity from now on.
    fn admit<'a>(&'a self, server: &'a Server, user: &'a str) -> LocalBoxFuture<'a, Header>;

    /// Logs the bearer of this credential out everywhere; done when all their connections have ended.
    fn log_out<'a>(&'a self, server: &'a Server, credential: &'a Header) -> LocalBoxFuture<'a, ()>;

    /// Shuts the server down gracefully; done when it has ended. Only for a server of one's own.
    fn shut_down(&self) -> LocalBoxFuture<'_, ()>;
}

impl Server {
    /// A new user with a name of their own.
    pub(crate) async fn user(&self, label: &str) -> User<'_> {
        self.user_named(&unique(label)).await
    }

    /// A user with exactly this name.
    pub(crate) async fn user_named(&self, name: &str) -> User<'_> {
        let credential = self.host.admit(self, name).await;
        User { server: self, name: name.to_owned(), credential }
    }

    /// A request for a path beneath the mount, without any credential.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        self.request_outside(method, &format!("{}{path}", self.mount))
    }

    /// A request for a path of the host application's own.
    pub(crate) fn request_outside(&self, method: &str, path: &str) -> Request {
        Request::new(self.addr, method, path)
    }

    /// A correct WebSocket upgrade without any credential; `query` starts with `?` or is empty.
    pub(crate) fn upgrade(&self, query: &str) -> Request {
        self.upgrade_at(&format!("{}/ws{query}", self.mount))
    }

    /// The same at a path of the host application's own.
    pub(crate) fn upgrade_at(&self, path: &str) -> Request {
        Request::upgrade(self.addr, path)
    }
}
