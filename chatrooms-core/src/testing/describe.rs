//! What a session was told, in words.

use std::fmt::Write as _;

use crate::{Data, Event, EventKind, Joined, Member, Message, Outgoing, UserName, sync::Arc};

/// An event in one line, without its room. What people say is in it: this is for tests, not for logs.
///
/// | what happened | the line |
/// |---|---|
/// | this session has joined | as [`describe_joined`] |
/// | a message | `3 ada: hello`, by the host itself `3 host: hello`, with data behind it `3 ada: hello {"a":1}` |
/// | a message was taken back | `3 taken back by ada` |
/// | users came and went | `+ada +bobx2 -eve`: bob with two connections |
/// | a signal | `ada typing`, with data behind it |
/// | a page of the members | `members [ada bobx2]`, with ` more` behind it where there are more |
/// | this session was removed | `removed kicked: be nice` |
/// | a notice | `notice maintenance`, with data behind it |
#[must_use]
pub fn describe(event: &Event) -> String {
    match event.kind() {
        EventKind::Joined(joined) => describe_joined(joined),
        EventKind::Message(message) => {
            let Message { seq, draft, .. } = &**message;
            format!(
                "{seq} {}: {}{}",
                by(draft.user.as_ref()),
                draft.body,
                beside(draft.data.as_ref())
            )
        }
        EventKind::Redacted { seq, by: who } => format!("{seq} taken back by {}", by(who.as_ref())),
        EventKind::Presence { joined, left } => presence(joined, left),
        EventKind::Signal { user, name, data } => format!("{user} {name}{}", beside(data.as_ref())),
        EventKind::Members { page, .. } => {
            let more = if page.more { " more" } else { "" };
            format!("members [{}]{more}", names(&page.members))
        }
        EventKind::Removed { code, reason } => match reason {
            Some(reason) => format!("removed {}: {reason}", code.code()),
            None => format!("removed {}", code.code()),
        },
        EventKind::Notice { name, data } => format!("notice {name}{}", beside(data.as_ref())),
    }
}

/// The answer to a join in one line, such as `joined at 7 [ada bobx2] (5 6! 7) more`: the newest message's number, who is there, with the number of
/// connections where there are several, the messages that came with it, a `!` behind those that were taken back, and whether older ones are
/// kept. A join that goes on where the client was begins with `resumed`, and ends with those of its messages that were taken back.
#[must_use]
pub fn describe_joined(joined: &Joined) -> String {
    let how = if joined.resumed { "resumed" } else { "joined" };
    let mut line = format!("{how} at {} [{}]", joined.seq, names(&joined.members));
    if joined.members_more {
        line.push_str(" and others");
    }
    if !joined.messages.is_empty() {
        let numbers = joined.messages.iter().map(|message| number(message)).collect::<Vec<_>>();
        let _ = write!(line, " ({})", numbers.join(" "));
    }
    if joined.more {
        line.push_str(" more");
    }
    if !joined.redacted.is_empty() {
        let _ = write!(line, " taken back {:?}", joined.redacted);
    }
    line
}

/// Each thing that happened behind the name of its room, where it has one.
pub(super) fn describe_outgoing(item: &Outgoing) -> String {
    if let Outgoing::Answer(answer) = item {
        return format!("answer {}", String::from_utf8_lossy(answer));
    }
    let line = |event: &Arc<Event>| match event.room() {
        Some(room) => format!("{room}: {}", describe(event)),
        None => describe(event),
    };
    item.events().iter().map(line).collect::<Vec<_>>().join(", ")
}

fn number(message: &Message) -> String {
    if message.redacted { format!("{}!", message.seq) } else { message.seq.to_string() }
}

fn by(user: Option<&UserName>) -> &str {
    user.map_or("host", UserName::as_str)
}

fn beside(data: Option<&Data>) -> String {
    data.map_or_else(String::new, |data| format!(" {}", data.as_str()))
}

fn presence(joined: &[Arc<Member>], left: &[UserName]) -> String {
    let came = joined.iter().map(|member| format!("+{}", name(member)));
    let went = left.iter().map(|user| format!("-{user}"));
    came.chain(went).collect::<Vec<_>>().join(" ")
}

fn names(members: &[Arc<Member>]) -> String {
    members.iter().map(|member| name(member)).collect::<Vec<_>>().join(" ")
}

/// With the number of connections where there are several.
fn name(member: &Member) -> String {
    match member.connections {
        1 => member.user.to_string(),
        several => format!("{}x{several}", member.user),
    }
}
