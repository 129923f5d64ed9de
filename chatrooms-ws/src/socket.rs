//! The loop of one session: reads what its client says, writes what its rooms tell.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chatrooms_core::{AnswerFrame, CloseReason, Error, Join, Outbox, Outgoing, RoomName, Session};
use futures_util::{
    FutureExt as _, Sink, SinkExt as _, Stream,
    future::{Either, FusedFuture as _, select},
};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{
    Error as WsError, Message, Utf8Bytes,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use tracing::{Instrument as _, Span};

use crate::{
    Endpoint, Options,
    abuse::{Offence, Record},
    farewell::Farewell,
    first::first,
    frames::abuse,
    framing::encode,
    gathering::{BATCH, Gathering},
    halves::Half,
    heartbeat::Heartbeat,
    incoming::Incoming,
    lanes::{Lanes, refused, refused_as},
    outgoing::{Foreign, Out},
    request::{Action, Denied, Invalid, Request, RoomAction, invalid_room, parse},
    response::Frame,
    revocation::end_with_credentials,
    shortcut::{Doze, Lightly},
};

/// Speaks the protocol over a socket until either side ends it. `rooms` are joined first, as they were named by the client.
///
/// Any stream and sink of WebSocket frames will do. When this returns, the session has left all its rooms. Whoever can see bytes go
/// into the socket notes them in the outbox's [`Meter`](chatrooms_core::Meter).
///
/// No authenticator is asked here: the session ends when its identity expires, or when the host ends it.
///
/// # Cancel safety
/// Dropping it leaves all rooms at once and loses no message that was accepted.
pub async fn serve<S>(session: Session, socket: S, rooms: Vec<String>, options: Arc<Options>)
where
    S: Stream<Item = Result<Message, WsError>> + Sink<Message, Error = WsError> + Send + Unpin,
{
    let span = span(&session);
    let socket = Mutex::new(Foreign::new(socket));
    serve_vouched(&session, &socket, &Lightly, rooms, &options, None).instrument(span).await;
}

/// All that is logged while a session is served stands in here.
pub(crate) fn span(session: &Session) -> Span {
    tracing::info_span!(
        target: "chatrooms_ws",
        "chatrooms.session",
        session = %session.id(),
        user = ?session.identity().user()
    )
}

/// The same, for as long as the endpoint's authenticator vouches for the session, where there is one.
pub(crate) async fn serve_vouched<S>(
    session: &Session,
    socket: &Mutex<S>,
    doze: &impl Doze,
    rooms: Vec<String>,
    options: &Options,
    voucher: Option<&Endpoint>,
) where
    S: Stream<Item = Result<Message, WsError>> + Sink<Out, Error = WsError> + Send + Unpin,
{
    let (mut sink, stream) = (Half::new(socket), Half::new(socket));
    session.outbox().answer_first(hello(session, options));
    let violation = {
        let mut reader = pin!(read(session, stream, rooms, options, voucher));
        let mut writer = pin!(write(session.outbox(), &mut sink, doze, options));
        let ended = {
            let mut first = pin!(first(reader.as_mut(), writer.as_mut()));
            poll_fn(|context| {
                doze.get_up();
                let ended = first.as_mut().poll(context);
                // What is left to say at the end is the task's to write.
                if ended.is_pending() {
                    doze.lie_down();
                }
                ended
            })
            .await
        };
        match ended {
            // The client has gone: its rooms learn it now, its own close is still answered.
            Either::Left(violation) => {
                session.close(CloseReason::Gone);
                let _ = timeout(options.close_timeout, writer).await;
                violation
            }
            // The server ends it, or could not write: the client may still answer the close.
            Either::Right(said_goodbye) => {
                session.close(CloseReason::Gone);
                if said_goodbye {
                    let _ = timeout(options.close_timeout, reader).await;
                }
                None
            }
        }
    };
    if let Some(code) = violation {
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
        let _ = timeout(options.close_timeout, sink.send(Out::Control(close))).await;
    }
}

fn hello(session: &Session, options: &Options) -> Bytes {
    encode(&Frame::hello(session, session.id(), options.heartbeat, options.frame_bytes))
}

/// Reads and answers until the client is gone; returns how it broke the rules of WebSocket, where that is why.
async fn read<S>(
    session: &Session,
    stream: S,
    rooms: Vec<String>,
    options: &Options,
    voucher: Option<&Endpoint>,
) -> Option<CloseCode>
where
    S: Stream<Item = Result<Message, WsError>> + Unpin,
{
    // Boxed because it is over soon, and would lie in the session's task ever after.
    let mut first_rooms = Box::pin(join_first(session, rooms)).fuse();
    let mut lanes = Lanes::default();
    let mut incoming = Incoming::new(stream);
    // What the client asks before its first rooms are joined, or faster than it can be answered, has to wait. It is taken off the
    // socket all the same, because that is how the socket's end is noticed.
    let mut backlog = VecDeque::new();
    let mut record = Record::default();
    let mut deadline = Deadline::new(options.heartbeat.saturating_add(options.grace));
    let mut credentials = pin!(end_with_credentials(session, voucher));
    loop {
        tokio::select! {
            biased;
            () = &mut credentials => {}
            () = &mut first_rooms => {}
            () = lanes.advance(session) => {}
            arrived = incoming.take(&mut backlog, options.requests), if backlog.len() < options.requests => {
                deadline.heard();
                if let Err(error) = arrived {
                    return error.and_then(|error| violation(session, &error));
                }
            }
            () = deadline.passed() => session.close(CloseReason::HeartbeatTimeout),
        }
        // Who has been told to go, or does not take what it asks for, has nothing to ask any more.
        if session.outbox().closed().is_some() {
            session.close(CloseReason::Gone);
            backlog.clear();
        }
        while first_rooms.is_terminated()
            && lanes.under_way() < options.requests
            && let Some(frame) = backlog.pop_front()
        {
            let offence = answer(session, frame, &mut lanes);
            if let Some(offence) = offence.filter(|one| record.is_one_too_many(*one, options)) {
                end_abuse(session, offence.name());
                backlog.clear();
            }
        }
        // A short question can have a long answer: those that are there are written before more are made.
        if session.outbox().waiting().1 > BATCH {
            yield_now().await;
        }
    }
}

/// What the WebSocket layer cannot go on after: the code with which it is closed.
fn violation(session: &Session, error: &WsError) -> Option<CloseCode> {
    let (of, code) = match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        WsError::Protocol(_) => ("framing", CloseCode::Protocol),
        WsError::Utf8(_) => ("framing", CloseCode::Invalid),
        WsError::Capacity(_) => ("frame_bytes", CloseCode::Size),
        error => {
            end_abuse(session, abuse(error)?.name());
            return None;
        }
    };
    session.registry().count_offence(of);
    Some(code)
}

