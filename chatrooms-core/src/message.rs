//! What is said in a room: drafts, and the messages that a store has made of them.

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{UserName, sync::millis};

/// Milliseconds since the Unix epoch, for show only: the order is that of the sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The wall clock's time; 0 for a clock that stands before 1970.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(millis(since))
    }
}

/// A sender's own mark on a message, 1 to 64 bytes: sending it again with the same nonce never
/// stores it twice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nonce(Arc<str>);

impl Nonce {
    /// The most bytes a nonce may have.
    pub const MAX_BYTES: usize = 64;

    /// Checks a nonce; `None` for an empty one or one over [`Nonce::MAX_BYTES`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (1..=Self::MAX_BYTES).contains(&text.len()).then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Application data beside a body: a text that this crate carries untouched and never reads.
///
/// On the wire it is a JSON value in its compact form.
#[derive(Clone, PartialEq, Eq)]
pub struct Data(Arc<str>);

impl Data {
    /// Wraps a text; over the wire it has to be one valid JSON value.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Data {
    // What people say to each other does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.0.len())
    }
}

/// A message that has no place in the order yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// Who says it; `None` is the host itself.
    pub user: Option<UserName>,
    /// The display name of the user.
    pub name: Option<Arc<str>>,
    /// The text.
    pub body: Arc<str>,
    /// Application data beside it.
    pub data: Option<Data>,
    /// The sender's own mark; without a user it is not looked at.
    pub nonce: Option<Nonce>,
}

impl Draft {
    /// A plain text by a user.
    #[must_use]
    pub fn new(user: UserName, body: impl Into<Arc<str>>) -> Self {
        Self { user: Some(user), name: None, body: body.into(), data: None, nonce: None }
    }

    /// The bytes of text in it, which is what memory bounds count.
    #[must_use]
    pub fn size(&self) -> usize {
        self.body.len() + self.data.as_ref().map_or(0, |data| data.as_str().len())
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("user", &self.user)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("data", &self.data)
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}

/// A message that a store has accepted: it has its place in the order of its life.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place in the life, from 1, dense.
    pub seq: u64,
    /// When the store accepted it.
    pub at: Timestamp,
    /// What was said; for a redacted message an empty body and no data.
    pub draft: Draft,
    /// Whether it has been taken back.
    pub redacted: bool,
}

impl Message {
    /// A draft that has got its place.
    #[must_use]
    pub const fn new(seq: u64, at: Timestamp, draft: Draft) -> Self {
        Self { seq, at, draft, redacted: false }
    }

    /// The same message taken back: it keeps its place, its author and its nonce, and says nothing.
    #[must_use]
    pub fn redact(&self) -> Self {
        let draft = Draft { body: "".into(), data: None, ..self.draft.clone() };
        Self { seq: self.seq, at: self.at, draft, redacted: true }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("seq", &self.seq)
            .field("at", &self.at)
            .field("draft", &self.draft)
            .field("redacted", &self.redacted)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_a_body() {
        let mut draft = Draft::new(UserName::new("ada").unwrap(), "secret words");
        draft.data = Some(Data::new("\"secret data\""));
        let shown = format!("{:?}", Message::new(1, Timestamp(0), draft));
        assert!(shown.contains("ada") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_redacted_message_keeps_its_place_and_says_nothing() {
        let mut draft = Draft::new(UserName::new("ada").unwrap(), "oops");
        draft.data = Some(Data::new("1"));
        draft.nonce = Nonce::new("n");
        let redacted = Message::new(7, Timestamp(5), draft).redact();
        assert_eq!((redacted.seq, redacted.at, redacted.redacted), (7, Timestamp(5), true));
        assert_eq!((&*redacted.draft.body, redacted.draft.data), ("", None));
        assert_eq!(redacted.draft.nonce, Nonce::new("n"));
    }

    #[test]
    fn a_nonce_has_1_to_64_bytes() {
        assert!(Nonce::new("").is_none() && Nonce::new(&"n".repeat(65)).is_none());
        assert!(Nonce::new(&"n".repeat(64)).is_some());
    }
}
