//! Events of an application's own: typed on this side, JSON beside the text on the wire.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    Data, Draft, Error, Event, EventKind, Message, Post, RoomName, RoomRegistry, Session, UserName,
};

/// An event of an application's own, such as a move in a game or a vote in a poll: any type that serde knows, most often an enum.
///
/// As a message it travels in the `data` beside the body, under its name: `{"poll":{"vote":{"option":2}}}`. A page sends and reads the same. As a signal or a
/// notice it goes under its name and is the `data`.
///
/// ```
/// use chatrooms_core::{AppEvent, EventKind, Identity, Join, Post, RoomName, RoomRegistry, UserName};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(rename_all = "snake_case")]
/// enum Poll {
///     Asked { question: String, options: Vec<String> },
///     Vote { option: usize },
/// }
///
/// impl AppEvent for Poll {
///     const NAME: &'static str = "poll";
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let registry = RoomRegistry::new();
/// # let lobby = RoomName::new("lobby")?;
/// let mut ada = registry.open_session(Identity::new(UserName::new("ada")?))?;
/// ada.join(&lobby, Join::default()).await?;
/// ada.publish(&lobby, Post::event(&Poll::Vote { option: 2 })?).await?;
///
/// ada.next().await; // she has joined
/// let told = ada.next().await.expect("the session is open");
/// assert_eq!(told.decode::<Poll>()?, Some(Poll::Vote { option: 2 }));
/// # Ok(())
/// # }
/// ```
///
/// A [`RoomPolicy`](crate::RoomPolicy) sees what clients send before anybody else does, and is where it is checked:
///
/// ```
/// # use chatrooms_core::{AppEvent, Draft, Error, Identity, RoomName, RoomPolicy, async_trait};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # #[serde(rename_all = "snake_case")]
/// # enum Poll { Vote { option: usize } }
/// # impl AppEvent for Poll { const NAME: &'static str = "poll"; }
/// #[derive(Debug)]
/// struct FairPolls;
///
/// #[async_trait]
/// impl RoomPolicy for FairPolls {
///     async fn before_publish(&self, _: &Identity, _: &RoomName, draft: Draft) -> Result<Draft, Error> {
///         // What calls itself a poll and is none is answered by `bad_request`.
///         if let Some(Poll::Vote { option }) = draft.decode::<Poll>()? && option > 9 {
///             return Err(Error::Refused { code: "x-no-such-option".into(), message: "there are ten".into() });
///         }
///         Ok(draft)
///     }
/// }
/// ```
pub trait AppEvent: Serialize + DeserializeOwned {
    /// What tells this kind of event from every other one of the application.
    const NAME: &'static str;

    /// What stands in the body of its message, for those who do not know this kind of event. It must not be empty.
    fn body(&self) -> Cow<'_, str> {
        Cow::Borrowed(Self::NAME)
    }
}

/// Data that is not what it should be, or an event that JSON cannot hold.
///
/// A policy may give it back by `?`: the client is answered by `bad_request`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {name}: {reason}")]
pub struct DataError {
    name: &'static str,
    /// It names places and types in the JSON, and never shows a text of it.
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Syntax,
    Mismatch { line: usize, column: usize },
    Unwritable,
}

impl DataError {
    fn reading(name: &'static str, error: &serde_json::Error) -> Self {
        let reason = if error.is_data() {
            Reason::Mismatch { line: error.line(), column: error.column() }
        } else {
            Reason::Syntax
        };
        Self { name, reason }
    }

    const fn writing(name: &'static str) -> Self {
        Self { name, reason: Reason::Unwritable }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("it is not JSON"),
            Self::Mismatch { line, column } => {
                write!(f, "it has another shape than expected at line {line}, column {column}")
            }
            Self::Unwritable => f.write_str("JSON cannot hold it"),
        }
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self::Refused { code: "bad_request".into(), message: error.to_string().into() }
    }
}

impl Data {
    /// Any value as JSON.
    ///
    /// # Errors
    /// [`DataError`] for a value that JSON cannot hold, such as a map whose keys are no texts.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, DataError> {
        let json = serde_json::to_string(value).map_err(|_| DataError::writing("data"))?;
        Ok(Self::new(json))
    }

    /// The value that this is.
    ///
    /// # Errors
    /// [`DataError`] where it is none of this type.
    pub fn to_value<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        read("data", self.as_str())
    }
}

impl Post {
    /// An event, with its body for those who do not know it.
    ///
    /// # Errors
    /// [`DataError`] for an event that JSON cannot hold.
    pub fn event<E: AppEvent>(event: &E) -> Result<Self, DataError> {
        let named = HashMap::from([(E::NAME, event)]);
        let data = Data::from_value(&named).map_err(|_| DataError::writing(E::NAME))?;
        Ok(Self::new(event.body().into_owned()).data(Some(data)))
    }
}

impl Draft {
    /// The event in it; `None` where there is none of this kind.
    ///
    /// # Errors
    /// [`DataError`] for something under the name of this kind that is not of this type.
    pub fn decode<E: AppEvent>(&self) -> Result<Option<E>, DataError> {
        let Some(data) = &self.data else { return Ok(None) };
        // What is no object is no event of anybody's.
        let named: HashMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(data.as_str()).unwrap_or_default();
        named.get(E::NAME).map(|json| read(E::NAME, json.get())).transpose()
    }
}

