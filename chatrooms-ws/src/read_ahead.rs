//! Reading from a connection without a buffer that waits for what has not come.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

/// The most bytes taken off a connection at a time.
const READ: usize = 4 * 1024;

/// What has come in and was not asked for yet.
///
/// The system is asked for much at a time, into a buffer on the stack, and the layer above may ask for little: so neither of them holds a buffer
/// for a connection that is silent, as most of them are most of the time.
#[derive(Debug)]
pub(crate) struct ReadAhead(Bytes);

impl ReadAhead {
    pub(crate) const fn new(unread: Bytes) -> Self {
        Self(unread)
    }

    pub(crate) fn poll_read(
        &mut self,
        io: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            let mut space = [MaybeUninit::uninit(); READ];
            let mut read = ReadBuf::uninit(&mut space);
            ready!(Pin::new(io).poll_read(cx, &mut read))?;
            let wanted = read.filled().len().min(buf.remaining());
            let (now, later) = read.filled().split_at(wanted);
            buf.put_slice(now);
            self.0 = Bytes::copy_from_slice(later);
        } else {
            let wanted = self.0.len().min(buf.remaining());
            buf.put_slice(&self.0[..wanted]);
            self.0.advance(wanted);
            if self.0.is_empty() {
                self.0 = Bytes::new();
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn what_comes_together_is_given_in_pieces_until_the_end() {
        let sent: Vec<u8> = (0..=255).cycle().take(3 * READ + 7).collect();
        let (mut io, mut ahead, mut given) =
            (&sent[..], ReadAhead::new(Bytes::from_static(&[])), Vec::new());
        for piece in [1, 14, 256, 2 * READ].into_iter().cycle() {
            let mut space = vec![0; piece];
            let mut buf = ReadBuf::new(&mut space);
            poll_fn(|cx| ahead.poll_read(&mut io, cx, &mut buf)).await.expect("it reads");
            if buf.filled().is_empty() {
                break;
            }
            given.extend_from_slice(buf.filled());
        }
        assert_eq!(given, sent);
        assert_eq!(ahead.0.as_ptr(), Bytes::new().as_ptr(), "nothing is held when all is given");
    }
}
