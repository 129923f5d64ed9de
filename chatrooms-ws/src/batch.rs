//! What a session is told at a time, on its way into the socket.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use bytes::{Buf as _, Bytes};
use chatrooms_core::{Meter, Outgoing};
use tokio::io::{AsyncWrite, ReadBuf};

use crate::{
    gathering::BATCH,
    response::{bundle_frames, event_frame},
};

/// The most bytes that are put together for one write: as many as are taken out of an outbox for it. They are on the stack, so that nothing is allocated for a
/// socket that takes them at once, as nearly all do.
const PIECE: usize = BATCH;

/// Frames that go out as they are, many in one write.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    told: Option<vec::IntoIter<Outgoing>>,
    /// What the socket has not taken at once. Boxed because hardly any socket ever has it.
    rest: Option<Box<Rest>>,
}

/// Whole frames, or what is left of them.
#[derive(Debug)]
struct Rest {
    bytes: Bytes,
    /// Part of a frame may be written: the remainder goes before anything else.
    is_begun: bool,
}

impl Batch {
    pub(crate) fn new(told: Vec<Outgoing>) -> Self {
        Self { told: Some(told.into_iter()), rest: None }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_none() && self.told.is_none()
    }

    /// Writes all of it.
    pub(crate) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        meter: &Meter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_rest(io, meter, cx))?;
            let Some(told) = self.told.as_mut().filter(|told| !told.as_slice().is_empty()) else {
                // A burst must not leave its buffer behind in a connection that is idle afterwards.
                self.told = None;
                return Poll::Ready(Ok(()));
            };
            self.rest = write_piece(told, io, meter, cx)?;
        }
    }

    /// Writes what is left of a frame that has been begun, so that another one can follow.
    pub(crate) fn poll_begun(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        meter: &Meter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let is_begun = self.rest.as_ref().is_some_and(|rest| rest.is_begun);
        if is_begun { self.poll_rest(io, meter, cx) } else { Poll::Ready(Ok(())) }
    }

    fn poll_rest(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        meter: &Meter,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = &mut self.rest {
            let written = ready!(poll_some(io, meter, &rest.bytes, cx))?;
            rest.bytes.advance(written);
            rest.is_begun = true;
            if rest.bytes.is_empty() {
                self.rest = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Puts together what comes next and writes it, once. Returns what is left of it.
fn write_piece(
    told: &mut vec::IntoIter<Outgoing>,
    io: &mut (impl AsyncWrite + Unpin),
    meter: &Meter,
    cx: &mut Context<'_>,
) -> io::Result<Option<Box<Rest>>> {
    let mut space = [MaybeUninit::uninit(); PIECE];
    let mut piece = ReadBuf::uninit(&mut space);
    while let Some(next) = told.as_slice().first()
        && frame(next).len() <= piece.remaining()
    {
        piece.put_slice(frame(next));
        told.next();
    }
    if piece.filled().is_empty() {
        // It is too large for the space, and nothing has to be put together.
        let large = told.next().map(|large| frame(&large).clone());
        return Ok(large.map(|bytes| Box::new(Rest { bytes, is_begun: false })));
    }
    let (left, is_begun) = match poll_some(io, meter, piece.filled(), cx) {
        Poll::Ready(written) => (&piece.filled()[written?..], true),
        Poll::Pending => (piece.filled(), false),
    };
    if left.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(Rest { bytes: Bytes::copy_from_slice(left), is_begun })))
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
        Outgoing::Answer(frame) => frame,
    }
}

#[cfg(test)]
mod tests {
    use chatrooms_core::{Identity, RoomRegistry, UserName};
    use futures_util::FutureExt as _;
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn what_is_written_leaves_no_buffer_behind() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let told = vec![Outgoing::Answer(Box::new(Bytes::from_static(b"x"))); 100];
        let (mut batch, mut written) = (Batch::new(told), Vec::new());
        let meter = session.outbox().meter();
        let all = poll_fn(|cx| batch.poll_write(&mut written, meter, cx)).now_or_never();
        assert!(all.unwrap().is_ok() && batch.is_empty() && written.len() == 100);
        assert!(batch.told.is_none());
    }
}
