//! What the creator of a room can ask for.

use std::time::Duration;

use chatrooms::{Data, Post, RoomName, RoomRegistry, UserName};
use serde::Deserialize;
use serde_json::json;

use crate::{username, words};

/// What a browser sends. A field that is missing is an empty one, and has the same answer.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    /// The life that is meant, as the page was told of it.
    pub(crate) epoch: String,
    action: String,
    user: String,
    seconds: String,
}

/// An order that makes sense, whoever gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Kick {
        user: UserName,
    },
    /// Without a time it is for as long as the room lives.
    Ban {
        user: UserName,
        time: Option<Duration>,
    },
    Mute {
        user: UserName,
    },
    Unmute {
        user: UserName,
    },
    Slow {
        wait: Duration,
    },
    Close,
}

/// It could not be done, because somebody is not there, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotThere;

impl Order {
    /// Reads a form; an error is what is wrong with it, in words.
    pub(crate) fn read(fields: &Fields) -> Result<Self, String> {
        let user = || username::read(&fields.user).map_err(words::about_user);
        Ok(match fields.action.as_str() {
            "kick" => Self::Kick { user: user()? },
            "ban" => Self::Ban { user: user()?, time: ban_time(&fields.seconds)? },
            "mute" => Self::Mute { user: user()? },
            "unmute" => Self::Unmute { user: user()? },
            "slow" => Self::Slow { wait: wait(&fields.seconds)? },
            "close" => Self::Close,
            _ => return Err(words::NO_ORDER.to_owned()),
        })
    }

    /// Whom it is about, where it is about one.
    pub(crate) const fn whom(&self) -> Option<&UserName> {
        match self {
            Self::Kick { user }
            | Self::Ban { user, .. }
            | Self::Mute { user }
            | Self::Unmute { user } => Some(user),
            Self::Slow { .. } | Self::Close => None,
        }
    }

    /// Does it at once; what there is to say of it to everybody in the room is left to say.
    pub(crate) fn carry_out(
        &self,
        registry: &RoomRegistry,
        room: &RoomName,
    ) -> Result<Option<Post>, NotThere> {
        match self {
            Self::Kick { user } => there(registry.kick(room, user, Some(words::KICKED)) > 0)?,
            Self::Ban { user, time } => {
                there(registry.connections(room, user) > 0)?;
                registry.ban(room, user, *time, Some(&words::banned(*time)));
            }
            Self::Mute { user } => {
                there(registry.connections(room, user) > 0 && registry.mute(room, user, None))?;
                tell(registry, user, "muted", room);
            }
            Self::Unmute { user } => {
                there(registry.unmute(room, user))?;
                tell(registry, user, "unmuted", room);
            }
            Self::Slow { wait } => {
                let is_new = registry.slow_mode_of(room) != *wait;
                there(registry.slow_mode(room, *wait))?;
                return Ok(is_new.then(|| Post::new(words::slow(*wait))));
            }
            Self::Close => {
                registry.close_room(room, Some(words::CLOSED));
            }
        }
        Ok(None)
    }
}

fn ban_time(seconds: &str) -> Result<Option<Duration>, String> {
    match seconds {
        "" => Ok(None),
        "600" => Ok(Some(Duration::from_secs(600))),
        "3600" => Ok(Some(Duration::from_secs(3600))),
        _ => Err(words::NO_TIME.to_owned()),
    }
}

fn wait(seconds: &str) -> Result<Duration, String> {
    match seconds {
        "0" => Ok(Duration::ZERO),
        "5" => Ok(Duration::from_secs(5)),
        "30" => Ok(Duration::from_secs(30)),
        _ => Err(words::NO_TIME.to_owned()),
    }
}

const fn there(is: bool) -> Result<(), NotThere> {
    if is { Ok(()) } else { Err(NotThere) }
}

/// Tells the one whom it is about: nobody else need know.
fn tell(registry: &RoomRegistry, user: &UserName, what: &str, room: &RoomName) {
    let data = json!({ "room": room.as_str() });
    // Far from every limit. Whoever has no window open learns it from what they try to send.
    let _ = registry.notify(user, what, Some(Data::new(data.to_string())));
}

#[cfg(test)]
mod tests {
    use chatrooms::{EventKind, Identity, Join, Removal, Session};

    use super::*;

    fn fields(action: &str, user: &str, seconds: &str) -> Fields {
        let [action, user, seconds] = [action, user, seconds].map(ToOwned::to_owned);
        Fields { action, user, seconds, ..Fields::default() }
    }

    fn name(user: &str) -> UserName {
        UserName::new(user).unwrap()
    }

