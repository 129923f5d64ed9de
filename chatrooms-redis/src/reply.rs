//! What the scripts say, read.

use std::{sync::Arc, time::Duration, vec};

use chatrooms_core::{
    ClusterError, Connected, Data, Draft, Edge, EdgeKind, Entry, Epoch, Exited, Known, Message,
    News, Nonce, Note, Passing, People, Removal, RoomName, RoomSummary, Timestamp, UserName,
};
use redis::Value;

use crate::{
    NAME,
    fields::{self, Fields},
};

/// The parts of an answer, in their order.
pub(crate) struct Reply(vec::IntoIter<Value>);

/// It is not what a script of this version says.
fn foreign() -> ClusterError {
    ClusterError::outcome_unknown(NAME, "an answer makes no sense: is another version at work?")
}

impl Reply {
    pub(crate) fn of(value: Value) -> Result<Self, ClusterError> {
        match value {
            Value::Array(parts) => Ok(Self(parts.into_iter())),
            Value::Nil => Ok(Self(Vec::new().into_iter())),
            _ => Err(foreign()),
        }
    }

    /// One that begins with a word, which is `ok` where there is more.
    pub(crate) fn ok(value: Value) -> Result<Self, ClusterError> {
        let mut reply = Self::of(value)?;
        match &*reply.text()? {
            "ok" => Ok(reply),
            "over" => Err(ClusterError::Over),
            "lost" => Err(ClusterError::Lost),
            "fenced" => Err(ClusterError::Fenced),
            "full" => Err(ClusterError::Full),
            "banned" => Err(ClusterError::Banned),
            _ => Err(foreign()),
        }
    }

    pub(crate) fn value(&mut self) -> Result<Value, ClusterError> {
        self.0.next().ok_or_else(foreign)
    }

    pub(crate) fn text(&mut self) -> Result<String, ClusterError> {
        text(self.value()?)
    }

    pub(crate) fn number(&mut self) -> Result<u64, ClusterError> {
        number(self.value()?)
    }

    pub(crate) fn count(&mut self) -> Result<usize, ClusterError> {
        usize::try_from(self.number()?).map_err(|_| foreign())
    }

    /// What became of a life, where somebody has exited.
    pub(crate) fn exited(&mut self) -> Result<Option<Exited>, ClusterError> {
        match self.value()? {
            Value::Int(code) => Ok(Some(exited(code))),
            Value::Nil => Ok(None),
            _ => Err(foreign()),
        }
    }

    pub(crate) fn list(&mut self) -> Result<Vec<Value>, ClusterError> {
        self.list_or_none()?.ok_or_else(foreign)
    }

    fn list_or_none(&mut self) -> Result<Option<Vec<Value>>, ClusterError> {
        match self.value()? {
            Value::Array(list) => Ok(Some(list)),
            Value::Nil => Ok(None),
            _ => Err(foreign()),
        }
    }
}

pub(crate) fn text(value: Value) -> Result<String, ClusterError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| foreign()),
        Value::SimpleString(text) => Ok(text),
        _ => Err(foreign()),
    }
}

pub(crate) fn number(value: Value) -> Result<u64, ClusterError> {
    match value {
        Value::Int(number) => u64::try_from(number).map_err(|_| foreign()),
        value => parsed(&text(value)?),
    }
}

pub(crate) fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, ClusterError> {
    text.parse().map_err(|_| foreign())
}

/// What became of a life: its linger in milliseconds, or one of two other numbers.
pub(crate) fn exited(code: i64) -> Exited {
    match u64::try_from(code) {
        Ok(0) => Exited::Gone,
        Ok(linger) => Exited::Lingers(Duration::from_millis(linger)),
        Err(_) => Exited::Ended,
    }
}

/// The draft as it is kept, which the scripts put the rest in front of.
pub(crate) fn draft(draft: &Draft) -> String {
    fields::of([
        draft.user.as_ref().map(UserName::as_str),
        draft.name.as_deref(),
        draft.nonce.as_ref().map(Nonce::as_str),
        Some(&draft.body),
        draft.data.as_ref().map(Data::as_str),
    ])
}

