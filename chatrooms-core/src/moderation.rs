//! What the host does to people and rooms: kick, ban, mute, slow mode, close.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Epoch, Error, Post, Removal, RoomName, RoomRegistry, Sent, UserName, room::Room,
    sanctions::Sanctions, sync::Arc,
};

/// What a host does to the people in a room, and to the room: see [`RoomRegistry::moderation`].
///
/// Bans, mutes and slow mode belong to the life of a room, also while it lingers, and end with it. What has to last is the host's to keep, and its policy's to
/// enforce.
///
/// # Which life
/// What is done is done to the life that is there at that moment. Who has been found to be allowed to moderate *one* life, such as its creator, says so by
/// [`of`](Self::of): then nothing is ever done to another one, whatever has happened in between.
///
/// # What a store has to do with it
/// Everything holds as soon as the call returns, whether the store can be reached or not: nothing waits for it. The store is told in the background, and asked again until it has kept
/// the newest of what holds, so that it [holds after a restart too](crate::Config::linger), where the life goes on. Only a process that dies before that, or stops with a store that
/// takes nothing to the last, loses what was new; the latter is [reported](crate::ShutdownReport::unkept_sanctions). Each try that fails is logged and counted as the operation `note`.
///
/// ```
/// # use std::time::Duration;
/// # use chatrooms_core::{Identity, Join, ModerationError, RoomName, RoomRegistry, UserName};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let rooms = RoomRegistry::new();
/// let (lobby, eve): (RoomName, UserName) = ("lobby".parse()?, "eve".parse()?);
/// let ada = rooms.open_session(Identity::new("ada".parse()?))?;
/// let first = ada.join(&lobby, Join::default()).await?.epoch;
/// rooms.moderation(&lobby).ban(&eve, Some(Duration::from_secs(600)), Some("too loud"))?;
/// assert_eq!(rooms.moderation(&lobby).banned(), [eve.clone()]);
///
/// // Another life begins: what was meant for the first one does nothing to it.
/// ada.leave(&lobby)?;
/// ada.join(&lobby, Join::default()).await?;
/// let late = rooms.moderation(&lobby).of(first).mute(&eve, None);
/// assert_eq!(late, Err(ModerationError::NotFound));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing by itself"]
pub struct Moderation<'a> {
    registry: &'a RoomRegistry,
    room: &'a RoomName,
    /// The only life that is meant.
    life: Option<Epoch>,
}

/// Why something was not imposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModerationError {
    /// There is no such room that is open, or its life is not the one that is [meant](Moderation::of).
    #[error("there is no such room")]
    NotFound,
    /// There are as many bans and mutes as there may be ([`Config::sanctions_per_room`](crate::Config::sanctions_per_room)).
    #[error("there are {limit} bans and mutes in that room already: lift one first")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
}

impl RoomRegistry {
    /// Moderates a room.
    pub const fn moderation<'a>(&'a self, room: &'a RoomName) -> Moderation<'a> {
        Moderation { registry: self, room, life: None }
    }
}

