//! One connection to the server.

use std::{
    io::{self, ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream},
    time::Duration,
};

use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

/// One slot, whose connection may come and go.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Option<TcpStream>,
    pub(super) state: State,
    /// Which of the profile's steps is next.
    pub(super) step: usize,
    pub(super) room: usize,
    pub(super) user: usize,
    /// The beginning of a frame whose end has not come.
    pub(super) unread: Vec<u8>,
    /// What the socket did not take.
    pub(super) unsent: Vec<u8>,
    /// Whether epoll tells when it takes more.
    pub(super) is_awaited: bool,
    /// When it began to connect.
    pub(super) began: u64,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Connecting,
    Shaking,
    Joining,
    Open,
    Leaving,
}

impl Connection {
    pub(super) fn new(room: usize, user: usize) -> Self {
        Self {
            socket: None,
            state: State::Free,
            step: 0,
            room,
            user,
            unread: Vec::new(),
            unsent: Vec::new(),
            is_awaited: false,
            began: 0,
        }
    }

    /// Begins to connect from one of this machine's addresses, as each has only so many ports.
    pub(super) fn begin(
        &mut self,
        server: SocketAddrV4,
        source: Ipv4Addr,
        now: u64,
    ) -> io::Result<&TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::from((source, 0)).into())?;
        match socket.connect(&server.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        *self = Self { state: State::Connecting, began: now, ..Self::new(self.room, self.user) };
        self.is_awaited = true;
        Ok(self.socket.insert(socket.into()))
    }

    /// Writes what the socket takes and keeps the rest. Errors are left to reading, which meets them too.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let written = if self.unsent.is_empty() { self.write(bytes) } else { 0 };
        self.unsent.extend_from_slice(&bytes[written..]);
    }

    pub(super) fn send_unsent(&mut self) {
        let written = self.write(&self.unsent);
        self.unsent.drain(..written);
    }

    fn write(&self, bytes: &[u8]) -> usize {
        self.socket.as_ref().and_then(|mut socket| socket.write(bytes).ok()).unwrap_or(0)
    }

    /// Closes it; `at once` leaves no port waiting behind. Returns where it stood.
    pub(super) fn end(&mut self, at_once: bool) -> State {
        if let Some(socket) = self.socket.take().filter(|_| at_once) {
            // Where it fails, a port waits.
            let _ = Socket::from(socket).set_linger(Some(Duration::ZERO));
        }
        std::mem::replace(&mut self.state, State::Free)
    }
}

/// Whether a read just had nothing to read.
pub(super) fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
