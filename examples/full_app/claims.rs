//! Which user name belongs to which browser.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use chatrooms::UserName;

use crate::visitor::BrowserId;

/// How long a name stays a browser's own after its last connection, or after the form while none has been opened.
pub(crate) const GRACE: Duration = Duration::from_secs(60);

/// A name belongs to the browser that uses it. Knows no time of its own and no connection: both are told to it.
#[derive(Debug)]
pub(crate) struct Claims {
    by_name: HashMap<UserName, Claim>,
    most: usize,
    /// What has changed since it was last written down, where that is done at all.
    unsaved: Option<Changes>,
}

/// Whose a name is now; `None`: nobody's.
pub(crate) type Changes = HashMap<UserName, Option<BrowserId>>;

#[derive(Debug)]
struct Claim {
    owner: BrowserId,
    /// Whether there were connections at the last look.
    connected: bool,
    /// When the name was claimed, or seen to have lost its last connection.
    since: SystemTime,
}

/// Why a name cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It is another browser's.
    Taken,
    /// There are as many names in use as can be.
    Full,
}

impl Claim {
    fn has_lapsed(&self, now: SystemTime) -> bool {
        !self.connected && now >= self.since + GRACE
    }
}

impl Claims {
    pub(crate) fn new(most: usize) -> Self {
        Self { by_name: HashMap::new(), most, unsaved: None }
    }

    /// Goes on with the names of an earlier process, whose connections were all lost with it.
    pub(crate) fn restore(most: usize, names: Vec<(UserName, BrowserId)>, now: SystemTime) -> Self {
        let lost = |owner| Claim { owner, connected: false, since: now };
        let by_name = names.into_iter().map(|(user, owner)| (user, lost(owner))).collect();
        Self { by_name, most, unsaved: Some(Changes::new()) }
    }

    /// Makes a name a browser's own, anew if it is already; says whether it was not before.
    pub(crate) fn claim(
        &mut self,
        user: &UserName,
        browser: BrowserId,
        now: SystemTime,
    ) -> Result<bool, Denied> {
        self.check(user, browser, now)?;
        if let Some(claim) = self.by_name.get_mut(user)
            && claim.owner == browser
        {
            claim.since = now;
            return Ok(false);
        }
        if self.by_name.len() >= self.most && !self.by_name.contains_key(user) {
            return Err(Denied::Full);
        }
        self.by_name.insert(user.clone(), Claim { owner: browser, connected: false, since: now });
        note(&mut self.unsaved, user, Some(browser));
        Ok(true)
    }

    /// Whether a browser may use a name: it is its own, or nobody's.
    pub(crate) fn check(
        &self,
        user: &UserName,
        browser: BrowserId,
        now: SystemTime,
    ) -> Result<(), Denied> {
        match self.by_name.get(user) {
            Some(claim) if claim.owner != browser && !claim.has_lapsed(now) => Err(Denied::Taken),
            _ => Ok(()),
        }
    }

    /// Whose a name is, or was last while nobody else has taken it.
    pub(crate) fn owner(&self, user: &UserName) -> Option<BrowserId> {
        self.by_name.get(user).map(|claim| claim.owner)
    }

    /// The names that are a browser's own.
    pub(crate) fn of(&self, browser: BrowserId) -> Vec<UserName> {
        let own = self.by_name.iter().filter(|(_, claim)| claim.owner == browser);
        own.map(|(user, _)| user.clone()).collect()
    }

    /// Gives up all names of a browser.
    pub(crate) fn release(&mut self, browser: BrowserId) {
        self.by_name.retain(|user, claim| {
            let stays = claim.owner != browser;
            if !stays {
                note(&mut self.unsaved, user, None);
            }
            stays
        });
    }

    /// Looks which names have connections now, and forgets those that had none for [`GRACE`].
    pub(crate) fn look(&mut self, now: SystemTime, is_connected: impl Fn(&UserName) -> bool) {
        self.by_name.retain(|user, claim| {
            let was_connected = std::mem::replace(&mut claim.connected, is_connected(user));
            if was_connected && !claim.connected {
                claim.since = now;
            }
            let stays = !claim.has_lapsed(now);
            if !stays {
                note(&mut self.unsaved, user, None);
            }
            stays
        });
    }

    /// What has to be written down; nothing where nothing is kept.
    pub(crate) fn unsaved(&self) -> Changes {
        self.unsaved.clone().unwrap_or_default()
    }

    /// These have been written down. What has changed again meanwhile has not.
    pub(crate) fn saved(&mut self, changes: &Changes) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.retain(|user, owner| changes.get(user) != Some(owner));
        }
    }
}