    #[test]
    fn an_order_is_read_as_it_is_meant() {
        let (user, time) = (name("eve"), Some(Duration::from_secs(600)));
        for (action, seconds, order) in [
            ("kick", "", Order::Kick { user: user.clone() }),
            ("ban", "600", Order::Ban { user: user.clone(), time }),
            ("ban", "", Order::Ban { user: user.clone(), time: None }),
            ("mute", "", Order::Mute { user: user.clone() }),
            ("unmute", "", Order::Unmute { user }),
            ("slow", "0", Order::Slow { wait: Duration::ZERO }),
            ("slow", "30", Order::Slow { wait: Duration::from_secs(30) }),
            ("close", "", Order::Close),
        ] {
            assert_eq!(Order::read(&fields(action, " eve ", seconds)), Ok(order));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        for (action, user, seconds, why) in [
            ("", "eve", "", words::NO_ORDER),
            ("Kick", "eve", "", words::NO_ORDER),
            ("ban", "eve", "-1", words::NO_TIME),
            ("ban", "eve", "60", words::NO_TIME),
            ("slow", "", "", words::NO_TIME),
            ("slow", "", "1", words::NO_TIME),
        ] {
            assert_eq!(Order::read(&fields(action, user, seconds)), Err(why.to_owned()));
        }
        for user in ["", "..", "a\u{202e}b", &"x".repeat(65)] {
            assert!(Order::read(&fields("kick", user, "")).is_err(), "{user:?}");
        }
    }

    async fn house() -> (RoomRegistry, RoomName, Session, Session) {
        let (registry, lobby) = (RoomRegistry::new(), RoomName::new("lobby").unwrap());
        let ada = registry.open_session(Identity::new(name("ada"))).unwrap();
        let eve = registry.open_session(Identity::new(name("eve"))).unwrap();
        for session in [&ada, &eve] {
            session.join(&lobby, Join::default()).await.unwrap();
        }
        (registry, lobby, ada, eve)
    }

    async fn removal(session: &mut Session) -> (Removal, String) {
        while let Some(event) = session.next().await {
            if let EventKind::Removed { code, reason } = event.kind() {
                return (*code, reason.as_deref().unwrap_or_default().to_owned());
            }
        }
        panic!("the session has ended");
    }

    #[tokio::test]
    async fn whoever_is_removed_is_told_why() {
        let (registry, lobby, mut ada, mut eve) = house().await;
        let kick = Order::Kick { user: name("eve") };
        assert!(kick.carry_out(&registry, &lobby).is_ok());
        assert_eq!(removal(&mut eve).await, (Removal::Kicked, words::KICKED.to_owned()));
        eve.join(&lobby, Join::default()).await.unwrap();
        let ban = Order::Ban { user: name("eve"), time: Some(Duration::from_secs(600)) };
        assert!(ban.carry_out(&registry, &lobby).is_ok());
        let (code, reason) = removal(&mut eve).await;
        assert!(code == Removal::Banned && reason.contains("10 minutes"), "{reason}");
        assert!(eve.join(&lobby, Join::default()).await.is_err());
        assert!(Order::Close.carry_out(&registry, &lobby).is_ok());
        assert_eq!(removal(&mut ada).await, (Removal::RoomClosed, words::CLOSED.to_owned()));
    }

    #[tokio::test]
    async fn nothing_is_done_to_those_who_are_not_there() {
        let (registry, lobby, _ada, _eve) = house().await;
        let user = || name("nobody");
        for order in [
            Order::Kick { user: user() },
            Order::Ban { user: user(), time: None },
            Order::Mute { user: user() },
            Order::Unmute { user: name("eve") },
        ] {
            assert_eq!(order.carry_out(&registry, &lobby).err(), Some(NotThere), "{order:?}");
        }
        assert!(registry.muted(&lobby).is_empty());
        let nobody = registry.open_session(Identity::new(user())).unwrap();
        nobody.join(&lobby, Join::default()).await.expect("no ban was left behind");
    }

    #[tokio::test]
    async fn a_mute_is_told_to_whom_it_is_about() {
        let (registry, lobby, _ada, mut eve) = house().await;
        assert!(Order::Mute { user: name("eve") }.carry_out(&registry, &lobby).is_ok());
        assert_eq!(registry.muted(&lobby), [name("eve")]);
        assert!(Order::Unmute { user: name("eve") }.carry_out(&registry, &lobby).is_ok());
        assert!(registry.muted(&lobby).is_empty());
        let mut told = Vec::new();
        while told.len() < 2 {
            if let EventKind::Notice { name, .. } = eve.next().await.unwrap().kind() {
                told.push(name.to_string());
            }
        }
        assert_eq!(told, ["muted", "unmuted"]);
    }

    #[tokio::test]
    async fn everybody_is_told_of_slow_mode_once() {
        let (registry, lobby, _ada, _eve) = house().await;
        let slow = Order::Slow { wait: Duration::from_secs(5) };
        assert!(slow.carry_out(&registry, &lobby).unwrap().is_some());
        assert_eq!(registry.slow_mode_of(&lobby), Duration::from_secs(5));
        assert!(slow.carry_out(&registry, &lobby).unwrap().is_none(), "it is no news");
    }
}
