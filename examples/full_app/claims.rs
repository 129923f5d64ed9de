//! Which user name belongs to which browser, and that no two of them look alike.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::{Duration, SystemTime},
};

use chatrooms::UserName;

use crate::{skeleton::Skeleton, visitor::BrowserId};

/// How long a name stays a browser's own after its last connection, or after the form while none has been opened.
pub(crate) const GRACE: Duration = Duration::from_secs(60);

/// A name belongs to the browser that uses it, and stands for all that look like it: of those, one is in use at a time, in whatever
/// rooms. Whoever is in a room has claimed their name, so that no two who are in one look alike.
///
/// Knows no time of its own and no connection: both are told to it.
#[derive(Debug)]
pub(crate) struct Claims {
    by_looks: HashMap<Skeleton, Claim>,
    most: usize,
    /// What has changed since it was last written down, where that is done at all.
    unsaved: Option<Changes>,
}

/// Whose a name is now; `None`: nobody's.
pub(crate) type Changes = HashMap<UserName, Option<BrowserId>>;

#[derive(Debug)]
struct Claim {
    user: UserName,
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
    /// One that looks like it is in use, be it by the same browser.
    LooksAlike,
    /// There are as many names in use as can be.
    Full,
}

impl Claim {
    fn new(user: UserName, owner: BrowserId, since: SystemTime) -> Self {
        Self { user, owner, connected: false, since }
    }

    fn admits(&self, user: &UserName, browser: BrowserId) -> Result<(), Denied> {
        if self.user != *user {
            Err(Denied::LooksAlike)
        } else if self.owner != browser {
            Err(Denied::Taken)
        } else {
            Ok(())
        }
    }

    fn has_lapsed(&self, now: SystemTime) -> bool {
        !self.connected && now >= self.since + GRACE
    }
}

impl Claims {
    pub(crate) fn new(most: usize) -> Self {
        Self { by_looks: HashMap::new(), most, unsaved: None }
    }

    /// Goes on with the names of an earlier process, whose connections were all lost with it. Of those that look alike, one stays.
    pub(crate) fn restore(most: usize, names: Vec<(UserName, BrowserId)>, now: SystemTime) -> Self {
        let (mut by_looks, mut unsaved) = (HashMap::new(), Some(Changes::new()));
        for (user, owner) in names {
            match by_looks.entry(Skeleton::of(&user)) {
                Entry::Vacant(free) => {
                    free.insert(Claim::new(user, owner, now));
                }
                Entry::Occupied(_) => note(&mut unsaved, &user, None),
            }
        }
        Self { by_looks, most, unsaved }
    }

    /// Makes a name a browser's own, anew if it is already; says whether it was not before.
    pub(crate) fn claim(
        &mut self,
        user: &UserName,
        browser: BrowserId,
        now: SystemTime,
    ) -> Result<bool, Denied> {
        let looks = Skeleton::of(user);
        self.judge(&looks, user, browser, now)?;
        if let Some(claim) = self.by_looks.get_mut(&looks)
            && claim.admits(user, browser).is_ok()
        {
            claim.since = now;
            return Ok(false);
        }
        if self.by_looks.len() >= self.most && !self.by_looks.contains_key(&looks) {
            return Err(Denied::Full);
        }
        let lapsed = self.by_looks.insert(looks, Claim::new(user.clone(), browser, now));
        if let Some(lapsed) = lapsed {
            note(&mut self.unsaved, &lapsed.user, None);
        }
        note(&mut self.unsaved, user, Some(browser));
        Ok(true)
    }

    /// Whether a browser may use a name: it is its own, or neither it nor one that looks like it is anybody's.
    pub(crate) fn check(
        &self,
        user: &UserName,
        browser: BrowserId,
        now: SystemTime,
    ) -> Result<(), Denied> {
        self.judge(&Skeleton::of(user), user, browser, now)
    }

    /// Whose a name is, or was last while nobody else has taken it.
    pub(crate) fn owner(&self, user: &UserName) -> Option<BrowserId> {
        let claim = self.by_looks.get(&Skeleton::of(user)).filter(|claim| claim.user == *user);
        claim.map(|claim| claim.owner)
    }

    /// The names that are a browser's own.
    pub(crate) fn of(&self, browser: BrowserId) -> Vec<UserName> {
        let own = self.by_looks.values().filter(|claim| claim.owner == browser);
        own.map(|claim| claim.user.clone()).collect()
    }

    /// Gives up all names of a browser.
    pub(crate) fn release(&mut self, browser: BrowserId) {
        self.by_looks.retain(|_, claim| {
            let stays = claim.owner != browser;
            if !stays {
                note(&mut self.unsaved, &claim.user, None);
            }
            stays
        });
    }

    /// Looks which names have connections now, and forgets those that had none for [`GRACE`].
    pub(crate) fn look(&mut self, now: SystemTime, is_connected: impl Fn(&UserName) -> bool) {
        self.by_looks.retain(|_, claim| {
            let is_connected = is_connected(&claim.user);
            let was_connected = std::mem::replace(&mut claim.connected, is_connected);
            if was_connected && !claim.connected {
                claim.since = now;
            }
            let stays = !claim.has_lapsed(now);
            if !stays {
                note(&mut self.unsaved, &claim.user, None);
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

    fn judge(
        &self,
        looks: &Skeleton,
        user: &UserName,
        browser: BrowserId,
        now: SystemTime,
    ) -> Result<(), Denied> {
        match self.by_looks.get(looks) {
            Some(claim) if !claim.has_lapsed(now) => claim.admits(user, browser),
            _ => Ok(()),
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
    fn of_names_that_look_alike_one_is_in_use() {
        let mut claims = Claims::new(10);
        claims.claim(&name("Ian"), ADA, at(0)).unwrap();
        for browser in [ADA, EVE] {
            assert_eq!(claims.claim(&name("lan"), browser, at(1)), Err(Denied::LooksAlike));
            assert_eq!(claims.check(&name("lan"), browser, at(1)), Err(Denied::LooksAlike));
        }
        assert_eq!(claims.claim(&name("Ian"), ADA, at(1)), Ok(false), "whose it is keeps it");
        assert_eq!(claims.of(ADA), [name("Ian")]);
        claims.release(ADA);
        assert_eq!(claims.claim(&name("lan"), EVE, at(1)), Ok(true));
        assert_eq!(claims.claim(&name("Ian"), ADA, at(1)), Err(Denied::LooksAlike));
        assert_eq!(claims.claim(&name("Ian"), ADA, at(61)), Ok(true), "lapsed");
        assert_eq!(claims.of(EVE), []);
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
        assert!(claims.by_looks.is_empty());
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
    fn of_an_earlier_processs_names_that_look_alike_one_stays_and_the_others_are_given_up() {
        let names = vec![(name("Ian"), ADA), (name("lan"), EVE), (name("eve"), EVE)];
        let mut claims = Claims::restore(10, names, at(0));
        assert_eq!(claims.unsaved(), Changes::from([(name("lan"), None)]));
        assert_eq!(claims.check(&name("Ian"), ADA, at(1)), Ok(()));
        assert_eq!(claims.check(&name("lan"), EVE, at(1)), Err(Denied::LooksAlike));
        assert_eq!(claims.of(EVE), [name("eve")]);
        claims.saved(&claims.unsaved());
        claims.claim(&name("lan"), EVE, at(60)).unwrap();
        let changes = Changes::from([(name("Ian"), None), (name("lan"), Some(EVE))]);
        assert_eq!(claims.unsaved(), changes, "the one that lapsed is nobody's on the disk either");
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