fn end_abuse(session: &Session, of: &'static str) {
    let user = session.identity().user();
    if session.registry().is_abuse_told(user) {
        tracing::warn!(
            name: "abuse",
            target: "chatrooms_ws",
            session = %session.id(),
            user = ?user,
            of,
            "a client abuses the protocol"
        );
    }
    session.registry().count_offence(of);
    session.close(CloseReason::Abuse);
}

/// Joins the rooms named in the request, one after the other.
async fn join_first(session: &Session, rooms: Vec<String>) {
    let mut joined: Vec<RoomName> = Vec::new();
    for given in rooms {
        let room = match RoomName::new(&given) {
            Ok(room) => room,
            Err(error) => {
                let invalid = invalid_room(error, &given);
                session.registry().count_refusal(invalid.code);
                session.outbox().answer(encode(&Frame::invalid(&invalid)));
                continue;
            }
        };
        if joined.contains(&room) {
            continue;
        }
        if let Err(error) = session.join(&room, Join::default()).await {
            session.registry().count_refusal(error.code());
            session.outbox().answer(encode(&Frame::error(None, Some(&given), &error)));
        }
        joined.push(room);
    }
}

/// Answers a frame, or sees to it that it is answered in its turn; says what was wrong with it.
fn answer<'s>(session: &'s Session, frame: Message, lanes: &mut Lanes<'s>) -> Option<Offence> {
    let parsed = match frame {
        Message::Text(text) => parse(&text),
        Message::Binary(_) => Err(Invalid::frame("frames are text, not binary")),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {
            return None;
        }
    };
    let Request { id, action } = match parsed {
        Ok(request) => request,
        Err(invalid) => {
            if let Some(answer) = refused_as(session, &invalid) {
                session.outbox().answer(answer);
            }
            return invalid.is_malformed().then_some(Offence::Malformed);
        }
    };
    if let Err(error) = session.count_request() {
        deny(session, id, action, error, lanes);
        return Some(Offence::Hasty);
    }
    if !matches!(action, Action::Room(..)) {
        // What was asked before has at least begun: whoever joins and asks who is there has joined, where nothing has to be waited for.
        lanes.go_on(session);
    }
    match action {
        Action::Room(room, action) => {
            let is_malformed =
                matches!(&action, RoomAction::Refuse(invalid) if invalid.is_malformed());
            lanes.push(room, id, action);
            return is_malformed.then_some(Offence::Malformed);
        }
        Action::Ping => session.outbox().answer(encode(&Frame::Pong { id })),
        // The answer is an event of the room, in one order with those who come and go.
        Action::Members { room, after } => {
            lanes.push_free(
                async move {
                    session.catch_up(&room).await;
                    let asked = session.ask_members(&room, after.as_ref(), id);
                    asked.err().map(|error| refused(session, id, &room, &error))
                }
                .boxed(),
            );
            // It has its place among what is told where nothing has to be waited for.
            lanes.go_on(session);
        }
        Action::History { room, before, limit } => lanes.push_free(
            async move {
                if before.is_none() {
                    session.catch_up(&room).await;
                }
                Some(match session.history(&room, before, limit).await {
                    Ok(page) => encode(&Frame::history(id, &room, &page)),
                    Err(error) => refused(session, id, &room, &error),
                })
            }
            .boxed(),
        ),
    }
    None
}

