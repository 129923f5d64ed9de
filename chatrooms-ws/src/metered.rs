//! A socket that tells when bytes go out, and looks at those that come in.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use chatrooms_core::Meter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{batch::Batch, frames::Watch, read_ahead::ReadAhead};

/// Notes every byte that goes out: what a slow client is judged by. Looks at what comes in before anybody acts on it.
#[derive(Debug)]
pub(crate) struct Metered<T> {
    pub(crate) io: T,
    meter: Meter,
    watch: Watch,
    ahead: ReadAhead,
    /// Once a frame of it has begun, it is completed before anything else.
    batch: Batch,
}

impl<T> Metered<T> {
    /// `unread` has come in already.
    pub(crate) fn new(io: T, unread: Bytes, meter: Meter, watch: Watch) -> Self {
        Self { io, meter, watch, ahead: ReadAhead::new(unread), batch: Batch::default() }
    }

    /// Has this written by the next flush. The batch before is to be written by then.
    pub(crate) fn put(&mut self, batch: Batch) {
        self.batch = batch;
    }

    pub(crate) fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let Poll::Ready(read) = this.ahead.poll_read(&mut this.io, cx, buf) else {
            return this.watch.poll_late(cx).map(|late| Err(io::Error::other(late)));
        };
        read?;
        let seen = this.watch.see(&buf.filled()[before..]);
        Poll::Ready(seen.map_err(io::Error::other))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.batch.poll_begun(&mut this.io, &this.meter, cx))?;
        let written = ready!(Pin::new(&mut this.io).poll_write(cx, buf))?;
        this.meter.progress();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.batch.poll_write(&mut this.io, &this.meter, cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
