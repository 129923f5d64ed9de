//! The order of answers: within one room they come in the order of the requests, between rooms they do not wait for each other.

use std::{
    collections::{HashMap, VecDeque},
    future::{poll_fn, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use chatrooms_core::{Error, Join, Nonce, Post, Receipt, RoomName, Sent, Session};
use futures_util::{FutureExt as _, future::BoxFuture};

use crate::{
    framing::encode,
    request::{Invalid, RoomAction},
    response::Frame,
};

/// What is under way for one session.
///
/// It borrows the session and lives in its loop: nothing runs when nobody reads the socket, and dropping it loses nothing but answers,
/// because what the store has begun goes on by itself.
#[derive(Default)]
pub(crate) struct Lanes<'s> {
    rooms: HashMap<RoomName, Lane<'s>>,
    /// Answers that may come in any order.
    free: Vec<BoxFuture<'s, Option<Bytes>>>,
    under_way: usize,
}

/// One room's requests. A message takes its turn at the store when it is begun; waiting for the outcome may overlap with those behind it.
#[derive(Default)]
struct Lane<'s> {
    waiting: VecDeque<(Option<u64>, RoomAction)>,
    beginning: Option<BoxFuture<'s, Step<'s>>>,
    finishing: VecDeque<Step<'s>>,
}

enum Step<'s> {
    Answered(Option<Bytes>),
    Waiting(BoxFuture<'s, Option<Bytes>>),
}

impl<'s> Lanes<'s> {
    pub(crate) const fn under_way(&self) -> usize {
        self.under_way
    }

    /// Queues a request behind those of the same room.
    pub(crate) fn push(&mut self, room: RoomName, id: Option<u64>, action: RoomAction) {
        self.under_way += 1;
        self.rooms.entry(room).or_default().waiting.push_back((id, action));
    }

    /// Adds an answer that comes when it is ready, unless it comes another way.
    pub(crate) fn push_free(&mut self, answer: BoxFuture<'s, Option<Bytes>>) {
        self.under_way += 1;
        self.free.push(answer);
    }

    /// Goes on with everything; completes whenever something was answered. Pending for ever while nothing is under way.
    ///
    /// # Cancel safety
    /// Everything stays where it was.
    pub(crate) async fn advance(&mut self, session: &'s Session) {
        poll_fn(|context| self.poll(session, context)).await;
    }

    /// Goes as far as it can be gone without waiting. What has to wait is to be [advanced](Self::advance) once more.
    pub(crate) fn go_on(&mut self, session: &'s Session) {
        while self.advance(session).now_or_never().is_some() {}
    }

    fn poll(&mut self, session: &'s Session, context: &mut Context<'_>) -> Poll<()> {
        // Several messages to a room are one step of its store and one of its fan-out.
        let cork = session.cork();
        for (room, lane) in &mut self.rooms {
            lane.begin(room, session, context);
        }
        drop(cork);
        let mut answered = 0;
        self.rooms.retain(|_, lane| {
            answered += lane.finish(session, context);
            !lane.is_idle()
        });
        self.free.retain_mut(|answer| match answer.poll_unpin(context) {
            Poll::Ready(frame) => {
                if let Some(frame) = frame {
                    session.outbox().answer(frame);
                }
                answered += 1;
                false
            }
            Poll::Pending => true,
        });
        self.under_way -= answered;
        if answered > 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<'s> Lane<'s> {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.beginning.is_none() && self.finishing.is_empty()
    }

    /// Begins as many requests as may begin.
    fn begin(&mut self, room: &RoomName, session: &'s Session, context: &mut Context<'_>) {
        while self.beginning.is_some() || self.start(room, session) {
            let Some(beginning) = &mut self.beginning else { return };
            let Poll::Ready(step) = beginning.poll_unpin(context) else { return };
            self.beginning = None;
            self.finishing.push_back(step);
        }
    }

    /// Answers what is done, in order; returns how many requests that were.
    fn finish(&mut self, session: &'s Session, context: &mut Context<'_>) -> usize {
        let mut answered = 0;
        while let Some(step) = self.finishing.front_mut() {
            let answer = match step {
                Step::Answered(answer) => answer.take(),
                Step::Waiting(outcome) => match outcome.poll_unpin(context) {
                    Poll::Ready(answer) => answer,
                    Poll::Pending => break,
                },
            };
            self.finishing.pop_front();
            answered += 1;
            if let Some(frame) = answer {
                session.outbox().answer(frame);
            }
        }
        answered
    }

    /// Begins the next request, if it may: joining and leaving wait until all before them is answered.
    fn start(&mut self, room: &RoomName, session: &'s Session) -> bool {
        let is_barrier =
            |action: &RoomAction| matches!(action, RoomAction::Join(_) | RoomAction::Leave);
        match self.waiting.front() {
            None => return false,
            Some((_, action)) if is_barrier(action) && !self.finishing.is_empty() => return false,
            Some(_) => {}
        }
        let Some((id, action)) = self.waiting.pop_front() else { return false };
        self.beginning = Some(begin(session, room.clone(), id, action));
        true
    }
}

/// What has to wait has a box of its own size: one that fits them all would be too large for an allocator's quick lists, once for each message.
fn begin(
    session: &Session,
    room: RoomName,
    id: Option<u64>,
    action: RoomAction,
) -> BoxFuture<'_, Step<'_>> {
    let answer = match action {
        RoomAction::Join(details) => return join(session, room, id, details).boxed(),
        RoomAction::Send(post) => return send(session, room, id, post).boxed(),
        RoomAction::Redact(seq) => return redact(session, room, id, seq).boxed(),
        RoomAction::Leave => return leave(session, room, id).boxed(),
        RoomAction::Refuse(invalid) => refused_as(session, &invalid),
        RoomAction::Deny(denied) => {
            let answer = refused(session, id, &room, &denied.error);
            (!denied.is_silent).then_some(answer)
        }
        RoomAction::Signal { name, data } => {
            let answer = match session.signal(&room, &name, data) {
                Ok(()) => encode(&Frame::Ok { id }),
                Err(error) => refused(session, id, &room, &error),
            };
            // The one request that is answered only where that was asked for.
            id.map(|_| answer)
        }
    };
    ready(Step::Answered(answer)).boxed()
}

async fn join(session: &Session, room: RoomName, id: Option<u64>, mut join: Join) -> Step<'_> {
    join.tag = id;
    // The answer of a join that succeeds is the event that the room itself has put into the outbox.
    let outcome = session.join(&room, join).await;
    Step::Answered(outcome.err().map(|error| refused(session, id, &room, &error)))
}

