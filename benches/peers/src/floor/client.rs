//! One client of the floor.

use std::{
    io::{self, ErrorKind, Write},
    net::TcpStream,
};

/// More than this unread, and a client is let go.
const BACKLOG: usize = 64 << 20;

/// One socket.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) socket: TcpStream,
    /// Its room, once it has shaken hands.
    pub(super) seat: Option<Seat>,
    /// The beginning of a frame whose end has not come.
    pub(super) unread: Vec<u8>,
    /// What the socket did not take.
    pub(super) unsent: Vec<u8>,
    /// Whether epoll tells when it takes more.
    pub(super) is_awaited: bool,
}

/// Where a client sits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) room: usize,
    /// Its place in the room's list.
    pub(super) place: usize,
}

impl Client {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { socket, seat: None, unread: Vec::new(), unsent: Vec::new(), is_awaited: false }
    }

    /// Writes what the socket takes and keeps the rest; an error is its end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.unsent.is_empty() { send(&self.socket, bytes)? } else { 0 };
        self.unsent.extend_from_slice(&bytes[written..]);
        if self.unsent.len() > BACKLOG {
            return Err(ErrorKind::OutOfMemory.into());
        }
        Ok(())
    }

    pub(super) fn write_unsent(&mut self) -> io::Result<()> {
        let written = send(&self.socket, &self.unsent)?;
        self.unsent.drain(..written);
        Ok(())
    }
}

fn send(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
