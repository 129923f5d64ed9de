//! What goes into a socket: what a session is told, a batch at a time, and the frames that keep the connection.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use chatrooms_core::Outgoing;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error as WsError, Message, Utf8Bytes, error::ProtocolError},
};

use crate::{
    batch::{Batch, frame},
    frames::is_abuse,
    framing::text,
    metered::Metered,
};

/// What a session's loop puts into its socket.
#[derive(Debug)]
pub(crate) enum Out {
    /// Things to tell, each of them a frame of text.
    Told(Vec<Outgoing>),
    /// A ping or a close.
    Control(Message),
}

/// A socket of our own. What is told is framed here: a copy per frame, and one write for as many as fit, where going through the WebSocket layer
/// takes several times the instructions. That layer does all the rest: it reads, and writes control frames.
///
/// It is right because neither begins before the other has ended: a batch begins when the layer has written all of its own, and while a frame of a batch is under way
/// [`Metered`] completes it before anything else.
#[derive(Debug)]
pub(crate) struct Direct<T> {
    socket: WebSocketStream<Metered<T>>,
    /// The layer may have something to write by itself, such as the answer to a ping.
    is_layer_to_flush: bool,
    /// The client has ended the conversation, or broken it: nothing may follow the close that answers. What waits unbegun is not written any more
    /// either, because the layer flushes nothing after that.
    is_closing: bool,
    /// It has ended with its last word: nothing is on its way any more.
    has_heard_all: bool,
    /// Its session's task may have in its hands what was told and is not in here yet, so that nobody else may write what comes behind it. It is to begin with.
    pub(crate) is_awake: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Direct<T> {
    pub(crate) const fn new(socket: WebSocketStream<Metered<T>>) -> Self {
        Self {
            socket,
            is_layer_to_flush: false,
            is_closing: false,
            has_heard_all: false,
            is_awake: true,
        }
    }

    /// Whether the client has said its last word, so that nothing is left unread.
    pub(crate) const fn has_heard_all(&self) -> bool {
        self.has_heard_all
    }

    /// Whether a batch has been begun, or is about to be.
    pub(crate) fn has_batch(&self) -> bool {
        self.socket.get_ref().has_batch()
    }

    /// Whether anybody may write what is told now, without anything before it.
    pub(crate) fn is_free(&self) -> bool {
        !(self.is_awake || self.has_batch() || self.is_layer_to_flush || self.is_closing)
    }

    /// The connection underneath.
    pub(crate) fn io(&mut self) -> &mut T {
        &mut self.socket.get_mut().io
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for Direct<T> {
    type Item = Result<Message, WsError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let next = ready!(Pin::new(&mut this.socket).poll_next(cx));
        this.is_layer_to_flush |= !matches!(next, Some(Ok(Message::Text(_) | Message::Binary(_))));
        this.is_closing |= match &next {
            None | Some(Ok(Message::Close(_))) => true,
            // The layer knows nothing of it: the client can still be told.
            Some(Err(error)) => !is_abuse(error),
            Some(Ok(_)) => false,
        };
        this.has_heard_all |= matches!(next, None | Some(Ok(Message::Close(_))));
        Poll::Ready(next)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Sink<Out> for Direct<T> {
    type Error = WsError;

    /// Batches do not mix: what is told, and what comes after it, waits until the one before is written.
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let this = self.get_mut();
        if this.has_batch() {
            ready!(Pin::new(&mut this.socket).poll_flush(cx))?;
        }
        Pin::new(&mut this.socket).poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, out: Out) -> Result<(), WsError> {
        let this = self.get_mut();
        match out {
            Out::Control(message) => {
                this.is_layer_to_flush = true;
                Pin::new(&mut this.socket).start_send(message)
            }
            Out::Told(_) if this.is_closing => Err(ProtocolError::SendAfterClosing.into()),
            Out::Told(items) => {
                this.socket.get_mut().put(Batch::new(items));
                Ok(())
            }
        }
    }

    /// Going through the layer takes many instructions for nothing where it has nothing to write. A connection that takes nothing for now remembers one
    /// waker, whether it was asked through the layer or not: both halves of this socket are to be polled by one task, and whoever else begins a write leaves its end to that.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let this = self.get_mut();
        if this.is_layer_to_flush || this.is_closing {
            ready!(Pin::new(&mut this.socket).poll_flush(cx))?;
            this.is_layer_to_flush = false;
            return Poll::Ready(Ok(()));
        }
        Pin::new(this.socket.get_mut()).poll_flush(cx).map_err(WsError::Io)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Pin::new(&mut self.get_mut().socket).poll_close(cx)
    }
}

fn is_said(item: &Outgoing) -> bool {
    !frame(item).is_empty()
}

/// Any other stream and sink of WebSocket messages.
#[derive(Debug)]
pub(crate) struct Foreign<S> {
    socket: S,
    waiting: VecDeque<Message>,
}

impl<S> Foreign<S> {
    pub(crate) const fn new(socket: S) -> Self {
        Self { socket, waiting: VecDeque::new() }
    }
}

impl<S: Sink<Message, Error = WsError> + Unpin> Foreign<S> {
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut self.socket).poll_ready(cx))?;
            let Some(message) = self.waiting.pop_front() else { break };
            Pin::new(&mut self.socket).start_send(message)?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream<Item = Result<Message, WsError>> + Unpin> Stream for Foreign<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.get_mut().socket).poll_next(cx)
    }
}

impl<S: Sink<Message, Error = WsError> + Unpin> Sink<Out> for Foreign<S> {
    type Error = WsError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        self.get_mut().poll_waiting(cx)
    }

    fn start_send(self: Pin<&mut Self>, out: Out) -> Result<(), WsError> {
        let waiting = &mut self.get_mut().waiting;
        match out {
            Out::Control(message) => waiting.push_back(message),
            Out::Told(items) => {
                let single = items.into_iter().flat_map(Outgoing::apart);
                waiting.extend(single.filter(is_said).map(message));
            }
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(cx))?;
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let this = self.get_mut();
        ready!(this.poll_waiting(cx))?;
        Pin::new(&mut this.socket).poll_close(cx)
    }
}

/// JSON is UTF-8: an empty message stands for what cannot happen.
fn message(item: Outgoing) -> Message {
    Message::Text(Utf8Bytes::try_from(text(frame(&item))).unwrap_or_default())
}

#[cfg(test)]
mod tests;
