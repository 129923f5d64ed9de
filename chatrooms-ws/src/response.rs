//! What the server says over a socket.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use chatrooms_core::{
    Bundle, Config, Error, Event, EventKind, Joined, Page, RoomName, Sent, Session, SessionId,
    Timestamp, UserName,
};
use serde::Serialize;

use crate::{
    framing::encode,
    json::Raw,
    object::{MemberObject, MessageObject, PageObject, is_false, objects},
    request::Invalid,
};

/// A frame of this server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Frame<'a> {
    Hello {
        session: String,
        user: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        heartbeat_ms: u64,
        limits: Limits,
    },
    Joined(JoinedFrame<'a>),
    Left {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: &'a str,
    },
    Sent {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: &'a str,
        seq: u64,
        at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        nonce: Option<&'a str>,
        #[serde(skip_serializing_if = "is_false")]
        duplicate: bool,
    },
    Message {
        room: &'a str,
        #[serde(flatten)]
        message: MessageObject<'a>,
    },
    Redacted {
        room: &'a str,
        seq: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    },
    Presence {
        room: &'a str,
        joined: Vec<MemberObject<'a>>,
        left: &'a [UserName],
    },
    Signal {
        room: &'a str,
        user: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Raw<'a>>,
    },
    History {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: &'a str,
        #[serde(flatten)]
        page: PageObject<'a>,
    },
    Members {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        room: &'a str,
        members: Vec<MemberObject<'a>>,
        more: bool,
    },
    Removed {
        room: &'a str,
        code: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    Notice {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Raw<'a>>,
    },
    Ok {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        code: &'a str,
        message: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    Bye {
        code: &'a str,
        reason: &'a str,
        reconnect: bool,
        after_ms: u64,
    },
}

/// What applies to this client.
#[derive(Debug, Serialize)]
pub(crate) struct Limits {
    body_bytes: usize,
    data_bytes: usize,
    meta_bytes: usize,
    frame_bytes: usize,
    reply_bytes: usize,
    rooms_per_session: usize,
    sends_per_second: u32,
    history: usize,
    presence_exact: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct JoinedFrame<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    room: &'a str,
    epoch: String,
    seq: u64,
    resumed: bool,
    members: Vec<MemberObject<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    members_more: bool,
    messages: Vec<MessageObject<'a>>,
    more: bool,
    #[serde(skip_serializing_if = "<[u64]>::is_empty")]
    redacted: &'a [u64],
}

/// Whole milliseconds, never less than the time: who comes back when told to must not come too early.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl<'a> Frame<'a> {
    pub(crate) fn hello(
        session: &'a Session,
        id: SessionId,
        heartbeat: Duration,
        frame_bytes: usize,
    ) -> Self {
        let identity = session.identity();
        let config = session.registry().config();
        Self::Hello {
            session: id.to_string(),
            user: identity.user().as_str(),
            name: identity.name().map(|name| &**name),
            heartbeat_ms: millis(heartbeat),
            limits: Limits::new(config, frame_bytes),
        }
    }

    pub(crate) fn event(event: &'a Event) -> Option<Self> {
        // Only a notice has none.
        let room = event.room().map_or("", RoomName::as_str);
        Some(match event.kind() {
            EventKind::Joined(joined) => Self::Joined(JoinedFrame::new(room, joined)),
            EventKind::Message(message) => Self::Message { room, message: message.as_ref().into() },
            EventKind::Redacted { seq, by } => {
                Self::Redacted { room, seq: *seq, by: by.as_ref().map(UserName::as_str) }
            }
            EventKind::Presence { joined, left } => {
                Self::Presence { room, joined: objects(joined), left }
            }
            EventKind::Signal { user, name, data } => {
                Self::Signal { room, user: user.as_str(), name, data: data.as_ref().map(Raw) }
            }
            EventKind::Members { tag, page } => {
                Self::Members { id: *tag, room, members: objects(&page.members), more: page.more }
            }
            EventKind::Removed { code, reason } => {
                Self::Removed { room, code: code.code(), reason: reason.as_deref() }
            }
            EventKind::Notice { name, data } => Self::Notice { name, data: data.as_ref().map(Raw) },
            // A kind that this version of the wire does not know is not for its clients.
            _ => return None,
        })
    }

    pub(crate) fn sent(
        id: Option<u64>,
        room: &'a RoomName,
        sent: &Sent,
        nonce: Option<&'a str>,
    ) -> Self {
        Self::Sent {
            id,
            room: room.as_str(),
            seq: sent.seq,
            at: sent.at,
            nonce,
            duplicate: sent.duplicate,
        }
    }

    pub(crate) fn history(id: Option<u64>, room: &'a RoomName, page: &'a Page) -> Self {
        Self::History { id, room: room.as_str(), page: page.into() }
    }

    pub(crate) fn error(id: Option<u64>, room: Option<&'a str>, error: &'a Error) -> Self {
        let retry_after_ms = error.retry_after().map(|after| millis(after).max(1));
        Self::Error {
            id,
            code: error.code(),
            message: error.to_string().into(),
            room,
            retry_after_ms,
        }
    }

    pub(crate) fn invalid(invalid: &'a Invalid) -> Self {
        Self::Error {
            id: invalid.id,
            code: invalid.code,
            message: Cow::Borrowed(&invalid.message),
            room: invalid.room.as_deref(),
            retry_after_ms: None,
        }
    }
}

impl Limits {
    const fn new(config: &Config, frame_bytes: usize) -> Self {
        Self {
            body_bytes: config.body_bytes,
            data_bytes: config.data_bytes,
            meta_bytes: config.meta_bytes,
            frame_bytes,
            reply_bytes: config.reply_bytes,
            rooms_per_session: config.rooms_per_session,
            sends_per_second: config.sends_per_second,
            history: config.history,
            presence_exact: config.presence_exact,
        }
    }
}

impl<'a> JoinedFrame<'a> {
    fn new(room: &'a str, joined: &'a Joined) -> Self {
        Self {
            id: joined.tag,
            room,
            epoch: joined.epoch.to_string(),
            seq: joined.seq,
            resumed: joined.resumed,
            members: objects(&joined.members),
            members_more: joined.members_more,
            messages: joined.messages.iter().map(|message| message.as_ref().into()).collect(),
            more: joined.more,
            redacted: &joined.redacted,
        }
    }
}

/// The frame of an event: encoded for the first session that takes it, shared by all others. Empty where it is none that is sent.
pub(crate) fn event_frame(event: &Event) -> &Bytes {
    event.encoded(frame_of)
}

/// The frames of a bundle, one behind the other, likewise.
pub(crate) fn bundle_frames(bundle: &Bundle) -> &Bytes {
    bundle.encoded(|bundle| {
        let frames: Vec<_> = bundle.events().iter().map(|event| frame_of(event)).collect();
        frames.concat().into()
    })
}

fn frame_of(event: &Event) -> Bytes {
    Frame::event(event).map_or_else(Bytes::new, |frame| encode(&frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_never_told_too_short() {
        for (micros, expected) in [(0, 0), (1, 1), (49_000, 49), (49_200, 50), (49_999, 50)] {
            assert_eq!(millis(Duration::from_micros(micros)), expected, "{micros} us");
        }
        assert_eq!(millis(Duration::from_nanos(1)), 1);
        assert_eq!(millis(Duration::MAX), u64::MAX);
    }

    #[test]
    fn an_error_tells_its_time_to_wait_rounded_up() {
        let error = Error::RateLimited { retry_after: Duration::from_micros(49_200) };
        let frame: serde_json::Value =
            serde_json::to_value(Frame::error(None, None, &error)).unwrap();
        assert_eq!(frame["retry_after_ms"], 50);
        let error = Error::RateLimited { retry_after: Duration::ZERO };
        let frame: serde_json::Value =
            serde_json::to_value(Frame::error(None, None, &error)).unwrap();
        assert_eq!(frame["retry_after_ms"], 1);
    }
}
