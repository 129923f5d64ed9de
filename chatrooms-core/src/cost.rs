//! Upper bounds of what things take on the wire, so that queues and answers can be bounded without encoding anything.
//!
//! The bound is that of JSON text: a control character takes 6 bytes, a quote or a backslash 2. The fixed part of each thing is
//! more than its field names, braces and numbers can take; the tests of the wire crate hold it against real frames.

use crate::{EventKind, Member, Message, RoomName};

const FRAME: usize = 96;
const MEMBER: usize = 64;
const MESSAGE: usize = 160;
const JOINED: usize = 256;
const NUMBER: usize = 21;

/// The most bytes that this text can take as a JSON string, quotes included.
pub(crate) fn text(text: &str) -> usize {
    let extra: usize = text
        .bytes()
        .map(|byte| match byte {
            0..=0x1f => 5,
            b'"' | b'\\' => 1,
            _ => 0,
        })
        .sum();
    2 + text.len() + extra
}

fn optional(value: Option<&str>) -> usize {
    value.map_or(0, text)
}

/// The most bytes of a member.
pub(crate) fn member(member: &Member) -> usize {
    MEMBER
        + text(member.user.as_str())
        + optional(member.name.as_deref())
        + member.meta.as_ref().map_or(0, |meta| meta.as_str().len())
}

/// The most bytes of a message.
pub(crate) fn message(message: &Message) -> usize {
    let draft = &message.draft;
    MESSAGE
        + draft.user.as_ref().map_or(4, |user| text(user.as_str()))
        + optional(draft.name.as_deref())
        + text(&draft.body)
        + draft.data.as_ref().map_or(0, |data| data.as_str().len())
        + draft.nonce.as_ref().map_or(0, |nonce| text(nonce.as_str()))
}

/// The most bytes of an event's frame.
pub(crate) fn frame(room: &RoomName, kind: &EventKind) -> usize {
    let kind = match kind {
        EventKind::Joined(joined) => {
            JOINED
                + joined.members.iter().map(member).sum::<usize>()
                + joined.messages.iter().map(|one| message(one)).sum::<usize>()
                + joined.redacted.len() * NUMBER
        }
        EventKind::Message(one) => message(one),
        EventKind::Redacted { by, .. } => NUMBER + by.as_ref().map_or(0, |by| text(by.as_str())),
        EventKind::Presence { joined, left } => {
            joined.iter().map(member).sum::<usize>()
                + left.iter().map(|user| 1 + text(user.as_str())).sum::<usize>()
        }
        EventKind::Signal { user, name, data } => {
            text(user.as_str()) + text(name) + data.as_ref().map_or(0, |data| data.as_str().len())
        }
        EventKind::Removed { reason, .. } => optional(reason.as_deref()) + NUMBER,
    };
    FRAME + text(room.as_str()) + kind
}
