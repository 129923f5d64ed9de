//! What the host has imposed on people in a room: bans, mutes, slow mode. It belongs to a life and ends with it.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::{Error, ModerationError, UserName, note};

/// The sanctions of one life of a room. They stand under the room's lock.
#[derive(Debug)]
pub(crate) struct Sanctions {
    pub(crate) bans: Terms,
    pub(crate) mutes: Terms,
    /// How long everybody waits between two messages, unless the host has set something else.
    own_slow_mode: Duration,
    /// What the host has set.
    pub(crate) slowed: Option<Duration>,
    /// When whom had their last message accepted, as far as that still matters.
    spoke: HashMap<UserName, Instant>,
    /// The store has not been told of the newest of this.
    is_news: bool,
    /// The store is being told.
    is_noting: bool,
    /// What was imposed here and the other nodes do not know yet; `None` where there are none.
    unshared: Option<Box<Unshared>>,
}

/// What other nodes do not know yet, in its order, the last word on each alone.
#[derive(Debug, Default)]
struct Unshared {
    changes: Vec<(u64, Change)>,
    count: u64,
}

/// Something that was imposed or lifted.
#[derive(Clone, Debug)]
enum Change {
    Ban(UserName, Option<Instant>),
    Unban(UserName),
    Mute(UserName, Option<Instant>),
    Unmute(UserName),
    SlowDown(Duration),
}

impl Change {
    /// Whether this says all that the other one did.
    fn is_about_what(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ban(user, _) | Self::Unban(user), Self::Ban(other, _) | Self::Unban(other))
            | (
                Self::Mute(user, _) | Self::Unmute(user),
                Self::Mute(other, _) | Self::Unmute(other),
            ) => user == other,
            (Self::SlowDown(_), Self::SlowDown(_)) => true,
            _ => false,
        }
    }
}

/// That somebody said something.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) user: UserName,
    at: Instant,
}

/// Until when whom; without a time, for as long as the life lasts.
#[derive(Debug, Default)]
pub(crate) struct Terms(HashMap<UserName, Option<Instant>>);

impl Terms {
    pub(crate) fn impose(&mut self, user: UserName, until: Option<Instant>) {
        self.0.insert(user, until);
    }

    /// Says whether there was something to lift.
    fn lift(&mut self, user: &UserName) -> bool {
        let was_imposed = self.holds(user);
        self.0.remove(user);
        was_imposed
    }

    pub(crate) fn holds(&self, user: &UserName) -> bool {
        self.0.get(user).is_some_and(|until| until.is_none_or(|until| until > Instant::now()))
    }

    /// Everybody it holds for, by name.
    pub(crate) fn held(&self) -> Vec<UserName> {
        let mut held: Vec<_> = self.0.keys().filter(|user| self.holds(user)).cloned().collect();
        held.sort_unstable();
        held
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&UserName, Option<Instant>)> {
        self.0.iter().map(|(user, until)| (user, *until))
    }

    fn forget_what_is_over(&mut self) {
        let now = Instant::now();
        self.0.retain(|_, until| until.is_none_or(|until| until > now));
    }
}

impl Sanctions {
    pub(crate) fn new(slow_mode: Duration) -> Self {
        Self {
            bans: Terms::default(),
            mutes: Terms::default(),
            own_slow_mode: slow_mode,
            slowed: None,
            spoke: HashMap::new(),
            is_news: false,
            is_noting: false,
            unshared: None,
        }
    }

    /// Keeps in mind from here on what other nodes do not know yet.
    pub(crate) fn share(&mut self) {
        self.unshared = Some(Box::default());
    }

    /// Takes what is imposed elsewhere, and imposes on top of it what is not known there yet.
    pub(crate) fn adopt(&mut self, note: &str) {
        let theirs = note::read(note, self.own_slow_mode);
        (self.bans, self.mutes, self.slowed) = (theirs.bans, theirs.mutes, theirs.slowed);
        for (_, change) in self.unshared.iter().flat_map(|unshared| &unshared.changes) {
            match change.clone() {
                Change::Ban(user, until) => self.bans.impose(user, until),
                Change::Unban(user) => _ = self.bans.lift(&user),
                Change::Mute(user, until) => self.mutes.impose(user, until),
                Change::Unmute(user) => _ = self.mutes.lift(&user),
                Change::SlowDown(wait) => self.slowed = Some(wait),
            }
        }
    }

