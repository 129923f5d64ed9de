//! The connection under a socket, as near to the system as it can be had.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
};

/// A connection that hyper has handed over. TCP is taken out of hyper's boxes, through which every write would have to go.
#[derive(Debug)]
pub(crate) enum Connection {
    Tcp(TcpStream),
    /// Such as TLS.
    Other(TokioIo<Upgraded>),
    /// It has been taken: nothing comes, and nothing goes.
    Taken,
}

impl Connection {
    /// The connection, and what has been read of it already.
    pub(crate) fn new(upgraded: Upgraded) -> (Self, Bytes) {
        let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => return (Self::Tcp(parts.io.into_inner()), copied(&parts.read_buf)),
            Err(upgraded) => upgraded,
        };
        // As a server hands it over that serves HTTP/1 and HTTP/2, such as axum's own.
        match auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => (Self::Tcp(parts.io.into_inner()), copied(&parts.read_buf)),
            Err(upgraded) => (Self::Other(TokioIo::new(upgraded)), Bytes::new()),
        }
    }

    /// Takes it out of where it is.
    pub(crate) fn take(&mut self) -> Self {
        mem::replace(self, Self::Taken)
    }

    /// Ends it. Where its client has said its last word TCP has nothing more to do; anything else, such as TLS, has a last word of its own that has to be written.
    pub(crate) async fn end(mut self, has_heard_all: bool) -> io::Result<()> {
        if has_heard_all && matches!(self, Self::Tcp(_)) {
            return Ok(());
        }
        self.shutdown().await?;
        // What is still on its way is read: closing over unread bytes resets the connection, and the client would never see why it was closed.
        let mut unread = [0; 1024];
        while !has_heard_all && self.read(&mut unread).await? > 0 {}
        Ok(())
    }
}

/// What is left in hyper's buffer, without the buffer: it is large, and an empty piece of it would hold all of it.
fn copied(unread: &[u8]) -> Bytes {
    Bytes::copy_from_slice(unread)
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Other(io) => Pin::new(io).poll_read(cx, buf),
            Self::Taken => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Other(io) => Pin::new(io).poll_write(cx, buf),
            Self::Taken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Other(io) => Pin::new(io).poll_flush(cx),
            Self::Taken => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Other(io) => Pin::new(io).poll_shutdown(cx),
            Self::Taken => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response, StatusCode, header};
    use hyper::{body::Incoming, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioExecutor;
    use tokio::{net::TcpListener, sync::mpsc};

    use super::*;

    /// A handshake with a first frame behind it.
    const IN_ONE_WRITE: &[u8] =
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst";

    #[tokio::test]
    async fn tcp_is_taken_out_of_its_boxes_with_what_has_been_read() {
        for serves_more_than_one_version in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(IN_ONE_WRITE).await.unwrap();
            let io = TokioIo::new(listener.accept().await.unwrap().0);
            let (upgraded, mut taken) = mpsc::unbounded_channel();
            let service = service_fn(move |request: Request<Incoming>| {
                let upgraded = upgraded.clone();
                tokio::spawn(async move {
                    upgraded.send(hyper::upgrade::on(request).await.unwrap()).unwrap();
                });
                let answer = Response::builder()
                    .status(StatusCode::SWITCHING_PROTOCOLS)
                    .header(header::UPGRADE, "websocket");
                async { Ok::<_, Infallible>(answer.body(String::new()).unwrap()) }
            });
            if serves_more_than_one_version {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection_with_upgrades(io, service).await.unwrap();
            } else {
                let server = http1::Builder::new();
                server.serve_connection(io, service).with_upgrades().await.unwrap();
            }
            let (connection, unread) = Connection::new(taken.recv().await.unwrap());
            assert!(matches!(connection, Connection::Tcp(_)));
            assert_eq!(unread, "first");
            let buffer = unread.try_into_mut().expect("nobody else has it");
            assert_eq!(buffer.capacity(), 5, "hyper's buffer is held");
        }
    }
}
