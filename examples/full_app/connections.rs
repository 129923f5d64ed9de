//! The connections of this server: each is answered in a task of its own, and all of them can be asked to end.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, http::Request};
use chatrooms::ws::PeerAddr;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a client may take for the head of a request, the silence before it included.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// The most bytes of a head.
const HEAD_BYTES: usize = 16 * 1024;

/// Made here rather than by `axum::serve`, which knows no deadline for a head.
pub(crate) struct Connections {
    app: Router,
    ending: CancellationToken,
    /// What is an upgraded socket by now is the registry's, and counted there.
    tasks: TaskTracker,
}

impl Connections {
    pub(crate) fn new(app: Router) -> Self {
        Self { app, ending: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Accepts connections for ever.
    pub(crate) async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.answer(stream, peer),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of descriptors, most likely: some will be given back.
                    tracing::error!(%error, "connections cannot be accepted");
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Asks all connections to end after the answer they are at, and waits until they have. An idle one ends at once.
    pub(crate) async fn end(&self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn answer(&self, stream: TcpStream, peer: SocketAddr) {
        // Frames are small, and each is to be sent at once. A socket that is gone already refuses it.
        let _ = stream.set_nodelay(true);
        let app = TowerToHyperService::new(self.app.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(PeerAddr(peer.ip()));
            app.call(request)
        });
        let ending = self.ending.clone();
        self.tasks.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = ending.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        time::timeout,
    };

    use super::*;

    #[tokio::test]
    async fn what_is_idle_ends_at_once() {
        let connections = Connections::new(Router::new().route("/", get("hello")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut silent = TcpStream::connect(addr).await.unwrap();
        let mut idle = TcpStream::connect(addr).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        tokio::select! {
            () = connections.accept(&listener) => {}
            _ = async { while !answer.ends_with(b"hello") { idle.read_buf(&mut answer).await.unwrap(); } } => {}
        }
        assert_eq!(connections.tasks.len(), 2, "both have been accepted");
        timeout(HEAD_TIME / 2, connections.end()).await.expect("nobody is waited for");
        for stream in [&mut silent, &mut idle] {
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        }
    }
}
