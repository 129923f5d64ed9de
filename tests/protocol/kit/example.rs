//! A small example: it takes its address as its first argument, and guests are who they say they are.

use std::net::SocketAddr;

use super::process::Process;
use super::{Client, Request, encoded};

/// A running example; dropping it kills the process.
pub(crate) struct Example {
    pub(crate) addr: SocketAddr,
    process: Process,
}

impl Example {
    /// Starts one on a free port, with these variables in its environment.
    pub(crate) fn start(name: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Process::command(name);
        command.arg("127.0.0.1:0").envs(environment.iter().copied());
        let (process, addr) = Process::start(command);
        Self { addr, process }
    }

    /// The end of a line that begins like this, which it printed before it said where it listens.
    pub(crate) fn said(&self, beginning: &str) -> Option<&str> {
        self.process.said(beginning)
    }

    /// A request to one of its routes.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.addr, method, path)
    }

    /// A correct WebSocket upgrade; `query` starts with `?` or is empty.
    pub(crate) fn upgrade(&self, query: &str) -> Request {
        Request::upgrade(self.addr, &format!("/chat/ws{query}"))
    }

    /// The socket of a guest who is in this room.
    pub(crate) async fn guest(&self, user: &str, room: &str) -> Client {
        self.guest_with(user, room, "").await
    }

    /// The same, with more in the query, which starts with `&`.
    pub(crate) async fn guest_with(&self, user: &str, room: &str, more: &str) -> Client {
        let query = format!("?user={}&room={}{more}", encoded(user), encoded(room));
        let opened = Client::open(self.upgrade(&query)).await;
        let mut client = opened.unwrap_or_else(|refusal| panic!("{user}: {refusal:?}"));
        client.expect_in("joined", room).await;
        client
    }

    /// Asks it to end as an operator does, and waits until it has ended well.
    pub(crate) async fn shut_down(&self) {
        self.process.shut_down().await;
    }
}
