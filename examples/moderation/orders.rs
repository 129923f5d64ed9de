//! What moderators can ask for.

use std::time::Duration;

use chatrooms::{Error, ModerationError, RoomName, RoomRegistry, UserName};
use serde::Deserialize;

/// In the chat a line such as `/mute eve 60`, over HTTP JSON such as `{"mute":{"user":"eve","seconds":60}}`. Without a time it is for as long as the room
/// lives.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    Kick { user: String },
    Mute { user: String, seconds: Option<u64> },
    Unmute { user: String },
    Ban { user: String, seconds: Option<u64> },
    Unban { user: String },
    Slow { seconds: u64 },
}

impl Order {
    pub(crate) const HELP: &str =
        "I know /kick, /mute, /unmute, /ban and /unban NAME [SECONDS], and /slow SECONDS";

    /// Reads a line of the chat, without its slash. Names may have spaces.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (verb, rest) = line.trim().split_once(' ')?;
        let (name, seconds) = match rest.rsplit_once(' ') {
            Some((name, last)) if last.parse::<u64>().is_ok() => (name, last.parse().ok()),
            _ => (rest, None),
        };
        let user = name.to_owned();
        Some(match (verb, seconds) {
            ("kick", None) => Self::Kick { user },
            ("mute", seconds) => Self::Mute { user, seconds },
            ("unmute", None) => Self::Unmute { user },
            ("ban", seconds) => Self::Ban { user, seconds },
            ("unban", None) => Self::Unban { user },
            ("slow", None) => Self::Slow { seconds: rest.parse().ok()? },
            _ => return None,
        })
    }

    /// Does it, and says what was done. Doing it twice does no harm, so that a line which a client sends again may come again.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such room, or nothing that could be changed for that user; [`Error::Refused`] where the room has as many bans
    /// and mutes as it may have; [`Error::StoreUnavailable`] where it is a room of other nodes, which cannot be told right now.
    pub(crate) async fn carry_out(
        &self,
        registry: &RoomRegistry,
        room: &RoomName,
    ) -> Result<String, Error> {
        const BY: Option<&str> = Some("by a moderator");
        registry.room(room).await?;
        let room = registry.moderation(room);
        let is_done = match self {
            Self::Kick { user } => room.kick(&name(user)?, BY).await.map_err(why_not)? > 0,
            Self::Mute { user, seconds } => {
                room.mute(&name(user)?, time(*seconds)).await.map_err(why_not)?;
                true
            }
            Self::Unmute { user } => room.unmute(&name(user)?).await.map_err(why_not)?,
            Self::Ban { user, seconds } => {
                // Who is not here is kept out, too.
                room.ban(&name(user)?, time(*seconds), BY).await.map_err(why_not)?;
                true
            }
            Self::Unban { user } => room.unban(&name(user)?).await.map_err(why_not)?,
            Self::Slow { seconds } => {
                room.set_slow_mode(Duration::from_secs(*seconds)).await.map_err(why_not)?;
                true
            }
        };
        if is_done { Ok(self.told()) } else { Err(Error::NotFound) }
    }

    fn told(&self) -> String {
        let term =
            |seconds: &Option<u64>| seconds.map_or_else(String::new, |n| format!(" for {n} s"));
        match self {
            Self::Kick { user } => format!("kicks {user}"),
            Self::Mute { user, seconds } => format!("mutes {user}{}", term(seconds)),
            Self::Unmute { user } => format!("unmutes {user}"),
            Self::Ban { user, seconds } => format!("bans {user}{}", term(seconds)),
            Self::Unban { user } => format!("unbans {user}"),
            Self::Slow { seconds: 0 } => "lets everybody speak freely".to_owned(),
            Self::Slow { seconds } => format!("allows one message in {seconds} s"),
        }
    }
}

fn why_not(error: ModerationError) -> Error {
    match error {
        ModerationError::TooMany { .. } => {
            Error::Refused { code: "x-too-many".into(), message: error.to_string().into() }
        }
        ModerationError::Unavailable => Error::StoreUnavailable,
        _ => Error::NotFound,
    }
}

fn name(user: &str) -> Result<UserName, Error> {
    UserName::new(user).map_err(|_| Error::NotFound)
}

fn time(seconds: Option<u64>) -> Option<Duration> {
    seconds.map(Duration::from_secs)
}