async fn leave(session: &Session, room: RoomName, id: Option<u64>) -> Step<'_> {
    Step::Answered(Some(match session.leave_everywhere(&room).await {
        Ok(()) => encode(&Frame::Left { id, room: room.as_str() }),
        Err(error) => refused(session, id, &room, &error),
    }))
}

async fn redact(session: &Session, room: RoomName, id: Option<u64>, seq: u64) -> Step<'_> {
    match session.redact(&room, seq).await {
        Ok(receipt) => Step::Waiting(redacted(session, receipt, room, id).boxed()),
        Err(error) => Step::Answered(Some(refused(session, id, &room, &error))),
    }
}

async fn send(session: &Session, room: RoomName, id: Option<u64>, post: Post) -> Step<'_> {
    let nonce = post.nonce.clone();
    match session.send(&room, post).await {
        Ok(receipt) => Step::Waiting(sent(session, receipt, room, id, nonce).boxed()),
        Err(error) => Step::Answered(Some(refused(session, id, &room, &error))),
    }
}

async fn sent(
    session: &Session,
    receipt: Receipt<Sent>,
    room: RoomName,
    id: Option<u64>,
    nonce: Option<Nonce>,
) -> Option<Bytes> {
    Some(match receipt.wait().await {
        Ok(sent) => encode(&Frame::sent(id, &room, &sent, nonce.as_ref().map(Nonce::as_str))),
        Err(error) => refused(session, id, &room, &error),
    })
}

async fn redacted(
    session: &Session,
    receipt: Receipt<()>,
    room: RoomName,
    id: Option<u64>,
) -> Option<Bytes> {
    Some(match receipt.wait().await {
        Ok(()) => encode(&Frame::Ok { id }),
        Err(error) => refused(session, id, &room, &error),
    })
}

/// Counts a request that is no request; its answer, where there is one.
pub(crate) fn refused_as(session: &Session, invalid: &Invalid) -> Option<Bytes> {
    session.registry().count_refusal(invalid.code);
    invalid.answer()
}

/// Counts a request that is refused, and answers it.
pub(crate) fn refused(session: &Session, id: Option<u64>, room: &RoomName, error: &Error) -> Bytes {
    session.registry().count_refusal(error.code());
    encode(&Frame::error(id, Some(room.as_str()), error))
}

#[cfg(test)]
mod tests {
    use chatrooms_core::{Identity, RoomRegistry, UserName, testing::QUICK_BLOCK};

    use super::*;

    #[tokio::test]
    async fn what_is_begun_for_a_message_comes_from_the_allocators_quick_lists() {
        let registry = RoomRegistry::new();
        let session = registry.open_session(Identity::new(UserName::new("ada").unwrap())).unwrap();
        let tea = RoomName::new("tea").unwrap();
        let begun = send(&session, tea, None, Post::new("hello"));
        assert!(size_of_val(&begun) <= QUICK_BLOCK, "{} bytes", size_of_val(&begun));
    }
}
