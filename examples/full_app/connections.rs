//! The connections of this server: each is answered in a task of its own, and all of them can be asked to end.

use std::{net::SocketAddr, pin::pin, time::Duration};

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
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{accepting::accept, cut_off::Last, write_deadline::WriteDeadline};

/// How long a client may take for the head of a request, the silence before it included, unless something else is said.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a client may take nothing of an answer. Longer than the library waits for a socket's client and for its end, which it judges itself.
const WRITE_TIME: Duration = Duration::from_secs(40);
/// The most bytes of a head.
const HEAD_BYTES: usize = 16 * 1024;

/// Made here rather than by `axum::serve`, which knows no deadline for a head.
pub(crate) struct Connections {
    app: Router,
    head_time: Duration,
    ending: CancellationToken,
    /// What is an upgraded socket by now is the registry's, and counted there.
    tasks: TaskTracker,
}

impl Connections {
    pub(crate) fn new(app: Router) -> Self {
        let (ending, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { app, head_time: HEAD_TIME, ending, tasks }
    }

    /// The same with another time for the head of a request and the silence before it.
    pub(crate) fn with_head_time(self, head_time: Duration) -> Self {
        Self { head_time, ..self }
    }

    /// Accepts connections for ever.
    pub(crate) async fn accept(&self, listener: &TcpListener) {
        let take = |stream, peer| self.answer(stream, peer);
        accept(listener, take, |error| tracing::error!(%error, "connections cannot be accepted"))
            .await;
    }

    /// Asks all connections to end after the answer they are at, and waits until they have. An idle one ends at once.
    pub(crate) async fn end(&self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn answer(&self, stream: TcpStream, peer: SocketAddr) {
        let app = TowerToHyperService::new(self.app.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(PeerAddr(peer.ip()));
            app.call(request)
        });
        let (head_time, ending) = (self.head_time, self.ending.clone());
        self.tasks.spawn(async move {
            let last = Last::default();
            let stream = WriteDeadline::new(stream, WRITE_TIME, last.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head_time)
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
                last.count(error.is_timeout());
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpSocket,
        time::{Instant, timeout},
    };

    use super::*;
    use crate::cut_off;

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

    /// How long a connection lasts whose client sends this and then nothing, and does not read; and what is found of the answer in the end.
    async fn last(app: Router, sent: &[u8]) -> (Duration, Vec<u8>) {
        let connections = Connections::new(app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut client = socket.connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(sent).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let began = Instant::now();
        connections.answer(stream, peer);
        connections.tasks.close();
        timeout(10 * WRITE_TIME, connections.tasks.wait()).await.expect("it ends");
        let (lasted, mut answer) = (began.elapsed(), Vec::new());
        let _reset = client.read_to_end(&mut answer).await;
        (lasted, answer)
    }

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_come_is_not_waited_for() {
        let page = Router::new().route("/", get("hello"));
        for (sent, answered) in [(&b""[..], false), (&HEAD[..20], false), (HEAD, true)] {
            let (lasted, answer) = last(page.clone(), sent).await;
            assert!((HEAD_TIME..HEAD_TIME * 2).contains(&lasted), "{lasted:?} after {sent:?}");
            assert_eq!(answer.ends_with(b"hello"), answered);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_cut_off_is_counted_by_what_was_late() {
        const LARGE: usize = 32 * 1024 * 1024;
        let recorder: &'static PrometheusRecorder =
            Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let _counting = metrics::set_default_local_recorder(recorder);
        cut_off::describe();
        let page =
            Router::new().route("/", get("hello")).route("/large", get(async || vec![b'x'; LARGE]));
        for sent in [&b""[..], HEAD, &HEAD[..20]] {
            last(page.clone(), sent).await;
        }
        last(page, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let page = recorder.handle().render();
        let counted: Vec<_> =
            page.lines().filter_map(|line| line.strip_prefix("full_app_connections_")).collect();
        for expected in ["silence\"} 1", "head\"} 1", "answer\"} 1"] {
            assert!(counted.iter().any(|line| line.ends_with(expected)), "{expected}: {page}");
        }
        assert_eq!(counted.len(), 3, "{page}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_so_many_bytes() {
        let large = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &[b'x'; 2 * HEAD_BYTES]].concat();
        let (lasted, answer) = last(Router::new(), &large).await;
        assert!(lasted < HEAD_TIME, "{lasted:?}");
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "), "{answer:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_and_does_not_read_is_cut_off() {
        // More than the buffers of both sides hold.
        const LARGE: usize = 32 * 1024 * 1024;
        let page = Router::new().route("/", get(async || vec![b'x'; LARGE]));
        let (lasted, answer) = last(page, HEAD).await;
        assert!((WRITE_TIME..WRITE_TIME * 2).contains(&lasted), "{lasted:?}");
        assert!(answer.len() < LARGE, "it is cut off, not answered");
    }
}