/// The key of a draft's nonce, where it has an author too.
pub(crate) fn nonce(draft: &Draft) -> String {
    match (&draft.user, &draft.nonce) {
        (Some(user), Some(nonce)) => fields::of([Some(user.as_str()), Some(nonce.as_str())]),
        _ => String::new(),
    }
}

pub(crate) fn messages(first: u64, list: Vec<Value>) -> Result<Vec<Arc<Message>>, ClusterError> {
    (first..).zip(list).map(|(seq, message)| self::message(seq, &text(message)?)).collect()
}

fn message(seq: u64, kept: &str) -> Result<Arc<Message>, ClusterError> {
    let mut fields = Fields(kept);
    let mut read = || {
        let at = Timestamp(fields.text()?.parse().ok()?);
        let redacted = fields.next()?.is_some();
        let draft = Draft {
            user: user(fields.next()?)?,
            name: fields.next()?.map(Into::into),
            nonce: fields.next()?.map_or(Some(None), |nonce| Nonce::new(nonce).map(Some))?,
            body: fields.text()?.into(),
            data: fields.next()?.map(Data::new),
        };
        Some(Arc::new(Message { seq, at, draft, redacted }))
    };
    read().ok_or_else(foreign)
}

/// `None` for a text that is no name.
fn user(field: Option<&str>) -> Option<Option<UserName>> {
    field.map_or(Some(None), |user| UserName::new(user).ok().map(Some))
}

/// Somebody who enters, as it is kept.
pub(crate) fn written_entry(entry: &Entry) -> String {
    let meta = entry.meta.as_ref().map(Data::as_str);
    fields::of([Some(entry.user.as_str()), entry.name.as_deref(), meta])
}

/// A connection's id and what it was entered with.
fn entry(fields: &mut Fields<'_>) -> Option<Arc<Entry>> {
    Some(Arc::new(Entry {
        connection: fields.text()?.parse().ok()?,
        user: user(fields.next()?)??,
        name: fields.next()?.map(Into::into),
        meta: fields.next()?.map(Data::new),
    }))
}

fn edge(number: u64, kept: &str) -> Result<Edge, ClusterError> {
    let mut fields = Fields(kept);
    let mut read = || {
        let seq = fields.text()?.parse().ok()?;
        let kind = match fields.text()? {
            "entered" => EdgeKind::Entered(entry(&mut fields)?),
            "exited" => EdgeKind::Exited(fields.text()?.parse().ok()?),
            "removed" => EdgeKind::Removed {
                connection: fields.text()?.parse().ok()?,
                code: removal(fields.text()?)?,
                reason: fields.next()?.map(Into::into),
            },
            "redacted" => {
                EdgeKind::Redacted { seq: fields.text()?.parse().ok()?, by: user(fields.next()?)? }
            }
            _ => return None,
        };
        Some(Edge { number, seq, kind })
    };
    read().ok_or_else(foreign)
}

fn removal(code: &str) -> Option<Removal> {
    [Removal::Kicked, Removal::Banned, Removal::RoomClosed].into_iter().find(|of| of.code() == code)
}

fn connected(kept: &str) -> Result<Connected, ClusterError> {
    let mut fields = Fields(kept);
    let mut read = || {
        let since = fields.text()?.parse().ok()?;
        Some(Connected { entry: entry(&mut fields)?, since })
    };
    read().ok_or_else(foreign)
}

/// A room as it stands: epoch, newest message and connections, and how many users those are of. `None` where nobody is in it.
pub(crate) fn summary(
    room: &RoomName,
    answers: &[Value],
) -> Result<Option<RoomSummary>, ClusterError> {
    let [state, users] = answers else { return Err(foreign()) };
    let mut state = Reply::of(state.clone())?;
    let Value::BulkString(epoch) = state.value()? else { return Ok(None) };
    let epoch = parsed(&text(Value::BulkString(epoch))?)?;
    let mut summary = RoomSummary::new(room.clone(), epoch);
    (summary.seq, summary.connections) = (state.number()?, state.count()?);
    summary.users = Reply(vec![users.clone()].into_iter()).count()?;
    Ok((summary.connections > 0).then_some(summary))
}

