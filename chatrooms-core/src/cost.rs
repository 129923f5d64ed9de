//! Upper bounds of what things take on the wire, so that queues and answers can be bounded without encoding anything.
//!
//! The bound is that of JSON text: a control character takes 6 bytes, a quote or a backslash 2. The fixed part of each thing is
//! more than its field names, braces and numbers can take; the tests of the wire crate hold it against real frames.

use crate::{Config, EventKind, MAX_NAME_BYTES, Member, Message, Nonce, RoomName, sync::Arc};

const FRAME: usize = 96;
/// The least of any member.
pub(crate) const MEMBER: usize = 64;
const MESSAGE: usize = 160;
const JOINED: usize = 256;
/// A number in a list, with its comma.
pub(crate) const NUMBER: usize = 21;
/// The most bytes that one byte of a text can take.
const ESCAPED: usize = 6;
/// The most bytes of a display name, which unlike a user name may hold anything.
const LARGEST_NAME: usize = MAX_NAME_BYTES * ESCAPED;
/// The most bytes of a user name: quotes and backslashes at worst.
const LARGEST_USER: usize = MAX_NAME_BYTES * 2;

/// The most bytes that this text can take as a JSON string, quotes included.
pub(crate) fn text(text: &str) -> usize {
    let extra = |byte: &u8| 5 * u8::from(*byte < 0x20) + u8::from(matches!(byte, b'"' | b'\\'));
    // Sums that fit into a byte are made for many bytes at once.
    let extras = text.as_bytes().chunks(32).map(|some| some.iter().map(extra).sum::<u8>());
    2 + text.len() + extras.map(usize::from).sum::<usize>()
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

/// The most bytes of any member that these bounds allow.
pub(crate) const fn largest_member(config: &Config) -> usize {
    MEMBER.saturating_add(LARGEST_USER + LARGEST_NAME).saturating_add(config.meta_bytes)
}

/// The most bytes of any message that these bounds allow.
pub(crate) const fn largest_message(config: &Config) -> usize {
    MESSAGE
        .saturating_add(LARGEST_USER + LARGEST_NAME)
        .saturating_add(config.body_bytes.saturating_mul(ESCAPED))
        .saturating_add(config.data_bytes)
        .saturating_add(Nonce::MAX_BYTES * ESCAPED)
}

/// The most bytes of the answer to a join, after those of its members and of its messages.
pub(crate) const fn joined(members: usize, messages: usize, redacted: usize) -> usize {
    JOINED + members + messages + redacted * NUMBER
}

fn members(members: &[Arc<Member>]) -> usize {
    members.iter().map(|one| member(one)).sum()
}

/// The most bytes of an event's frame around its content.
pub(crate) fn envelope(room: Option<&RoomName>) -> usize {
    FRAME + room.map_or(0, |room| text(room.as_str()))
}

/// The most bytes of what an event's frame is about.
pub(crate) fn content(kind: &EventKind) -> usize {
    match kind {
        EventKind::Joined(join) => {
            let messages = join.messages.iter().map(|one| message(one)).sum();
            joined(members(&join.members), messages, join.redacted.len())
        }
        EventKind::Message(one) => message(one),
        EventKind::Redacted { by, .. } => NUMBER + by.as_ref().map_or(0, |by| text(by.as_str())),
        EventKind::Presence { joined, left } => {
            members(joined) + left.iter().map(|user| 1 + text(user.as_str())).sum::<usize>()
        }
        EventKind::Signal { user, name, data } => {
            text(user.as_str()) + text(name) + data.as_ref().map_or(0, |data| data.as_str().len())
        }
        EventKind::Members { page, .. } => JOINED + members(&page.members),
        EventKind::Removed { reason, .. } => optional(reason.as_deref()) + NUMBER,
        EventKind::Notice { name, data } => {
            text(name) + data.as_ref().map_or(0, |data| data.as_str().len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Data, Draft, Identity, Timestamp, UserName};

    #[test]
    fn a_text_costs_what_it_takes_in_json() {
        assert_eq!(text("plain"), 7);
        assert_eq!(text("\"\\"), 6);
        assert_eq!(text("\u{1}"), 8);
        assert_eq!(text("é"), 4);
    }

    #[test]
    fn nothing_costs_more_than_the_bounds_allow() {
        let config = Config::default();
        let user = UserName::new(&"\"".repeat(64)).unwrap();
        let identity = Identity::new(user.clone()).display_name(&"\u{1}".repeat(300));
        let name = identity.name().cloned();
        let draft = Draft {
            user: Some(user.clone()),
            name: name.clone(),
            body: "\u{1}".repeat(config.body_bytes).into(),
            data: Some(Data::new("1".repeat(config.data_bytes))),
            nonce: Nonce::new(&"\u{1}".repeat(Nonce::MAX_BYTES)),
        };
        let largest = Message::new(u64::MAX, Timestamp(u64::MAX), draft);
        assert!(message(&largest) <= largest_message(&config));
        let meta = Some(Data::new("1".repeat(config.meta_bytes)));
        let largest = Member { user, name, connections: 1, meta };
        assert!(member(&largest) <= largest_member(&config));
    }
}
