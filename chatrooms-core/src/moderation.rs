//! What the host does to people and rooms: kick, ban, mute, slow mode, close.

use std::{pin::pin, time::Duration};

use tokio::time::Instant;

use crate::{
    Epoch, Error, Post, Removal, RoomName, RoomRegistry, Sent, UserName, following::Here,
    sanctions::Sanctions, steward::Awaited, sync::in_time, writer::GRACE,
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
/// Everything holds as soon as the call returns, whether the store can be reached or not: nothing waits for it, and each of these calls is done when it is first polled. The store is told in the background, and asked again until it has kept
/// the newest of what holds, so that it [holds after a restart too](crate::Config::linger), where the life goes on. Only a process that dies before that, or stops with a store that
/// takes nothing to the last, loses what was new; the latter is [reported](crate::ShutdownReport::unkept_sanctions). Each try that fails is logged and counted as the operation `note`.
///
/// # Over a cluster
/// It does not matter on which nodes the people are, and what is done holds on all of them when the call returns: it waits for the cluster's word. While that cannot be had the answer is
/// [`ModerationError::Unavailable`].
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
/// rooms.moderation(&lobby).ban(&eve, Some(Duration::from_secs(600)), Some("too loud")).await?;
/// assert_eq!(rooms.moderation(&lobby).banned().await?, [eve.clone()]);
///
/// // Another life begins: what was meant for the first one does nothing to it.
/// ada.leave(&lobby)?;
/// ada.join(&lobby, Join::default()).await?;
/// let late = rooms.moderation(&lobby).of(first).mute(&eve, None).await;
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
    /// Over a cluster alone: the other nodes could not be told right now. Where this one has people in the room it holds for them already, and is said to the others as soon as they can be reached, as long as
    /// the life lasts; elsewhere nothing may have happened. Doing it again does no harm.
    #[error("the other nodes cannot be told right now: try again")]
    Unavailable,
}