pub(crate) fn news(value: Value) -> Result<News, ClusterError> {
    let mut reply = Reply::of(value)?;
    let (head, oldest, first) = (reply.number()?, reply.number()?, reply.number()?);
    let is_next = reply.number()? == 1;
    let messages = messages(first, reply.list()?)?;
    let edge_number = reply.number()?;
    let (edges, people) = (reply.list_or_none()?, reply.list_or_none()?);
    let redacted = reply.list_or_none()?;
    let mut more = reply.number()? == 1;
    let note = reply.list_or_none()?.map(note).transpose()?;
    let people = match edges {
        Some(edges) => {
            let told = first + messages.len() as u64 - 1;
            let all = edges.len();
            let mut edges = (edge_number + 1..)
                .zip(edges)
                .map(|(number, kept)| edge(number, &text(kept)?))
                .collect::<Result<Vec<_>, _>>()?;
            if is_next {
                let within = edges.iter().take_while(|edge| edge.seq <= told).count();
                edges.truncate(within);
            }
            more |= edges.len() < all;
            People::Changed(edges)
        }
        None => {
            let people = people.unwrap_or_default();
            let read = people.into_iter().map(|kept| connected(&text(kept)?));
            let mut connected = read.collect::<Result<Vec<_>, _>>()?;
            connected.sort_unstable_by_key(|one| one.since);
            let redacted = redacted.unwrap_or_default().into_iter().map(number);
            let mut redacted = redacted.collect::<Result<Vec<_>, _>>()?;
            redacted.sort_unstable();
            People::All { edge: edge_number, connected, redacted }
        }
    };
    Ok(News { head, oldest, messages, people, more, note })
}

pub(crate) fn note(parts: Vec<Value>) -> Result<Note, ClusterError> {
    let mut reply = Reply(parts.into_iter());
    let (revision, text) = (reply.number()?, reply.text()?);
    let mut bans = Reply(reply.list()?.into_iter());
    let mut banned = Vec::new();
    while bans.0.len() > 0 {
        let user = parsed(&bans.text()?)?;
        let until = bans.text()?;
        let until = (until != FOR_EVER).then(|| parsed(&until).map(Timestamp)).transpose()?;
        banned.push((user, until));
    }
    banned.sort_unstable();
    Ok(Note { revision, text, banned })
}

/// For as long as the life lasts.
const FOR_EVER: &str = "-";

/// Who is banned, as the scripts take it.
pub(crate) fn written_bans(note: &Note) -> impl Iterator<Item = String> {
    note.banned.iter().flat_map(|(user, until)| {
        let until = until.map_or_else(|| FOR_EVER.to_owned(), |until| until.0.to_string());
        [user.as_str().to_owned(), until]
    })
}

/// What is announced: how far a life has come, or of one that was closed why.
pub(crate) enum Announced {
    Place(Known),
    Farewell(Epoch, Arc<str>),
    /// By whom it was passed on, too.
    Passing(String, Epoch, Passing),
}

/// What somebody passes on, as it is announced.
pub(crate) fn written_passing(by: &str, epoch: Epoch, passing: &Passing) -> String {
    let data = passing.data.as_ref().map(Data::as_str);
    let fields = fields::of([Some(by), Some(passing.user.as_str()), Some(&*passing.name), data]);
    format!("{epoch}!{fields}")
}

pub(crate) fn announced(said: &[u8]) -> Option<Announced> {
    let (epoch, rest) = std::str::from_utf8(said).ok()?.split_at_checked(32)?;
    let epoch = epoch.parse().ok()?;
    if let Some(passing) = rest.strip_prefix('!') {
        let mut fields = Fields(passing);
        let by = fields.text()?.to_owned();
        let user = UserName::new(fields.text()?).ok()?;
        let (name, data) = (fields.text()?.into(), fields.next()?.map(Data::new));
        return Some(Announced::Passing(by, epoch, Passing { user, name, data }));
    }
    let Some(place) = rest.strip_prefix(':') else {
        return Some(Announced::Farewell(epoch, Fields(rest).next()??.into()));
    };
    let mut numbers = place.split(':').map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    Some(Announced::Place(Known { epoch, seq: next()?, edge: next()?, note: next()? }))
}
