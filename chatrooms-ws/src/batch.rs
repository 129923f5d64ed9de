//! What a session is told at a time, on its way into the socket.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use bytes::Bytes;
use chatrooms_core::{Meter, Outgoing};
use tokio::io::{AsyncWrite, ReadBuf};

use crate::{
    gathering::BATCH,
    response::{bundle_frames, event_frame},
};

/// The most bytes that are put together for one write: as many as are taken out of an outbox for it. They are on the stack, so that nothing is allocated for a
/// socket that takes them at once, as nearly all do.
const PIECE: usize = BATCH;

/// Frames that go out as they are, many in one write. Each is let go of once it is written, and nothing is copied for a socket that does not take it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    told: Option<vec::IntoIter<Outgoing>>,
    /// So many bytes of the first one are written: the remainder goes before anything else.
    begun: usize,
    /// The socket took nothing when it was asked last.
    is_stuck: bool,
}

impl Batch {
    pub(crate) fn new(told: Vec<Outgoing>) -> Self {
        let mut batch = Self { told: Some(told.into_iter()), begun: 0, is_stuck: false };
        batch.advance(0);
        batch
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.told.is_none()
    }

    /// Writes all of it.
    pub(crate) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        meter: &Meter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(told) = &self.told {
            let told = told.as_slice();
            // It may be asked often before it takes something again: nothing is put together in vain.
            let told = if self.is_stuck { &told[..1] } else { told };
            let written = poll_piece(told, self.begun, io, meter, cx);
            self.is_stuck = written.is_pending();
            self.advance(ready!(written)?);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what is left of a frame that has been begun, so that another one can follow.
    pub(crate) fn poll_begun(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        meter: &Meter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.begun > 0
            && let Some(first) = self.told.as_ref().and_then(|told| told.as_slice().first())
        {
            let written = ready!(poll_some(io, meter, &frame(first)[self.begun..], cx))?;
            self.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Lets go of what is written, now that so many bytes more are.
    fn advance(&mut self, written: usize) {
        self.begun += written;
        let Some(told) = &mut self.told else { return };
        while let Some(first) = told.as_slice().first() {
            let length = frame(first).len();
            if self.begun < length {
                return;
            }
            self.begun -= length;
            told.next();
        }
        // A burst must not leave its buffer behind in a connection that is idle afterwards.
        self.told = None;
    }
}

/// Puts together what comes next and writes some of it, once.
fn poll_piece(
    told: &[Outgoing],
    begun: usize,
    io: &mut (impl AsyncWrite + Unpin),
    meter: &Meter,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if let [only] = told {
        return poll_some(io, meter, &frame(only)[begun..], cx);
    }
    let mut space = [MaybeUninit::uninit(); PIECE];
    let mut piece = ReadBuf::uninit(&mut space);
    let mut left = begun;
    for next in told {
        let next = &frame(next)[left..];
        if next.len() > piece.remaining() {
            if piece.filled().is_empty() {
                // It is too large for the space, and nothing has to be put together.
                return poll_some(io, meter, next, cx);
            }
            break;
        }
        piece.put_slice(next);
        left = 0;
    }
    poll_some(io, meter, piece.filled(), cx)
}

/// Writes some of the bytes, of which there are any; returns how many.
fn poll_some(
    io: &mut (impl AsyncWrite + Unpin),
    meter: &Meter,
    bytes: &[u8],
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let written = ready!(Pin::new(io).poll_write(cx, bytes))?;
    if written == 0 {
        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
    }
    meter.progress();
    Poll::Ready(Ok(written))
}

/// Something to tell as it goes into a socket, of a bundle all frames. An event of a kind that the wire does not know has an empty frame: it is not for this client.
pub(crate) fn frame(item: &Outgoing) -> &Bytes {
    match item {
        Outgoing::Event(event) => event_frame(event),
        Outgoing::Bundle(bundle) => bundle_frames(bundle),
        Outgoing::Answer(answer) => answer,
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use chatrooms_core::{AnswerFrame, Identity, RoomRegistry, UserName};
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_written_leaves_no_buffer_behind() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let told =
            vec![Outgoing::Answer(Arc::new(AnswerFrame::new(Bytes::from_static(b"x")))); 100];
        let (mut batch, mut written) = (Batch::new(told), Vec::new());
        let meter = session.outbox().meter();
        let all = poll_fn(|cx| batch.poll_write(&mut written, meter, cx)).now_or_never();
        assert!(all.unwrap().is_ok() && batch.is_empty() && written.len() == 100);
        assert!(batch.told.is_none());
    }

    #[tokio::test]
    async fn each_is_there_until_it_is_written_and_no_longer() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let answers = ["aaa", "", "bbb", "ccc"].map(|text| Arc::new(AnswerFrame::new(text.into())));
        let there = || answers.each_ref().map(|answer| Arc::strong_count(answer) - 1);
        let mut batch = Batch::new(answers.iter().cloned().map(Outgoing::Answer).collect());
        let (mut ours, mut theirs) = duplex(4);
        let mut taken = String::new();
        for left in [[0, 0, 1, 1], [0, 0, 0, 1], [0; 4]] {
            let all = poll_fn(|cx| batch.poll_write(&mut ours, session.outbox().meter(), cx));
            assert_eq!(all.now_or_never().is_some(), left == [0; 4]);
            assert_eq!(there(), left);
            let mut some = [0; 4];
            let count = theirs.read(&mut some).await.unwrap();
            taken.push_str(str::from_utf8(&some[..count]).unwrap());
        }
        assert_eq!(taken, "aaabbbccc");
    }
}
