//! One connection, from the handshake into its room.

use std::{io, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, Utf8Bytes},
};

use crate::{failure::Failure, files, options::Options, target::Target};

/// A socket that is in a room.
#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<TcpStream>);

/// What the server says, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: Option<u64>,
    pub(crate) body: Option<String>,
    /// A number in `bye`, a word in `error` and `removed`.
    #[serde(default)]
    code: Value,
    reason: Option<String>,
    message: Option<String>,
    pub(crate) retry_after_ms: Option<u64>,
}

impl Frame {
    pub(crate) fn code(&self) -> String {
        self.code.as_str().map_or_else(|| self.code.to_string(), str::to_owned)
    }
}

impl Socket {
    /// Connects as the user with this number and waits until the room has let them in.
    pub(crate) async fn join(
        options: &Options,
        target: &Target,
        number: usize,
    ) -> Result<Self, Failure> {
        let request = target.request(options, number, &options.room_of(number))?;
        let connection = connect(options, target, number).await;
        let connection = connection.map_err(|error| network(options, target, error))?;
        // A small frame must not wait for the next one.
        let _ = connection.set_nodelay(true);
        let (stream, _) = client_async(request, connection).await?;
        let mut socket = Self(stream);
        let first = socket.frame().await?;
        if first.kind != "hello" {
            return Err(Failure::Foreign(format!("its first frame is {:?}", first.kind)));
        }
        loop {
            let frame = socket.frame().await?;
            match frame.kind.as_str() {
                "joined" => return Ok(socket),
                "error" => {
                    let (code, message) = (frame.code(), frame.message.unwrap_or_default());
                    return Err(Failure::Room { code, message });
                }
                _ => {}
            }
        }
    }

    /// The next frame.
    ///
    /// # Cancel safety
    ///
    /// Safe: what has come stays in the socket.
    pub(crate) async fn frame(&mut self) -> Result<Frame, Failure> {
        loop {
            match self.0.next().await {
                None => return Err(Failure::Lost("it was closed".into())),
                Some(Ok(Message::Text(text))) => return parsed(&text),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(Failure::Other(format!("closed: {} {}", close.code, close.reason)));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    pub(crate) async fn say(&mut self, frame: &Value) -> Result<(), Failure> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    pub(crate) async fn close(mut self) {
        // A server that has gone has closed too.
        let _ = self.0.close(None).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

fn parsed(text: &Utf8Bytes) -> Result<Frame, Failure> {
    let frame: Frame = serde_json::from_str(text)
        .map_err(|_| Failure::Foreign("its frames are not those of version 1".into()))?;
    match frame.kind.as_str() {
        "bye" | "removed" => {
            let reason = frame.reason.as_deref().unwrap_or_default();
            Err(Failure::Other(format!("{}: {} {reason}", frame.kind, frame.code())))
        }
        _ => Ok(frame),
    }
}

async fn connect(options: &Options, target: &Target, number: usize) -> io::Result<TcpStream> {
    let to = (target.host.as_str(), target.port);
    if options.from.is_empty() {
        return TcpStream::connect(to).await;
    }
    let from = options.from[number % options.from.len()];
    let mut addresses = lookup_host(to).await?;
    let to = addresses.find(|to| to.is_ipv4() == from.is_ipv4()).ok_or_else(|| {
        io::Error::other(format!("it has no address that can be reached from {from}"))
    })?;
    let socket = if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}

fn network(options: &Options, target: &Target, error: io::Error) -> Failure {
    // EMFILE and ENFILE, which have no kind of their own.
    if matches!(error.raw_os_error(), Some(23 | 24)) {
        return Failure::Files { needed: files::needed(options), allowed: None };
    }
    Failure::Network { to: target.address(), error }
}
