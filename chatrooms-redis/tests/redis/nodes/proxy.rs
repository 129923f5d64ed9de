//! A way to Redis on which announcements go astray: what is asked and answered passes as it is.

use std::sync::Arc;

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream, unix::OwnedReadHalf, unix::OwnedWriteHalf},
};
use tokio_util::task::AbortOnDropHandle;

use crate::support::Server;

/// What happens to announcements.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mischief {
    /// None arrives.
    Lost,
    /// Each arrives twice.
    Doubled,
    /// Each arrives behind the next one, if there is a next one.
    Late,
}

/// Stands between a node and Redis.
pub(crate) struct Proxy {
    folder: Arc<TempDir>,
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    pub(crate) fn start(server: &Server, mischief: Mischief) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let listener = UnixListener::bind(folder.path().join("proxy.sock")).unwrap();
        let upstream = server.url().trim_start_matches("unix://").to_owned();
        let task = tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, mut to_client) = client.into_split();
                let redis = UnixStream::connect(&upstream).await.unwrap();
                let (mut from_redis, mut to_redis) = redis.into_split();
                connections.push(AbortOnDropHandle::new(tokio::spawn(async move {
                    let mut from_client = from_client;
                    tokio::select! {
                        _ = tokio::io::copy(&mut from_client, &mut to_redis) => {}
                        () = mangle(&mut from_redis, &mut to_client, mischief) => {}
                    }
                })));
            }
        });
        Self { folder, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("proxy.sock").display())
    }
}

async fn mangle(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mischief: Mischief) {
    let (mut buffer, mut held) = (Vec::new(), Vec::new());
    loop {
        let mut rest = &buffer[..];
        let mut out = Vec::new();
        while let Some(length) = whole(rest) {
            let (frame, next) = rest.split_at(length);
            rest = next;
            let is_announcement = frame.starts_with(b">3\r\n$7\r\nmessage");
            match mischief {
                _ if !is_announcement => out.extend_from_slice(frame),
                Mischief::Lost => {}
                Mischief::Doubled => out.extend_from_slice(&[frame, frame].concat()),
                Mischief::Late => {
                    if !held.is_empty() {
                        out.extend_from_slice(frame);
                        out.append(&mut held);
                    } else {
                        held = frame.to_vec();
                    }
                }
            }
        }
        buffer = rest.to_vec();
        if to.write_all(&out).await.is_err() || from.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// How long the frame is that begins here, where all of it is here.
fn whole(buffer: &[u8]) -> Option<usize> {
    let end = buffer.windows(2).position(|two| two == b"\r\n")?;
    let head = end + 2;
    let count = || std::str::from_utf8(&buffer[1..end]).ok()?.parse::<i64>().ok();
    let parts = match buffer[0] {
        b'$' | b'!' | b'=' => {
            let Ok(length) = usize::try_from(count()?) else { return Some(head) };
            return (buffer.len() >= head + length + 2).then_some(head + length + 2);
        }
        b'*' | b'~' | b'>' => count()?,
        b'%' => 2 * count()?,
        _ => 0,
    };
    let mut length = head;
    for _ in 0..parts {
        length += whole(&buffer[length..])?;
    }
    Some(length)
}
