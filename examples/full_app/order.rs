//! What the creator of a room can ask for.

use std::time::Duration;

use chatrooms::{Data, Epoch, ModerationError, Post, RoomName, RoomRegistry, UserName};
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
///
/// A ban and a mute are of a name, whether or not somebody is there by it: whoever says something and leaves at once is kept out too. So is somebody of
/// whom nobody has ever heard, which takes one of the places that a room has for bans and mutes, and can be lifted as any other.
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
    Unban {
        user: UserName,
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

/// Why it could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undone {
    /// Somebody is not there, or not any more.
    NotThere,
    /// It had been lifted, or was over.
    Lifted,
    /// There is as much of it as there may be.
    TooMany,
    /// The people are on other nodes, which cannot be told right now.
    Unavailable,
}

impl From<ModerationError> for Undone {
    fn from(error: ModerationError) -> Self {
        match error {
            ModerationError::TooMany { .. } => Self::TooMany,
            ModerationError::Unavailable => Self::Unavailable,
            _ => Self::NotThere,
        }
    }
}

impl Order {
    /// Reads a form; an error is what is wrong with it, in words.
    pub(crate) fn read(fields: &Fields) -> Result<Self, String> {
        let user = || username::read(&fields.user).map_err(words::about_user);
        Ok(match fields.action.as_str() {
            "kick" => Self::Kick { user: user()? },
            "ban" => Self::Ban { user: user()?, time: ban_time(&fields.seconds)? },
            "unban" => Self::Unban { user: user()? },
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
            | Self::Unban { user }
            | Self::Mute { user }
            | Self::Unmute { user } => Some(user),
            Self::Slow { .. } | Self::Close => None,
        }
    }

    /// Does it at once to one life of the room; what there is to say of it to everybody in there is left to say.
    pub(crate) async fn carry_out(
        &self,
        registry: &RoomRegistry,
        (room, life): (&RoomName, Epoch),
    ) -> Result<Option<Post>, Undone> {
        let moderation = registry.moderation(room).of(life);
        match self {
            Self::Kick { user } => {
                or(moderation.kick(user, Some(words::KICKED)).await? > 0, Undone::NotThere)?;
            }
            Self::Ban { user, time } => {
                moderation.ban(user, *time, Some(&words::banned(*time))).await?;
            }
            Self::Unban { user } => {
                or(moderation.unban(user).await?, Undone::Lifted)?;
                tell(registry, user, "unbanned", room);
            }
            Self::Mute { user } => {
                moderation.mute(user, None).await?;
                tell(registry, user, "muted", room);
            }
            Self::Unmute { user } => {
                or(moderation.unmute(user).await?, Undone::Lifted)?;
                tell(registry, user, "unmuted", room);
            }
            Self::Slow { wait } => {
                let is_new = moderation.slow_mode().await? != *wait;
                moderation.set_slow_mode(*wait).await?;
                return Ok(is_new.then(|| Post::new(words::slow(*wait))));
            }
            Self::Close => {
                or(moderation.close(Some(words::CLOSED)).await? > 0, Undone::NotThere)?;
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

const fn or(is: bool, else_why: Undone) -> Result<(), Undone> {
    if is { Ok(()) } else { Err(else_why) }
}

/// Tells the one whom it is about: nobody else need know.
fn tell(registry: &RoomRegistry, user: &UserName, what: &str, room: &RoomName) {
    let data = json!({ "room": room.as_str() });
    // Far from every limit. Whoever has no window open learns it from what they try to send.
    let _ = registry.notify(user, what, Some(Data::new(data.to_string())));
}

#[cfg(test)]
mod tests {
    use chatrooms::{Config, Error, EventKind, Identity, Join, Removal, Session};

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
            ("unban", "", Order::Unban { user: user.clone() }),
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

    /// The life of the room that is there now.
    async fn now<'a>(registry: &RoomRegistry, room: &'a RoomName) -> (&'a RoomName, Epoch) {
        (room, registry.room(room).await.unwrap().epoch)
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
        assert!(kick.carry_out(&registry, now(&registry, &lobby).await).await.is_ok());
        assert_eq!(removal(&mut eve).await, (Removal::Kicked, words::KICKED.to_owned()));
        eve.join(&lobby, Join::default()).await.unwrap();
        let ban = Order::Ban { user: name("eve"), time: Some(Duration::from_secs(600)) };
        assert!(ban.carry_out(&registry, now(&registry, &lobby).await).await.is_ok());
        let (code, reason) = removal(&mut eve).await;
        assert!(code == Removal::Banned && reason.contains("10 minutes"), "{reason}");
        assert!(eve.join(&lobby, Join::default()).await.is_err());
        let unban = Order::Unban { user: name("eve") };
        assert!(unban.carry_out(&registry, now(&registry, &lobby).await).await.is_ok());
        eve.join(&lobby, Join::default()).await.unwrap();
        assert!(Order::Close.carry_out(&registry, now(&registry, &lobby).await).await.is_ok());
        assert_eq!(removal(&mut ada).await, (Removal::RoomClosed, words::CLOSED.to_owned()));
    }

    #[tokio::test]
    async fn nobody_is_sent_out_who_is_not_there_and_nothing_lifted_that_is_not_imposed() {
        let (registry, lobby, _ada, _eve) = house().await;
        for (order, why) in [
            (Order::Kick { user: name("nobody") }, Undone::NotThere),
            (Order::Unban { user: name("eve") }, Undone::Lifted),
            (Order::Unmute { user: name("eve") }, Undone::Lifted),
        ] {
            let undone = order.carry_out(&registry, now(&registry, &lobby).await).await;
            assert_eq!(undone.err(), Some(why), "{order:?}");
        }
    }

    #[tokio::test]
    async fn whoever_has_left_is_banned_and_muted_all_the_same() {
        let (registry, lobby, _ada, eve) = house().await;
        let carried_out =
            async |order: Order| order.carry_out(&registry, now(&registry, &lobby).await).await;
        eve.leave(&lobby).unwrap();
        assert!(carried_out(Order::Ban { user: name("eve"), time: None }).await.is_ok());
        assert_eq!(eve.join(&lobby, Join::default()).await.unwrap_err(), Error::Banned);
        assert!(carried_out(Order::Mute { user: name("eve") }).await.is_ok());
        assert!(carried_out(Order::Unban { user: name("eve") }).await.is_ok());
        eve.join(&lobby, Join::default()).await.unwrap();
        let refused = eve.publish(&lobby, Post::new("but")).await;
        assert_eq!(refused.unwrap_err(), Error::Muted);
    }

    #[tokio::test]
    async fn nothing_is_done_to_the_life_that_has_begun_since_an_order_was_given() {
        let (registry, lobby, ada, eve) = house().await;
        let (_, ended) = now(&registry, &lobby).await;
        drop((ada, eve));
        let bob = registry.open_session(Identity::new(name("bob"))).unwrap();
        let eve = registry.open_session(Identity::new(name("eve"))).unwrap();
        for session in [&bob, &eve] {
            session.join(&lobby, Join::default()).await.unwrap();
        }
        let life = registry.moderation(&lobby);
        life.mute(&name("bob"), None).await.unwrap();
        life.ban(&name("cy"), None, None).await.unwrap();
        let user = || name("eve");
        for (order, why) in [
            (Order::Kick { user: user() }, Undone::NotThere),
            (Order::Ban { user: user(), time: None }, Undone::NotThere),
            (Order::Unban { user: name("cy") }, Undone::Lifted),
            (Order::Mute { user: user() }, Undone::NotThere),
            (Order::Unmute { user: name("bob") }, Undone::Lifted),
            (Order::Slow { wait: Duration::from_secs(5) }, Undone::NotThere),
            (Order::Close, Undone::NotThere),
        ] {
            let undone = order.carry_out(&registry, (&lobby, ended)).await;
            assert_eq!(undone.err(), Some(why), "{order:?}");
        }
        assert_eq!(registry.room(&lobby).await.unwrap().users, 2);
        assert_eq!(
            (life.muted().await.unwrap(), life.banned().await.unwrap()),
            (vec![name("bob")], vec![name("cy")])
        );
        assert!(life.slow_mode().await.unwrap().is_zero());
    }

    #[tokio::test]
    async fn there_is_an_end_to_bans_and_mutes() {
        let mut config = Config::default();
        config.sanctions_per_room = 1;
        let registry = RoomRegistry::builder().config(config).start().await.unwrap();
        let lobby = RoomName::new("lobby").unwrap();
        let session = registry.open_session(Identity::new(name("eve"))).unwrap();
        session.join(&lobby, Join::default()).await.unwrap();
        registry.moderation(&lobby).mute(&name("bob"), None).await.unwrap();
        for order in
            [Order::Ban { user: name("eve"), time: None }, Order::Mute { user: name("eve") }]
        {
            let undone = order.carry_out(&registry, now(&registry, &lobby).await).await;
            assert_eq!(undone.err(), Some(Undone::TooMany), "{order:?}");
        }
        assert_eq!(registry.room(&lobby).await.unwrap().users, 1, "nobody is removed either");
    }

    #[tokio::test]
    async fn a_mute_is_told_to_whom_it_is_about() {
        let (registry, lobby, _ada, mut eve) = house().await;
        assert!(
            Order::Mute { user: name("eve") }
                .carry_out(&registry, now(&registry, &lobby).await)
                .await
                .is_ok()
        );
        assert_eq!(registry.moderation(&lobby).muted().await.unwrap(), [name("eve")]);
        assert!(
            Order::Unmute { user: name("eve") }
                .carry_out(&registry, now(&registry, &lobby).await)
                .await
                .is_ok()
        );
        assert!(registry.moderation(&lobby).muted().await.unwrap().is_empty());
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
        assert!(slow.carry_out(&registry, now(&registry, &lobby).await).await.unwrap().is_some());
        assert_eq!(registry.moderation(&lobby).slow_mode().await.unwrap(), Duration::from_secs(5));
        assert!(
            slow.carry_out(&registry, now(&registry, &lobby).await).await.unwrap().is_none(),
            "it is no news"
        );
    }
}