fn note(unsaved: &mut Option<Changes>, user: &UserName, owner: Option<BrowserId>) {
    if let Some(unsaved) = unsaved {
        unsaved.insert(user.clone(), owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    const ADA: BrowserId = BrowserId([1; 16]);
    const EVE: BrowserId = BrowserId([2; 16]);

    fn at(seconds: u64) -> SystemTime {
        from_millis(1_700_000_000_000 + seconds * 1000).unwrap()
    }

    fn name(user: &str) -> UserName {
        UserName::new(user).unwrap()
    }

    fn claimed() -> Claims {
        let mut claims = Claims::new(10);
        claims.claim(&name("ada"), ADA, at(0)).unwrap();
        claims
    }

    #[test]
    fn a_name_is_one_browsers() {
        let mut claims = claimed();
        assert_eq!(claims.claim(&name("ada"), EVE, at(1)), Err(Denied::Taken));
        assert_eq!(claims.check(&name("ada"), EVE, at(1)), Err(Denied::Taken));
        assert_eq!(claims.claim(&name("ada"), ADA, at(1)), Ok(false));
        assert_eq!(claims.claim(&name("Ada"), EVE, at(1)), Ok(true), "case counts");
    }

    #[test]
    fn a_name_that_is_never_used_lapses_after_60_s() {
        let mut claims = claimed();
        claims.look(at(59), |_| false);
        assert_eq!(claims.claim(&name("ada"), EVE, at(59)), Err(Denied::Taken));
        assert_eq!(claims.claim(&name("ada"), EVE, at(60)), Ok(true), "without any look");
        assert_eq!(claims.claim(&name("ada"), ADA, at(60)), Err(Denied::Taken), "hers no more");
    }

    #[test]
    fn a_name_in_use_is_kept_until_60_s_after_its_last_connection() {
        let mut claims = claimed();
        for second in 1..=3600 {
            claims.look(at(second), |_| true);
            assert_eq!(claims.check(&name("ada"), EVE, at(second)), Err(Denied::Taken));
        }
        claims.look(at(3601), |_| false);
        claims.look(at(3660), |_| false);
        assert_eq!(claims.claim(&name("ada"), EVE, at(3660)), Err(Denied::Taken));
        claims.look(at(3661), |_| false);
        assert_eq!(claims.claim(&name("ada"), EVE, at(3661)), Ok(true));
    }

    #[test]
    fn coming_back_in_time_keeps_it() {
        let mut claims = claimed();
        claims.look(at(1), |_| true);
        claims.look(at(10), |_| false);
        claims.look(at(69), |_| true);
        claims.look(at(200), |_| true);
        assert_eq!(claims.claim(&name("ada"), EVE, at(200)), Err(Denied::Taken));
        claims.look(at(201), |_| false);
        claims.claim(&name("ada"), ADA, at(230)).unwrap();
        claims.look(at(289), |_| false);
        assert_eq!(claims.claim(&name("ada"), EVE, at(289)), Err(Denied::Taken), "claimed again");
    }

    #[test]
    fn a_logout_frees_all_names_of_that_browser_only() {
        let mut claims = claimed();
        claims.claim(&name("countess"), ADA, at(1)).unwrap();
        claims.claim(&name("eve"), EVE, at(1)).unwrap();
        let mut own = claims.of(ADA);
        own.sort();
        assert_eq!(own, [name("ada"), name("countess")]);
        claims.release(ADA);
        assert_eq!(claims.of(ADA), []);
        assert_eq!(claims.claim(&name("ada"), EVE, at(1)), Ok(true));
        assert_eq!(claims.claim(&name("eve"), ADA, at(1)), Err(Denied::Taken));
    }

    #[test]
    fn lapsed_names_leave_nothing_behind_and_there_are_only_so_many() {
        let mut claims = Claims::new(2);
        claims.claim(&name("a"), ADA, at(0)).unwrap();
        claims.claim(&name("b"), ADA, at(0)).unwrap();
        assert_eq!(claims.claim(&name("c"), ADA, at(1)), Err(Denied::Full));
        assert_eq!(claims.claim(&name("a"), ADA, at(1)), Ok(false), "not one more");
        claims.look(at(60), |_| false);
        assert_eq!(claims.of(ADA), [name("a")]);
        claims.look(at(61), |_| false);
        assert!(claims.by_name.is_empty());
    }

    #[test]
    fn an_earlier_process_leaves_names_that_have_just_lost_their_connections() {
        let mut claims = Claims::restore(10, vec![(name("ada"), ADA)], at(100));
        assert_eq!(claims.unsaved(), Changes::new());
        assert_eq!(claims.claim(&name("ada"), EVE, at(159)), Err(Denied::Taken));
        assert_eq!(claims.check(&name("ada"), ADA, at(159)), Ok(()));
        assert_eq!(claims.claim(&name("ada"), EVE, at(160)), Ok(true));
    }

    #[test]
    fn every_change_is_noted_until_it_is_saved() {
        let mut claims = Claims::restore(10, Vec::new(), at(0));
        claims.claim(&name("ada"), ADA, at(0)).unwrap();
        claims.claim(&name("eve"), EVE, at(0)).unwrap();
        let first = claims.unsaved();
        assert_eq!(first, Changes::from([(name("ada"), Some(ADA)), (name("eve"), Some(EVE))]));
        claims.release(EVE);
        claims.saved(&first);
        assert_eq!(claims.unsaved(), Changes::from([(name("eve"), None)]), "changed meanwhile");
        claims.look(at(60), |_| false);
        assert_eq!(claims.unsaved()[&name("ada")], None, "lapsed");
        assert_eq!(claimed().unsaved(), Changes::new(), "where nothing is kept, nothing piles up");
    }
}
