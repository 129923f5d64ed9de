//! Which user name belongs to which browser, and that no two of them look alike.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use chatrooms::UserName;

use crate::{holdings::Holdings, skeleton::Skeleton, visitor::BrowserId};

/// How long a name stays a browser's own after its last connection, or after the form while none has been opened.
pub(crate) const GRACE: Duration = Duration::from_secs(60);
/// How long at least, however many others want one: whoever is about to connect has done so by then, and has been seen.
const LEAST_GRACE: Duration = Duration::from_secs(15);

/// A name belongs to the browser that uses it, and stands for all that look like it: of those, one is in use at a time, in whatever
/// rooms. Whoever is in a room has claimed their name, so that no two who are in one look alike.
///
/// Knows no time of its own and no connection: both are told to it.
#[derive(Debug)]
pub(crate) struct Claims {
    by_looks: HashMap<Skeleton, Claim>,
    by_browser: Holdings<BrowserId>,
    by_address: Holdings<IpAddr>,
    bounds: Bounds,
    /// When it was last seen who is connected.
    looked: SystemTime,
    /// Whether there may be names since then that can be given up before their time.
    has_idle: bool,
    /// What has changed since it was last written down, where that is done at all.
    unsaved: Option<Changes>,
}

/// How many names there may be at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) in_all: usize,
    pub(crate) of_browser: usize,
    /// Of one address, where addresses are known.
    pub(crate) of_address: usize,
}

/// Who wants a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimant {
    pub(crate) browser: BrowserId,
    pub(crate) address: Option<IpAddr>,
}

/// Whose a name is now; `None`: nobody's.
pub(crate) type Changes = HashMap<UserName, Option<BrowserId>>;

#[derive(Debug)]
struct Claim {
    user: UserName,
    owner: Claimant,
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
    /// The browser has as many names as it may have, or its address has.
    TooMany,
    /// There are as many names in use as can be.
    Full,
}

