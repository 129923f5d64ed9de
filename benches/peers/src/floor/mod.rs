//! The floor: one thread, epoll, and as little as a WebSocket broadcast can do. A room is the path of a request, looked up once, at the
//! handshake.

mod client;
mod server;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use clap::{Parser, ValueEnum};

use crate::open_files;

/// The least that a broadcast can cost.
#[derive(Debug, Parser)]
#[command(name = "floor")]
struct Options {
    /// What is written at once.
    mode: Mode,
    /// Where to listen, on 127.0.0.1.
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Every frame to each member with a write of its own.
    Plain,
    /// The frames that came in one round of epoll, joined into one write for each member.
    Batch,
}

/// Serves until it is killed.
///
/// # Errors
///
/// Where the port is taken, or epoll fails.
pub fn main() -> io::Result<()> {
    let options = Options::parse();
    open_files::raise();
    let listener = listen(options.port)?;
    server::Server::new(listener, options.mode == Mode::Batch)?.run()
}

/// With a long backlog: a load generator connects faster than one thread accepts.
fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(4096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