    /// What the other nodes are to be told next, and up to which change that is; `None` where they know everything.
    pub(crate) fn unshared(&self) -> Option<(String, u64)> {
        let (last, _) = self.unshared.as_ref()?.changes.last()?;
        Some((note::write(self), *last))
    }

    /// They know everything up to that change.
    pub(crate) fn shared(&mut self, last: u64) {
        let Some(unshared) = &mut self.unshared else { return };
        unshared.changes.retain(|(number, _)| *number > last);
        self.is_news = !unshared.changes.is_empty();
    }

    fn changed(&mut self, change: impl FnOnce() -> Change) {
        self.is_news = true;
        if let Some(unshared) = &mut self.unshared {
            let change = change();
            unshared.changes.retain(|(_, before)| !change.is_about_what(before));
            unshared.count += 1;
            unshared.changes.push((unshared.count, change));
        }
    }

    pub(crate) fn ban(
        &mut self,
        user: UserName,
        until: Option<Instant>,
        limit: usize,
    ) -> Result<(), ModerationError> {
        self.make_room(self.bans.0.contains_key(&user), limit)?;
        self.changed(|| Change::Ban(user.clone(), until));
        self.bans.impose(user, until);
        Ok(())
    }

    pub(crate) fn mute(
        &mut self,
        user: UserName,
        until: Option<Instant>,
        limit: usize,
    ) -> Result<(), ModerationError> {
        self.make_room(self.mutes.0.contains_key(&user), limit)?;
        self.changed(|| Change::Mute(user.clone(), until));
        self.mutes.impose(user, until);
        Ok(())
    }

    /// Says whether there was one.
    pub(crate) fn unban(&mut self, user: &UserName) -> bool {
        let was_imposed = self.bans.lift(user);
        if was_imposed {
            self.changed(|| Change::Unban(user.clone()));
        }
        was_imposed
    }

    /// Says whether there was one.
    pub(crate) fn unmute(&mut self, user: &UserName) -> bool {
        let was_imposed = self.mutes.lift(user);
        if was_imposed {
            self.changed(|| Change::Unmute(user.clone()));
        }
        was_imposed
    }