impl Claim {
    fn admits(&self, user: &UserName, browser: BrowserId) -> Result<(), Denied> {
        if self.user != *user {
            Err(Denied::LooksAlike)
        } else if self.owner.browser != browser {
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
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (by_browser, by_address) = (Holdings::default(), Holdings::default());
        Self {
            by_looks: HashMap::new(),
            by_browser,
            by_address,
            bounds,
            looked: SystemTime::UNIX_EPOCH,
            has_idle: false,
            unsaved: None,
        }
    }

    /// Goes on with the names of an earlier process, whose connections were all lost with it. Of those that look alike, one stays.
    pub(crate) fn restore(
        bounds: Bounds,
        names: Vec<(UserName, BrowserId)>,
        now: SystemTime,
    ) -> Self {
        let mut claims = Self { unsaved: Some(Changes::new()), ..Self::new(bounds) };
        for (user, browser) in names {
            let looks = Skeleton::of(&user);
            if claims.by_looks.contains_key(&looks) {
                claims.note(&user, None);
            } else {
                claims.insert(looks, user, Claimant { browser, address: None }, now);
            }
        }
        claims
    }

    /// Makes a name a browser's own, anew if it is already; says whether it was not before.
    pub(crate) fn claim(
        &mut self,
        user: &UserName,
        claimant: Claimant,
        now: SystemTime,
    ) -> Result<bool, Denied> {
        let looks = Skeleton::of(user);
        self.judge(&looks, user, claimant.browser, now)?;
        if let Some(claim) = self.by_looks.get_mut(&looks)
            && claim.admits(user, claimant.browser).is_ok()
        {
            claim.since = now;
            return Ok(false);
        }
        self.drop_claim(&looks);
        self.find_place(claimant)?;
        self.insert(looks, user.clone(), claimant, now);
        self.note(user, Some(claimant.browser));
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

    /// Whether a claim would come to more names than there may be of one browser or one address. Nothing is claimed.
    pub(crate) fn is_within(&self, user: &UserName, claimant: Claimant) -> Result<(), Denied> {
        let is_own = self.owner(user) == Some(claimant.browser);
        if is_own { Ok(()) } else { self.may_have_one_more(claimant) }
    }

    /// Whose a name is, or was last while nobody else has taken it.
    fn owner(&self, user: &UserName) -> Option<BrowserId> {
        let claim = self.by_looks.get(&Skeleton::of(user)).filter(|claim| claim.user == *user);
        claim.map(|claim| claim.owner.browser)
    }

    /// Whether a name is this browser's.
    pub(crate) fn is_own(&self, user: &UserName, browser: BrowserId) -> bool {
        self.owner(user) == Some(browser)
    }

    /// The names that are a browser's own.
    pub(crate) fn of(&self, browser: BrowserId) -> Vec<UserName> {
        let own = self.by_browser.of(browser).iter().filter_map(|looks| self.by_looks.get(looks));
        own.map(|claim| claim.user.clone()).collect()
    }

    /// The names that had connections at the last look, and whose they are.
    pub(crate) fn connected(&self) -> Vec<(UserName, BrowserId)> {
        let connected = self.by_looks.values().filter(|claim| claim.connected);
        connected.map(|claim| (claim.user.clone(), claim.owner.browser)).collect()
    }

    /// Gives up what looks like a name and is another browser's or another name: where that is settled elsewhere, what stands here is of the past.
    pub(crate) fn give_way(&mut self, user: &UserName, browser: BrowserId) {
        let looks = Skeleton::of(user);
        if self.by_looks.get(&looks).is_some_and(|claim| claim.admits(user, browser).is_err()) {
            self.drop_claim(&looks);
        }
    }

    /// Gives up one name of a browser.
    pub(crate) fn give_back(&mut self, user: &UserName, browser: BrowserId) {
        if self.is_own(user, browser) {
            self.drop_claim(&Skeleton::of(user));
        }
    }

    /// Gives up all names of a browser.
    pub(crate) fn release(&mut self, browser: BrowserId) {
        for looks in self.by_browser.of(browser).to_vec() {
            self.drop_claim(&looks);
        }
    }

    /// Looks which names have connections now, and forgets those that had none for [`GRACE`].
    pub(crate) fn look(&mut self, now: SystemTime, is_connected: impl Fn(&UserName) -> bool) {
        (self.looked, self.has_idle) = (now, true);
        let mut lapsed = Vec::new();
        for (looks, claim) in &mut self.by_looks {
            let is_connected = is_connected(&claim.user);
            let was_connected = std::mem::replace(&mut claim.connected, is_connected);
            if was_connected && !claim.connected {
                claim.since = now;
            }
            if claim.has_lapsed(now) {
                lapsed.push(looks.clone());
            }
        }
        for looks in &lapsed {
            self.drop_claim(looks);
        }
    }

    /// Whether it has still to be written down whose a name is now; never where nothing is kept.
    pub(crate) fn is_unsaved(&self, user: &UserName) -> bool {
        self.unsaved.as_ref().is_some_and(|changes| changes.contains_key(user))
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

    /// Sees to it that there is a place for one more name.
    fn find_place(&mut self, claimant: Claimant) -> Result<(), Denied> {
        self.may_have_one_more(claimant)?;
        if self.by_looks.len() >= self.bounds.in_all && self.has_idle {
            self.make_place();
        }
        if self.by_looks.len() >= self.bounds.in_all { Err(Denied::Full) } else { Ok(()) }
    }

    fn may_have_one_more(&self, Claimant { browser, address }: Claimant) -> Result<(), Denied> {
        let of_address = address.map_or(0, |address| self.by_address.count(address));
        let has_all = self.by_browser.count(browser) >= self.bounds.of_browser
            || of_address >= self.bounds.of_address;
        if has_all { Err(Denied::TooMany) } else { Ok(()) }
    }

    /// Has names that nobody uses given up before their time, those first that have been out of use for longest: no heap of them keeps anybody out. Several
    /// at a time, so that a flood does not have all of them looked through for each.
    fn make_place(&mut self) {
        let looked = self.looked;
        let is_idle = |claim: &Claim| !claim.connected && claim.since + LEAST_GRACE <= looked;
        let idle = self.by_looks.iter().filter(|(_, claim)| is_idle(claim));
        let mut idle: Vec<_> = idle.map(|(looks, claim)| (claim.since, looks.clone())).collect();
        let wanted = (self.bounds.in_all / 16).max(1);
        self.has_idle = wanted < idle.len();
        if self.has_idle {
            idle.select_nth_unstable_by_key(wanted, |(since, _)| *since);
            idle.truncate(wanted);
        }
        for (_, looks) in &idle {
            self.drop_claim(looks);
        }
    }

    fn insert(&mut self, looks: Skeleton, user: UserName, owner: Claimant, since: SystemTime) {
        self.by_browser.add(owner.browser, looks.clone());
        if let Some(address) = owner.address {
            self.by_address.add(address, looks.clone());
        }
        self.by_looks.insert(looks, Claim { user, owner, connected: false, since });
    }

    fn drop_claim(&mut self, looks: &Skeleton) {
        let Some(Claim { user, owner, .. }) = self.by_looks.remove(looks) else { return };
        self.by_browser.remove(owner.browser, looks);
        if let Some(address) = owner.address {
            self.by_address.remove(address, looks);
        }
        self.note(&user, None);
    }

    fn note(&mut self, user: &UserName, owner: Option<BrowserId>) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.insert(user.clone(), owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    const ADA: BrowserId = BrowserId([1; 16]);
    const EVE: BrowserId = BrowserId([2; 16]);
    const BOUNDS: Bounds = Bounds { in_all: 10, of_browser: 5, of_address: 5 };

    fn at(seconds: u64) -> SystemTime {
        from_millis(1_700_000_000_000 + seconds * 1000).unwrap()
    }

    fn name(user: &str) -> UserName {
        UserName::new(user).unwrap()
    }

    /// Without an address.
    fn by(browser: BrowserId) -> Claimant {
        Claimant { browser, address: None }
    }

    fn from(browser: u8, address: [u8; 4]) -> Claimant {
        Claimant { browser: BrowserId([browser; 16]), address: Some(address.into()) }
    }

    fn claimed() -> Claims {
        let mut claims = Claims::new(BOUNDS);
        claims.claim(&name("ada"), by(ADA), at(0)).unwrap();
        claims
    }

    #[test]
    fn a_name_is_one_browsers() {
        let mut claims = claimed();
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(1)), Err(Denied::Taken));
        assert_eq!(claims.check(&name("ada"), EVE, at(1)), Err(Denied::Taken));
        assert_eq!(claims.claim(&name("ada"), by(ADA), at(1)), Ok(false));
        assert_eq!(claims.claim(&name("Ada"), by(EVE), at(1)), Ok(true), "case counts");
    }

    #[test]
    fn of_names_that_look_alike_one_is_in_use() {
        let mut claims = Claims::new(BOUNDS);
        claims.claim(&name("Ian"), by(ADA), at(0)).unwrap();
        for browser in [ADA, EVE] {
            assert_eq!(claims.claim(&name("lan"), by(browser), at(1)), Err(Denied::LooksAlike));
            assert_eq!(claims.check(&name("lan"), browser, at(1)), Err(Denied::LooksAlike));
        }
        assert_eq!(claims.claim(&name("Ian"), by(ADA), at(1)), Ok(false), "whose it is keeps it");
        assert_eq!(claims.of(ADA), [name("Ian")]);
        claims.release(ADA);
        assert_eq!(claims.claim(&name("lan"), by(EVE), at(1)), Ok(true));
        assert_eq!(claims.claim(&name("Ian"), by(ADA), at(1)), Err(Denied::LooksAlike));
        assert_eq!(claims.claim(&name("Ian"), by(ADA), at(61)), Ok(true), "lapsed");
        assert_eq!(claims.of(EVE), []);
    }

    #[test]
    fn a_name_that_is_never_used_lapses_after_60_s() {
        let mut claims = claimed();
        claims.look(at(59), |_| false);
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(59)), Err(Denied::Taken));
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(60)), Ok(true), "without any look");
        assert_eq!(claims.claim(&name("ada"), by(ADA), at(60)), Err(Denied::Taken), "hers no more");
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
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(3660)), Err(Denied::Taken));
        claims.look(at(3661), |_| false);
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(3661)), Ok(true));
    }

    #[test]
    fn coming_back_in_time_keeps_it() {
        let mut claims = claimed();
        claims.look(at(1), |_| true);
        claims.look(at(10), |_| false);
        claims.look(at(69), |_| true);
        claims.look(at(200), |_| true);
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(200)), Err(Denied::Taken));
        claims.look(at(201), |_| false);
        claims.claim(&name("ada"), by(ADA), at(230)).unwrap();
        claims.look(at(289), |_| false);
        assert_eq!(
            claims.claim(&name("ada"), by(EVE), at(289)),
            Err(Denied::Taken),
            "claimed again"
        );
    }

    #[test]
    fn a_logout_frees_all_names_of_that_browser_only() {
        let mut claims = claimed();
        claims.claim(&name("countess"), by(ADA), at(1)).unwrap();
        claims.claim(&name("eve"), by(EVE), at(1)).unwrap();
        let mut own = claims.of(ADA);
        own.sort();
        assert_eq!(own, [name("ada"), name("countess")]);
        claims.release(ADA);
        assert_eq!(claims.of(ADA), []);
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(1)), Ok(true));
        assert_eq!(claims.claim(&name("eve"), by(ADA), at(1)), Err(Denied::Taken));
    }

    #[test]
    fn lapsed_names_leave_nothing_behind() {
        let mut claims = Claims::new(BOUNDS);
        claims.claim(&name("a"), from(1, [1; 4]), at(0)).unwrap();
        claims.claim(&name("b"), from(1, [2; 4]), at(0)).unwrap();
        assert_eq!(claims.claim(&name("a"), by(ADA), at(1)), Ok(false), "not one more");
        claims.look(at(60), |_| false);
        assert_eq!(claims.of(ADA), [name("a")]);
        claims.look(at(61), |_| false);
        assert!(claims.by_looks.is_empty());
        assert!(claims.by_browser.is_empty() && claims.by_address.is_empty());
    }

    #[test]
    fn a_browser_has_so_many_names_at_a_time() {
        let mut claims = Claims::new(Bounds { of_browser: 2, ..BOUNDS });
        for user in ["a", "b"] {
            assert_eq!(claims.claim(&name(user), by(ADA), at(0)), Ok(true));
        }
        assert_eq!(claims.claim(&name("c"), by(ADA), at(1)), Err(Denied::TooMany));
        assert_eq!(claims.claim(&name("b"), by(ADA), at(1)), Ok(false), "it is one of them");
        assert_eq!(claims.claim(&name("c"), by(EVE), at(1)), Ok(true));
        claims.look(at(60), |_| false);
        assert_eq!(claims.claim(&name("d"), by(ADA), at(60)), Ok(true), "one has lapsed");
    }

    #[test]
    fn an_address_has_so_many_names_at_a_time_whatever_browsers_they_are_of() {
        let mut claims = Claims::new(Bounds { of_address: 2, ..BOUNDS });
        let school = [192, 0, 2, 1];
        for (browser, user) in [(1, "a"), (2, "b")] {
            assert_eq!(claims.claim(&name(user), from(browser, school), at(0)), Ok(true));
        }
        assert_eq!(claims.claim(&name("c"), from(3, school), at(0)), Err(Denied::TooMany));
        assert_eq!(claims.claim(&name("c"), from(3, [192, 0, 2, 2]), at(0)), Ok(true));
        claims.release(BrowserId([1; 16]));
        assert_eq!(claims.claim(&name("d"), from(4, school), at(0)), Ok(true));
        assert_eq!(claims.claim(&name("e"), by(EVE), at(0)), Ok(true), "it comes from nowhere");
    }

    #[test]
    fn a_heap_of_names_that_nobody_uses_keeps_nobody_out() {
        let mut claims = Claims::new(Bounds { in_all: 3, ..BOUNDS });
        claims.claim(&name("used"), by(ADA), at(0)).unwrap();
        claims.claim(&name("oldest"), by(EVE), at(1)).unwrap();
        claims.claim(&name("older"), by(EVE), at(2)).unwrap();
        let settled = 2 + LEAST_GRACE.as_secs();
        claims.look(at(settled - 3), |_| false);
        assert_eq!(claims.claim(&name("new"), by(ADA), at(4)), Err(Denied::Full), "all are young");
        claims.look(at(settled), |user| *user == name("used"));
        assert_eq!(claims.claim(&name("new"), by(ADA), at(settled)), Ok(true));
        assert_eq!(claims.owner(&name("oldest")), None, "it has given way");
        assert_eq!(claims.claim(&name("newer"), by(ADA), at(settled)), Ok(true));
        assert_eq!(claims.of(EVE), []);
        assert_eq!(claims.claim(&name("newest"), by(ADA), at(settled)), Err(Denied::Full));
        claims.look(at(settled + 59), |_| true);
        assert_eq!(
            claims.claim(&name("newest"), by(EVE), at(999)),
            Err(Denied::Full),
            "all in use"
        );
    }

    #[test]
    fn an_earlier_process_leaves_names_that_have_just_lost_their_connections() {
        let mut claims = Claims::restore(BOUNDS, vec![(name("ada"), ADA)], at(100));
        assert_eq!(claims.unsaved(), Changes::new());
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(159)), Err(Denied::Taken));
        assert_eq!(claims.check(&name("ada"), ADA, at(159)), Ok(()));
        assert_eq!(claims.claim(&name("ada"), by(EVE), at(160)), Ok(true));
    }

    #[test]
    fn of_an_earlier_processs_names_that_look_alike_one_stays_and_the_others_are_given_up() {
        let names = vec![(name("Ian"), ADA), (name("lan"), EVE), (name("eve"), EVE)];
        let mut claims = Claims::restore(BOUNDS, names, at(0));
        assert_eq!(claims.unsaved(), Changes::from([(name("lan"), None)]));
        assert_eq!(claims.check(&name("Ian"), ADA, at(1)), Ok(()));
        assert_eq!(claims.check(&name("lan"), EVE, at(1)), Err(Denied::LooksAlike));
        assert_eq!(claims.of(EVE), [name("eve")]);
        claims.saved(&claims.unsaved());
        claims.claim(&name("lan"), by(EVE), at(60)).unwrap();
        let changes = Changes::from([(name("Ian"), None), (name("lan"), Some(EVE))]);
        assert_eq!(claims.unsaved(), changes, "the one that lapsed is nobody's on the disk either");
    }

    #[test]
    fn every_change_is_noted_until_it_is_saved() {
        let mut claims = Claims::restore(BOUNDS, Vec::new(), at(0));
        claims.claim(&name("ada"), by(ADA), at(0)).unwrap();
        claims.claim(&name("eve"), by(EVE), at(0)).unwrap();
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