impl Moderation<'_> {
    /// The same for one life alone: where the room lives another one by then, it is as if there was no such room.
    pub const fn of(self, life: Epoch) -> Self {
        Self { life: Some(life), ..self }
    }

    /// Removes a user; says how many connections that were. They may come again.
    pub fn kick(&self, user: &UserName, reason: Option<&str>) -> usize {
        self.remove(Some(user), Removal::Kicked, reason)
    }

    /// Keeps a user out for so long, and for the rest of the room's life at most, and removes them; says how many connections that were. They need not be
    /// there, nor ever have been.
    ///
    /// A ban lasts no longer than the life of the room: whoever was alone there, and is banned, ends that life and the ban with it. Who must stay out of a
    /// room's next life too is refused by the policy's [`may_join`](crate::RoomPolicy::may_join).
    ///
    /// # Errors
    /// [`ModerationError::NotFound`], also while the room still opens; [`ModerationError::TooMany`]: then they are not removed either.
    pub fn ban(
        &self,
        user: &UserName,
        time: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<usize, ModerationError> {
        let (room, until) = (self.found()?, end(time));
        self.impose(&room, |sanctions, limit| sanctions.ban(user.clone(), until, limit))??;
        // By the room and not by its name, which may be another life's by now.
        Ok(room.remove(Some(user), Removal::Banned, reason.map(Into::into), self.registry.shared()))
    }

    /// Lifts a ban; says whether there was one.
    pub fn unban(&self, user: &UserName) -> bool {
        self.change(|sanctions, _| sanctions.unban(user)).unwrap_or(false)
    }

    /// Who is banned now, by name; nobody where there is no such room.
    #[must_use]
    pub fn banned(&self) -> Vec<UserName> {
        self.look(|sanctions| sanctions.bans.held()).unwrap_or_default()
    }

    /// Keeps a user from saying anything for so long, or for the rest of the room's life: what they send is answered by [`Error::Muted`]. They still hear
    /// everything.
    ///
    /// # Errors
    /// [`ModerationError::NotFound`], [`ModerationError::TooMany`].
    pub fn mute(&self, user: &UserName, time: Option<Duration>) -> Result<(), ModerationError> {
        let until = end(time);
        self.change(|sanctions, limit| sanctions.mute(user.clone(), until, limit))?
    }

    /// Lifts a mute; says whether there was one.
    pub fn unmute(&self, user: &UserName) -> bool {
        self.change(|sanctions, _| sanctions.unmute(user)).unwrap_or(false)
    }

    /// Who is muted now, by name; nobody where there is no such room.
    #[must_use]
    pub fn muted(&self) -> Vec<UserName> {
        self.look(|sanctions| sanctions.mutes.held()).unwrap_or_default()
    }

    /// Has everybody wait so long between two messages, 0 for not at all: what comes sooner is answered by [`Error::SlowMode`].
    ///
    /// [`RoomRules::slow_mode`](crate::RoomRules::slow_mode) has it from the beginning of a life. What the host says, as itself or as a user, waits for
    /// nothing. After a restart nobody waits for what they said before it.
    ///
    /// # Errors
    /// [`ModerationError::NotFound`].
    pub fn set_slow_mode(&self, wait: Duration) -> Result<(), ModerationError> {
        self.change(|sanctions, _| sanctions.slow_down(wait))
    }

    /// How long everybody waits between two messages now; 0 where they do not, or where there is no such room.
    #[must_use]
    pub fn slow_mode(&self) -> Duration {
        self.look(Sanctions::slow_mode).unwrap_or_default()
    }

    /// Says something as the host itself, as [`RoomRegistry::announce`] does.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], and those of
    /// [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; it is never half sent.
    pub async fn announce(&self, post: Post) -> Result<Sent, Error> {
        let room = self.found().map_err(|_| Error::NotFound)?;
        self.registry.say(&room, post.nonce(None).by(None)).await
    }

    /// Ends the room's life, whether somebody is in it or it lingers; says how many connections that were.
    pub fn close(&self, reason: Option<&str>) -> usize {
        self.remove(None, Removal::RoomClosed, reason)
    }

    /// The room, where it is open and lives the life that is meant. It never lives another one.
    fn found(&self) -> Result<Arc<Room>, ModerationError> {
        let room = self.registry.shared().find(self.room).ok_or(ModerationError::NotFound)?;
        let is_meant = room.live(|live| self.life.is_none_or(|life| life == live.life.epoch));
        if is_meant == Some(true) { Ok(room) } else { Err(ModerationError::NotFound) }
    }

    fn look<T>(&self, look: impl FnOnce(&Sanctions) -> T) -> Option<T> {
        self.found().ok()?.live(|live| look(&live.sanctions))
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Sanctions, usize) -> T,
    ) -> Result<T, ModerationError> {
        self.impose(&self.found()?, change)
    }

    fn impose<T>(
        &self,
        room: &Arc<Room>,
        change: impl FnOnce(&mut Sanctions, usize) -> T,
    ) -> Result<T, ModerationError> {
        let limit = self.registry.config().sanctions_per_room;
        room.impose(self.registry.shared(), |sanctions| change(sanctions, limit))
            .ok_or(ModerationError::NotFound)
    }

    fn remove(&self, user: Option<&UserName>, code: Removal, reason: Option<&str>) -> usize {
        let Ok(room) = self.found() else { return 0 };
        room.remove(user, code, reason.map(Into::into), self.registry.shared())
    }
}

/// `None` also for a time that no clock can hold.
fn end(time: Option<Duration>) -> Option<Instant> {
    time.and_then(|time| Instant::now().checked_add(time))
}