impl Message {
    /// The event in it; `None` where there is none of this kind, and for a message that has been taken back.
    ///
    /// # Errors
    /// As [`Draft::decode`].
    pub fn decode<E: AppEvent>(&self) -> Result<Option<E>, DataError> {
        self.draft.decode()
    }
}

impl Event {
    /// The application's event that this message, signal or notice is; `None` where it is none of this kind.
    ///
    /// # Errors
    /// As [`Draft::decode`].
    pub fn decode<E: AppEvent>(&self) -> Result<Option<E>, DataError> {
        match self.kind() {
            EventKind::Message(message) => message.decode(),
            EventKind::Signal { name, data, .. } | EventKind::Notice { name, data }
                if **name == *E::NAME =>
            {
                let json = data.as_ref().map_or("null", Data::as_str);
                read(E::NAME, json).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Session {
    /// Relays an event to all other sessions in a room, as [`signal`](Self::signal) does.
    ///
    /// # Errors
    /// As [`signal`](Self::signal), and a [`DataError`] for an event that JSON cannot hold.
    pub fn signal_event<E: AppEvent>(&self, room: &RoomName, event: &E) -> Result<(), Error> {
        self.signal(room, E::NAME, Some(Data::from_value(event)?))
    }
}

impl RoomRegistry {
    /// Tells a user an event on all of their sessions, as [`notify`](Self::notify) does.
    ///
    /// # Errors
    /// As [`notify`](Self::notify), and a [`DataError`] for an event that JSON cannot hold.
    pub fn notify_event<E: AppEvent>(&self, user: &UserName, event: &E) -> Result<usize, Error> {
        self.notify(user, E::NAME, Some(Data::from_value(event)?))
    }
}

fn read<T: DeserializeOwned>(name: &'static str, json: &str) -> Result<T, DataError> {
    serde_json::from_str(json).map_err(|error| DataError::reading(name, &error))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Game {
        Move { from: u8, to: u8 },
        Resign,
    }

    impl AppEvent for Game {
        const NAME: &'static str = "game";

        fn body(&self) -> Cow<'_, str> {
            match self {
                Self::Move { from, to } => format!("moves from {from} to {to}").into(),
                Self::Resign => "resigns".into(),
            }
        }
    }

    fn draft(data: &str) -> Draft {
        let ada = UserName::new("ada").unwrap();
        Draft { data: Some(Data::new(data)), ..Draft::new(ada, "text") }
    }

    #[test]
    fn an_event_stands_under_its_name_beside_a_text() {
        let post = Post::event(&Game::Move { from: 1, to: 2 }).unwrap();
        assert_eq!(&*post.body, "moves from 1 to 2");
        let data = post.data.unwrap();
        assert_eq!(data.as_str(), r#"{"game":{"move":{"from":1,"to":2}}}"#);
        assert_eq!(draft(data.as_str()).decode(), Ok(Some(Game::Move { from: 1, to: 2 })));
        let message = Message::new(1, crate::Timestamp(0), draft(data.as_str()));
        assert_eq!(message.decode(), Ok(Some(Game::Move { from: 1, to: 2 })));
        assert_eq!(message.redact().decode::<Game>(), Ok(None));
    }

    #[test]
    fn what_is_something_else_is_no_event() {
        for data in ["1", "[]", "null", "{}", r#"{"poll":1}"#, r#""game""#, "no json", "\u{0}"] {
            assert_eq!(draft(data).decode::<Game>(), Ok(None), "{data}");
        }
        assert_eq!(draft(r#"{"x":1,"g\u0061me":"resign"}"#).decode(), Ok(Some(Game::Resign)));
    }

    #[test]
    fn what_has_its_name_and_another_shape_is_an_error_that_quotes_nothing() {
        let error = draft(r#"{"game":{"secret":"words"}}"#).decode::<Game>().unwrap_err();
        assert!(!error.to_string().contains("secret") && !format!("{error:?}").contains("secret"));
        let shown = "malformed game: it has another shape than expected at line 1, column 9";
        assert_eq!(error.to_string(), shown);
        assert_eq!(Error::from(error).code(), "bad_request");
    }

    #[test]
    fn a_signal_or_a_notice_is_an_event_by_its_whole_name() {
        let told = |name: &str| {
            let data = Some(Data::new("\"resign\""));
            Event::outside(EventKind::Notice { name: name.into(), data }).decode::<Game>()
        };
        assert_eq!(told("game"), Ok(Some(Game::Resign)));
        assert_eq!((told("games"), told("gam"), told("")), (Ok(None), Ok(None), Ok(None)));
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        let map = HashMap::from([((1, 2), 3)]);
        let error = Data::from_value(&map).unwrap_err();
        assert_eq!(error.to_string(), "malformed data: JSON cannot hold it");
        assert_eq!(Data::from_value(&[1, 2]).unwrap().to_value(), Ok([1, 2]));
        assert!(Data::new("no json").to_value::<u8>().unwrap_err().to_string().contains("JSON"));
    }
}