    /// Makes room for one more, unless it takes the place of another.
    fn make_room(&mut self, is_known: bool, limit: usize) -> Result<(), ModerationError> {
        if !is_known && self.count() >= limit {
            self.bans.forget_what_is_over();
            self.mutes.forget_what_is_over();
            if self.count() >= limit {
                return Err(ModerationError::TooMany { limit });
            }
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.bans.0.len() + self.mutes.0.len()
    }

    /// How long everybody waits between two messages.
    pub(crate) fn slow_mode(&self) -> Duration {
        self.slowed.unwrap_or(self.own_slow_mode)
    }

    /// Whether this user may say something now.
    pub(crate) fn may_speak(&self, user: &UserName) -> Result<(), Error> {
        if self.mutes.holds(user) {
            return Err(Error::Muted);
        }
        let Some(spoke) = self.spoke.get(user) else { return Ok(()) };
        match self.slow_mode().saturating_sub(spoke.elapsed()) {
            Duration::ZERO => Ok(()),
            wait => Err(Error::SlowMode { retry_after: wait.max(Duration::from_millis(1)) }),
        }
    }

    /// What a message of this user is noted as, where the room is slow.
    pub(crate) fn mark(&self, user: &UserName) -> Option<Mark> {
        let at = Instant::now();
        (!self.slow_mode().is_zero()).then(|| Mark { user: user.clone(), at })
    }

    /// Notes that somebody says something.
    pub(crate) fn speaks(&mut self, mark: Mark) {
        // Seen through as often as it doubles, so that it holds no more than those who still have to wait.
        if self.spoke.len().is_power_of_two() {
            let slow_mode = self.slow_mode();
            self.spoke.retain(|_, spoke| spoke.elapsed() < slow_mode);
        }
        self.spoke.insert(mark.user, mark.at);
    }

    /// Takes back [`speaks`](Self::speaks): it was not kept, or not new. What they have said since counts.
    pub(crate) fn unspeaks(&mut self, mark: &Mark) {
        if self.spoke.get(&mark.user) == Some(&mark.at) {
            self.spoke.remove(&mark.user);
        }
    }

    pub(crate) fn slow_down(&mut self, slow_mode: Duration) {
        if self.slowed != Some(slow_mode) {
            self.changed(|| Change::SlowDown(slow_mode));
        }
        self.slowed = Some(slow_mode);
        if slow_mode.is_zero() {
            self.spoke = HashMap::new();
        }
    }

    /// Whether somebody has to begin to tell the store: there is news, and nobody tells it already.
    pub(crate) fn begin_noting(&mut self) -> bool {
        let begins = self.is_news && !self.is_noting;
        self.is_noting |= begins;
        begins
    }

    /// What the store is to be told next; `None` is the end of it.
    pub(crate) fn next_note(&mut self) -> Option<String> {
        self.is_noting = std::mem::take(&mut self.is_news);
        self.is_noting.then(|| note::write(self))
    }

    /// Whether the store has taken the newest of it.
    pub(crate) const fn are_noted(&self) -> bool {
        !self.is_news && !self.is_noting
    }

    /// The store has not taken it.
    pub(crate) const fn is_not_noted(&mut self) {
        self.is_news = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_still_have_to_wait_are_known_and_no_others() {
        let mut sanctions = Sanctions::new(Duration::ZERO);
        sanctions.slow_down(Duration::from_secs(10));
        let users: Vec<_> = (0..20).map(|n| UserName::new(&format!("u{n}")).unwrap()).collect();
        for user in &users {
            sanctions.speaks(sanctions.mark(user).unwrap());
        }
        let waits = |sanctions: &Sanctions| {
            users.iter().filter(|user| sanctions.may_speak(user).is_err()).count()
        };
        assert_eq!(waits(&sanctions), 20);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(waits(&sanctions), 0);
        for n in 20..33 {
            let user = UserName::new(&format!("u{n}")).unwrap();
            sanctions.speaks(sanctions.mark(&user).unwrap());
        }
        assert!(sanctions.spoke.len() < 20, "{} are kept", sanctions.spoke.len());
        sanctions.slow_down(Duration::ZERO);
        assert!(sanctions.spoke.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_makes_room_and_what_is_not_is_bounded() {
        let mut sanctions = Sanctions::new(Duration::ZERO);
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| UserName::new(name).unwrap());
        let in_a_second = Some(Instant::now() + Duration::from_secs(1));
        sanctions.ban(ada.clone(), in_a_second, 2).unwrap();
        sanctions.mute(bob.clone(), None, 2).unwrap();
        assert_eq!(sanctions.ban(eve.clone(), None, 2), Err(ModerationError::TooMany { limit: 2 }));
        sanctions.ban(ada.clone(), in_a_second, 2).unwrap();
        sanctions.mute(bob.clone(), None, 2).unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        sanctions.ban(eve.clone(), None, 2).unwrap();
        assert_eq!((sanctions.bans.held(), sanctions.mutes.held()), (vec![eve.clone()], vec![bob]));
        assert!(sanctions.unban(&eve));
        sanctions.mute(ada, None, 2).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_said_since_is_not_taken_back() {
        let mut sanctions = Sanctions::new(Duration::ZERO);
        sanctions.slow_down(Duration::from_secs(3));
        let ada = UserName::new("ada").unwrap();
        let first = sanctions.mark(&ada).unwrap();
        sanctions.speaks(first.clone());
        tokio::time::advance(Duration::from_secs(3)).await;
        sanctions.speaks(sanctions.mark(&ada).unwrap());
        sanctions.unspeaks(&first);
        assert!(sanctions.may_speak(&ada).is_err());
    }
}
