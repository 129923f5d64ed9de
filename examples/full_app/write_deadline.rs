//! A connection whose client has to take what is written to it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::cut_off::Last;

/// Fails a write of which nothing has been taken for so long. hyper has deadlines for what comes in only, so that a client which asks for a page and reads
/// nothing would hold its connection without end.
#[derive(Debug)]
pub(crate) struct WriteDeadline<T> {
    io: T,
    time: Duration,
    last: Last,
    /// While a write waits. Boxed because hardly any does, and connections are many.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<T> WriteDeadline<T> {
    /// What happens is noted.
    pub(crate) const fn new(io: T, time: Duration, last: Last) -> Self {
        Self { io, time, last, waiting: None }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(count)) if *count > 0) {
            self.last.told();
        }
    }

    fn judge<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let time = self.time;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(time)));
        waiting.as_mut().poll(cx).map(|()| {
            self.last.stuck();
            Err(io::ErrorKind::TimedOut.into())
        })
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for WriteDeadline<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.last.heard();
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note(&written);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.note(&written);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = Pin::new(&mut self.io).poll_shutdown(cx);
        self.judge(cx, shut_down)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::{Instant, timeout},
    };

    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_write_of_which_nothing_is_taken_fails_and_one_that_goes_on_does_not() {
        let (ours, mut theirs) = duplex(1);
        let mut ours = WriteDeadline::new(ours, TIME, Last::default());
        let began = Instant::now();
        let reading = async {
            for _ in 0..5 {
                tokio::time::sleep(TIME - Duration::from_millis(1)).await;
                theirs.read_u8().await.unwrap();
            }
        };
        let writing = timeout(100 * TIME, ours.write_all(b"slow and steady"));
        let (written, ()) = tokio::join!(writing, reading);
        let failed = written.expect("it is not waited for without end").unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        let lasted = began.elapsed();
        assert!(lasted > 5 * TIME && lasted < 6 * TIME + Duration::from_secs(1), "{lasted:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_may_be_silent() {
        let (ours, theirs) = duplex(1);
        let mut ours = WriteDeadline::new(ours, TIME, Last::default());
        ours.write_all(b"x").await.unwrap();
        let silence = timeout(10 * TIME, ours.read_u8()).await;
        assert!(silence.is_err(), "reading has no deadline here");
        drop(theirs);
    }
}
