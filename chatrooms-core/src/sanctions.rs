//! What the host has imposed on people in a room: bans, mutes, slow mode. It belongs to a life and ends with it.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::{Error, UserName};

/// The sanctions of one life of a room. They stand under the room's lock.
#[derive(Debug, Default)]
pub(crate) struct Sanctions {
    pub(crate) bans: Terms,
    pub(crate) mutes: Terms,
    /// How long everybody waits between two messages.
    pub(crate) slow_mode: Duration,
    /// When whom had their last message accepted, as far as that still matters.
    spoke: HashMap<UserName, Instant>,
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
        let now = Instant::now();
        self.0.retain(|_, until| until.is_none_or(|until| until > now));
        self.0.insert(user, until);
    }

    /// Says whether there was something to lift.
    pub(crate) fn lift(&mut self, user: &UserName) -> bool {
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
}

impl Sanctions {
    /// Whether this user may say something now.
    pub(crate) fn may_speak(&self, user: &UserName) -> Result<(), Error> {
        if self.mutes.holds(user) {
            return Err(Error::Muted);
        }
        let Some(spoke) = self.spoke.get(user) else { return Ok(()) };
        match self.slow_mode.saturating_sub(spoke.elapsed()) {
            Duration::ZERO => Ok(()),
            wait => Err(Error::SlowMode { retry_after: wait.max(Duration::from_millis(1)) }),
        }
    }

    /// What a message of this user is noted as, where the room is slow.
    pub(crate) fn mark(&self, user: &UserName) -> Option<Mark> {
        let at = Instant::now();
        (!self.slow_mode.is_zero()).then(|| Mark { user: user.clone(), at })
    }

    /// Notes that somebody says something.
    pub(crate) fn speaks(&mut self, mark: Mark) {
        // Seen through as often as it doubles, so that it holds no more than those who still have to wait.
        if self.spoke.len().is_power_of_two() {
            let slow_mode = self.slow_mode;
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
        self.slow_mode = slow_mode;
        if slow_mode.is_zero() {
            self.spoke = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_still_have_to_wait_are_known_and_no_others() {
        let mut sanctions = Sanctions::default();
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
    async fn what_has_ended_is_forgotten() {
        let mut terms = Terms::default();
        let users = ["ada", "bob", "eve"].map(|name| UserName::new(name).unwrap());
        terms.impose(users[0].clone(), Some(Instant::now() + Duration::from_secs(1)));
        terms.impose(users[1].clone(), None);
        tokio::time::advance(Duration::from_secs(2)).await;
        terms.impose(users[2].clone(), Some(Instant::now() + Duration::from_secs(1)));
        assert_eq!(terms.0.len(), 2);
        assert!(!terms.holds(&users[0]) && terms.holds(&users[1]) && terms.holds(&users[2]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_said_since_is_not_taken_back() {
        let mut sanctions = Sanctions::default();
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