/// Refuses a request whatever it asks for, in the order in which it would have been answered.
fn deny(session: &Session, id: Option<u64>, action: Action, error: Error, lanes: &mut Lanes<'_>) {
    let answer = match action {
        Action::Room(room, action) => {
            let is_silent = id.is_none() && matches!(action, RoomAction::Signal { .. });
            lanes.push(room, id, RoomAction::Deny(Denied { error, is_silent }));
            return;
        }
        Action::Ping => {
            session.registry().count_refusal(error.code());
            encode(&Frame::error(id, None, &error))
        }
        Action::Members { room, .. } | Action::History { room, .. } => {
            refused(session, id, &room, &error)
        }
    };
    session.outbox().answer(answer);
}

/// When the client has been silent for too long.
struct Deadline {
    patience: Duration,
    heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    fn new(patience: Duration) -> Self {
        Self { patience, heard: Instant::now(), timer: Box::pin(sleep(patience)) }
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Returns when nothing has been heard for too long while this process was awake: one that was stopped, or starved, grants
    /// everybody one more period, because they could not be heard.
    ///
    /// # Cancel safety
    /// The timer goes on; it is set anew only when it has run out, so that a frame costs no timer.
    async fn passed(&mut self) {
        loop {
            self.timer.as_mut().await;
            let due = self.timer.deadline();
            if due.elapsed() >= LATE {
                self.heard();
            }
            let silent_until = after(self.heard, self.patience);
            let now = Instant::now();
            let is_over = silent_until <= now;
            self.timer.as_mut().reset(if is_over {
                after(now, self.patience)
            } else {
                silent_until
            });
            if is_over {
                return;
            }
        }
    }
}

/// Then, or as far away as makes no difference: a host that says "never" means it.
pub(crate) fn after(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    start + time.min(FAR)
}

/// A timer that runs out so much after its time says that nobody could run.
const LATE: Duration = Duration::from_secs(1);

/// Writes until the session has ended; says whether its client was told so.
async fn write<S>(outbox: &Outbox, sink: &mut S, doze: &impl Doze, options: &Options) -> bool
where
    S: Sink<Out, Error = WsError> + Unpin,
{
    let mut heartbeat = Heartbeat::new(options.heartbeat);
    let mut end_by = None;
    let mut gathering = Gathering::new();
    loop {
        let out = tokio::select! {
            biased;
            told = gathering.take(outbox, doze) => match told {
                Ok(items) => Out::Told(items),
                Err(reason) => {
                    let end_by = end_by.unwrap_or_else(|| after(Instant::now(), options.close_timeout));
                    let goodbye = Box::pin(say_goodbye(sink, &reason));
                    return timeout_at(end_by, goodbye).await == Ok(true);
                }
            },
            () = heartbeat.due() => Out::Control(Message::Ping(Bytes::new())),
        };
        let mut sending = pin!(sink.send(out));
        let sent = match sending.as_mut().now_or_never() {
            Some(sent) => sent.is_ok(),
            None => Box::pin(finish(sending, outbox, options, &mut end_by)).await,
        };
        if !sent {
            return false;
        }
    }
}

/// Waits for a write that the socket did not take at once: for as long as a write may take, and once the session has ended until `end_by`.
/// Says whether the socket still works.
async fn finish(
    sending: Pin<&mut impl Future<Output = Result<(), WsError>>>,
    outbox: &Outbox,
    options: &Options,
    end_by: &mut Option<Instant>,
) -> bool {
    let (end_by, sending) = match *end_by {
        Some(end_by) => (end_by, sending),
        None => match select(sending, pin!(stuck(outbox, options))).await {
            Either::Left((sent, _)) => return sent.is_ok(),
            Either::Right(((), sending)) => {
                (*end_by.insert(after(Instant::now(), options.close_timeout)), sending)
            }
        },
    };
    matches!(timeout_at(end_by, sending).await, Ok(Ok(())))
}

/// Waits until the session has ended while a write is under way, and ends it when the write takes too long.
async fn stuck(outbox: &Outbox, options: &Options) {
    if timeout(options.write_timeout, outbox.closing()).await.is_err() {
        outbox.close(CloseReason::SlowConsumer);
    }
}

/// Tells the client why, as far as it can still be told.
async fn say_goodbye<S>(sink: &mut S, reason: &CloseReason) -> bool
where
    S: Sink<Out, Error = WsError> + Unpin,
{
    let Some(farewell) = Farewell::new(reason) else {
        return sink.flush().await.is_ok();
    };
    let close =
        CloseFrame { code: CloseCode::from(farewell.close), reason: farewell.name().into() };
    let bye = Out::Told(vec![Outgoing::Answer(Arc::new(AnswerFrame::new(farewell.frame())))]);
    sink.feed(bye).await.is_ok()
        && sink.send(Out::Control(Message::Close(Some(close)))).await.is_ok()
}

#[cfg(test)]
mod tests;
