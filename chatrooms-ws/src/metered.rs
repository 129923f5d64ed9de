//! A socket that tells when bytes go out, and looks at those that come in.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use chatrooms_core::Meter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{frames::Watch, read_ahead::ReadAhead};

/// Notes every byte that goes out: what a slow client is judged by. Looks at what comes in before anybody acts on it.
#[derive(Debug)]
pub(crate) struct Metered<T> {
    pub(crate) io: T,
    meter: Meter,
    watch: Watch,
    ahead: ReadAhead,
    /// Frames that are written as they are, in one piece: once they have begun, before anything else.
    batch: Vec<u8>,
    /// How much of the batch is written.
    written: usize,
}

impl<T> Metered<T> {
    pub(crate) fn new(io: T, meter: Meter, watch: Watch) -> Self {
        Self { io, meter, watch, ahead: ReadAhead::default(), batch: Vec::new(), written: 0 }
    }

    /// Frames to be written by the next flush, to be added to while there are none under way.
    pub(crate) const fn batch(&mut self) -> &mut Vec<u8> {
        &mut self.batch
    }

    pub(crate) const fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }
}

impl<T: AsyncWrite + Unpin> Metered<T> {
    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.batch.len() {
            let rest = &self.batch[self.written..];
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
            self.meter.progress();
        }
        // A burst must not leave its buffer behind in a connection that is idle afterwards.
        (self.batch, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
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
        ready!(this.ahead.poll_read(&mut this.io, cx, buf))?;
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
        if this.written > 0 {
            ready!(this.poll_batch(cx))?;
        }
        let written = ready!(Pin::new(&mut this.io).poll_write(cx, buf))?;
        this.meter.progress();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_batch(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
