//! The frames of a client, as many at a time as have arrived: those that came together can be answered together.

use std::{collections::VecDeque, future::poll_fn, task::Poll};

use futures_util::{Stream, StreamExt as _};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// How a client's frames ended: by an error, or because it went.
type End = Option<WsError>;

pub(crate) struct Incoming<S> {
    stream: S,
    /// Known, but not said yet, because frames came before it.
    end: Option<End>,
}

impl<S: Stream<Item = Result<Message, WsError>> + Unpin> Incoming<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, end: None }
    }

    /// Waits for a frame and takes it with those that have arrived behind it, until `most` are in `frames`.
    ///
    /// # Errors
    /// The end, once all that came before it has been taken.
    ///
    /// # Cancel safety
    /// Nothing is taken unless it completes.
    pub(crate) async fn take(
        &mut self,
        frames: &mut VecDeque<Message>,
        most: usize,
    ) -> Result<(), End> {
        poll_fn(|context| {
            let before = frames.len();
            while frames.len() < most && self.end.is_none() {
                match self.stream.poll_next_unpin(context) {
                    Poll::Ready(Some(Ok(frame))) => frames.push_back(frame),
                    Poll::Ready(Some(Err(error))) => self.end = Some(Some(error)),
                    Poll::Ready(None) => self.end = Some(None),
                    Poll::Pending => break,
                }
            }
            if frames.len() > before {
                return Poll::Ready(Ok(()));
            }
            self.end.take().map_or(Poll::Pending, |end| Poll::Ready(Err(end)))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, stream};

    use super::*;

    fn texts(frames: &VecDeque<Message>) -> Vec<&str> {
        frames.iter().map(|frame| frame.to_text().unwrap()).collect()
    }

    #[test]
    fn what_came_together_is_taken_together_and_the_end_comes_last() {
        let frames = ["a", "b", "c"].map(|text| Ok(Message::text(text)));
        let broken = stream::iter([Err(WsError::AttackAttempt)]);
        let mut incoming = Incoming::new(stream::iter(frames).chain(broken));
        let mut taken = VecDeque::new();
        incoming.take(&mut taken, 2).now_or_never().unwrap().unwrap();
        assert_eq!(texts(&taken), ["a", "b"]);
        incoming.take(&mut taken, 9).now_or_never().unwrap().unwrap();
        assert_eq!(texts(&taken), ["a", "b", "c"]);
        let end = incoming.take(&mut taken, 9).now_or_never().unwrap();
        assert!(matches!(end, Err(Some(WsError::AttackAttempt))));
    }

    #[test]
    fn nothing_is_taken_while_nothing_has_come_or_there_is_no_place() {
        let mut silent = Incoming::new(stream::pending());
        assert!(silent.take(&mut VecDeque::new(), 9).now_or_never().is_none());
        let mut gone = Incoming::new(stream::empty());
        let end = gone.take(&mut VecDeque::new(), 9).now_or_never().unwrap();
        assert!(matches!(end, Err(None)));
    }
}
