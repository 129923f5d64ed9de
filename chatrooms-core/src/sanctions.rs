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

    /// Notes that this user says something now.
    pub(crate) fn speaks(&mut self, user: &UserName) {
        if self.slow_mode.is_zero() {
            return;
        }
        // Seen through as often as it doubles, so that it holds no more than those who still have to wait.
        if self.spoke.len().is_power_of_two() {
            let slow_mode = self.slow_mode;
            self.spoke.retain(|_, spoke| spoke.elapsed() < slow_mode);
        }
        self.spoke.insert(user.clone(), Instant::now());
    }

    /// Takes back [`speaks`](Self::speaks): what they said was not kept.
    pub(crate) fn unspeaks(&mut self, user: &UserName) {
        self.spoke.remove(user);
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
            sanctions.speaks(user);
        }
        let waits = |sanctions: &Sanctions| {
            users.iter().filter(|user| sanctions.may_speak(user).is_err()).count()
        };
        assert_eq!(waits(&sanctions), 20);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(waits(&sanctions), 0);
        for n in 20..33 {
            sanctions.speaks(&UserName::new(&format!("u{n}")).unwrap());
        }
        assert!(sanctions.spoke.len() < 20, "{} are kept", sanctions.spoke.len());
        sanctions.slow_down(Duration::ZERO);
        assert!(sanctions.spoke.is_empty());
    }
}