impl From<Error> for ModerationError {
    /// Why there is no room to do it to.
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            _ => Self::Unavailable,
        }
    }
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
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn kick(
        &self,
        user: &UserName,
        reason: Option<&str>,
    ) -> Result<usize, ModerationError> {
        self.remove(Some(user), Removal::Kicked, reason).await
    }

    /// Keeps a user out for so long, and for the rest of the room's life at most, and removes them; says how many connections that were. They need not be
    /// there, nor ever have been.
    ///
    /// A ban lasts no longer than the life of the room: whoever was alone there, and is banned, ends that life and the ban with it. Who must stay out of a
    /// room's next life too is refused by the policy's [`may_join`](crate::RoomPolicy::may_join).
    ///
    /// # Errors
    /// [`ModerationError::NotFound`], also while the room still opens; [`ModerationError::TooMany`]: then they are not removed either; [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn ban(
        &self,
        user: &UserName,
        time: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<usize, ModerationError> {
        let (room, until) = (self.found().await?, end(time));
        let (imposed, shared) =
            self.impose(&room, |all, limit| all.ban(user.clone(), until, limit))?;
        imposed?;
        // By the room and not by its name, which may be another life's by now. Behind the ban in the cluster, too, so that nobody comes in between.
        let removed = self.remove_from(&room, Some(user), Removal::Banned, reason).await;
        self.answered(shared).await?;
        removed
    }

    /// Lifts a ban; says whether there was one.
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn unban(&self, user: &UserName) -> Result<bool, ModerationError> {
        there(self.change(|sanctions, _| sanctions.unban(user)).await)
    }

    /// Who is banned now, by name; nobody where there is no such room.
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn banned(&self) -> Result<Vec<UserName>, ModerationError> {
        self.look(|sanctions| sanctions.bans.held()).await
    }

    /// Keeps a user from saying anything for so long, or for the rest of the room's life: what they send is answered by [`Error::Muted`]. They still hear
    /// everything.
    ///
    /// # Errors
    /// [`ModerationError::NotFound`], [`ModerationError::TooMany`], [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn mute(
        &self,
        user: &UserName,
        time: Option<Duration>,
    ) -> Result<(), ModerationError> {
        let until = end(time);
        self.change(|sanctions, limit| sanctions.mute(user.clone(), until, limit)).await?
    }

    /// Lifts a mute; says whether there was one.
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn unmute(&self, user: &UserName) -> Result<bool, ModerationError> {
        there(self.change(|sanctions, _| sanctions.unmute(user)).await)
    }

    /// Who is muted now, by name; nobody where there is no such room.
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn muted(&self) -> Result<Vec<UserName>, ModerationError> {
        self.look(|sanctions| sanctions.mutes.held()).await
    }

    /// Has everybody wait so long between two messages, 0 for not at all: what comes sooner is answered by [`Error::SlowMode`].
    ///
    /// [`RoomRules::slow_mode`](crate::RoomRules::slow_mode) has it from the beginning of a life. What the host says, as itself or as a user, waits for
    /// nothing. After a restart nobody waits for what they said before it.
    ///
    /// # Errors
    /// [`ModerationError::NotFound`], [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn set_slow_mode(&self, wait: Duration) -> Result<(), ModerationError> {
        self.change(|sanctions, _| sanctions.slow_down(wait)).await
    }

    /// How long everybody waits between two messages now; 0 where they do not, or where there is no such room.
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn slow_mode(&self) -> Result<Duration, ModerationError> {
        self.look(Sanctions::slow_mode).await
    }

    /// Says something as the host itself, as [`RoomRegistry::announce`] does.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], those of
    /// [following](crate::RegistryBuilder::cluster) over a cluster, and those of [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; it is never half sent.
    pub async fn announce(&self, post: Post) -> Result<Sent, Error> {
        let room = self.registry.shared().here(self.room).await?;
        if !self.is_meant(&room) {
            return Err(Error::NotFound);
        }
        self.registry.say(&room, post.nonce(None).by(None)).await
    }

    /// Ends the room's life, whether somebody is in it or it lingers; says how many connections that were.
    ///
    /// # Errors
    /// [`ModerationError::Unavailable`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, it may have been done or not.
    pub async fn close(&self, reason: Option<&str>) -> Result<usize, ModerationError> {
        self.remove(None, Removal::RoomClosed, reason).await
    }

    /// The room, where it is open and lives the life that is meant. It never lives another one.
    async fn found(&self) -> Result<Here<'_>, ModerationError> {
        let room = self.registry.shared().here(self.room).await?;
        if self.is_meant(&room) { Ok(room) } else { Err(ModerationError::NotFound) }
    }

    fn is_meant(&self, room: &Here<'_>) -> bool {
        room.live(|live| self.life.is_none_or(|life| life == live.life.epoch)) == Some(true)
    }

    async fn look<T: Default>(
        &self,
        look: impl FnOnce(&Sanctions) -> T + Send,
    ) -> Result<T, ModerationError> {
        let room = there(self.found().await.map(Some))?;
        let seen = room.and_then(|room| room.live(|live| look(&live.sanctions)));
        Ok(seen.unwrap_or_default())
    }

    async fn change<T: Send>(
        &self,
        change: impl FnOnce(&mut Sanctions, usize) -> T + Send,
    ) -> Result<T, ModerationError> {
        let room = self.found().await?;
        let (changed, shared) = self.impose(&room, change)?;
        self.answered(shared).await?;
        Ok(changed)
    }

    fn impose<T>(
        &self,
        room: &Here<'_>,
        change: impl FnOnce(&mut Sanctions, usize) -> T,
    ) -> Result<(T, Option<Awaited>), ModerationError> {
        let limit = self.registry.config().sanctions_per_room;
        room.impose(self.registry.shared(), |sanctions| change(sanctions, limit))
            .ok_or(ModerationError::NotFound)
    }

    async fn remove(
        &self,
        user: Option<&UserName>,
        code: Removal,
        reason: Option<&str>,
    ) -> Result<usize, ModerationError> {
        match there(self.found().await.map(Some))? {
            Some(room) => self.remove_from(&room, user, code, reason).await,
            None => Ok(0),
        }
    }

    async fn remove_from(
        &self,
        room: &Here<'_>,
        user: Option<&UserName>,
        code: Removal,
        reason: Option<&str>,
    ) -> Result<usize, ModerationError> {
        let shared = self.registry.shared();
        let (here, elsewhere) = room.remove(user, code, reason.map(Into::into), shared);
        // Whoever was here already counts among all of a room that is closed.
        let all = match (self.answered(elsewhere).await, user) {
            (Ok(elsewhere), Some(_)) => here + elsewhere,
            (Ok(all), None) => all.max(here),
            // It has ended meanwhile: nobody is left to be removed.
            (Err(ModerationError::NotFound), _) => here,
            (Err(error), _) => return Err(error),
        };
        Ok(all)
    }

    /// What the cluster has to say of it, where there is one.
    async fn answered(&self, awaited: Option<Awaited>) -> Result<usize, ModerationError> {
        let Some(awaited) = awaited else { return Ok(0) };
        let patience = self.registry.config().store_timeout.saturating_add(GRACE);
        match in_time(patience, pin!(awaited)).await {
            Some(answer) => answer.unwrap_or(Err(ModerationError::NotFound)),
            None => Err(ModerationError::Unavailable),
        }
    }
}

/// Nothing, where there is no such room.
fn there<T: Default>(outcome: Result<T, ModerationError>) -> Result<T, ModerationError> {
    match outcome {
        Err(ModerationError::NotFound) => Ok(T::default()),
        outcome => outcome,
    }
}

/// `None` also for a time that no clock can hold.
fn end(time: Option<Duration>) -> Option<Instant> {
    time.and_then(|time| Instant::now().checked_add(time))
}
