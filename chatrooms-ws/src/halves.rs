//! A socket that is read and written by turns.

use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures_util::{Sink, Stream};

/// One of several hands on a socket. They belong to futures of one task; beside it there may be a [shortcut](crate::shortcut), for which the task waits as long as a write to the system takes.
///
/// What `StreamExt::split` makes is meant for two tasks, and keeps the socket somewhere else in memory.
#[derive(Debug)]
pub(crate) struct Half<'s, S>(&'s Mutex<S>);

impl<'s, S: Unpin> Half<'s, S> {
    pub(crate) const fn new(socket: &'s Mutex<S>) -> Self {
        Self(socket)
    }

    fn socket(&self) -> MutexGuard<'_, S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stream + Unpin> Stream for Half<'_, S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        Pin::new(&mut *self.socket()).poll_next(cx)
    }
}

impl<T, S: Sink<T> + Unpin> Sink<T> for Half<'_, S> {
    type Error = S::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Pin::new(&mut *self.socket()).poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), S::Error> {
        Pin::new(&mut *self.socket()).start_send(item)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Pin::new(&mut *self.socket()).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Pin::new(&mut *self.socket()).poll_close(cx)
    }
}
