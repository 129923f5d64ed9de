//! Which cookies are void although their signature is good.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use crate::visitor::{BrowserId, Visitor};

/// A browser's logout voids every cookie that it was ever given, until the last of them has expired.
///
/// There is a bound: beyond it, the older half is forgotten, and with it every cookie that is as old, be it void or not. So a flood of
/// logouts may cost somebody a new entry, and never revives a cookie.
#[derive(Debug)]
pub(crate) struct Voided {
    by_browser: HashMap<BrowserId, Logout>,
    valid_from: SystemTime,
    /// What is known to outlive the process of `valid_from`.
    saved_from: SystemTime,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Logout {
    at: SystemTime,
    is_saved: bool,
}

/// What has to outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsaved {
    pub(crate) logouts: Vec<(BrowserId, SystemTime)>,
    /// Older cookies are void, and older logouts need not be kept.
    pub(crate) valid_from: SystemTime,
}

impl Voided {
    /// Cookies from before `valid_from` are void.
    pub(crate) fn new(valid_from: SystemTime, most: usize) -> Self {
        Self { by_browser: HashMap::new(), valid_from, saved_from: valid_from, most }
    }

    /// Takes up logouts of an earlier process.
    pub(crate) fn restore(&mut self, logouts: impl IntoIterator<Item = (BrowserId, SystemTime)>) {
        for (browser, at) in logouts {
            self.by_browser.insert(browser, Logout { at, is_saved: true });
        }
        self.keep_bound();
    }

    pub(crate) fn insert(&mut self, browser: BrowserId, at: SystemTime) {
        self.by_browser.insert(browser, Logout { at, is_saved: false });
        self.keep_bound();
    }

    pub(crate) fn contains(&self, visitor: &Visitor) -> bool {
        visitor.issued < self.valid_from || self.by_browser.contains_key(&visitor.browser)
    }

    /// Forgets logouts whose cookies have all expired.
    pub(crate) fn expire(&mut self, now: SystemTime) {
        let Some(oldest) = now.checked_sub(Visitor::LIFETIME) else { return };
        if self.by_browser.values().any(|logout| logout.at <= oldest) {
            self.forget_until(oldest);
        }
    }

    /// What has not been saved yet, if anything.
    pub(crate) fn unsaved(&self) -> Option<Unsaved> {
        let waiting = self.by_browser.iter().filter(|(_, logout)| !logout.is_saved);
        let logouts: Vec<_> = waiting.map(|(browser, logout)| (*browser, logout.at)).collect();
        let is_any = !logouts.is_empty() || self.valid_from != self.saved_from;
        is_any.then_some(Unsaved { logouts, valid_from: self.valid_from })
    }

    pub(crate) fn saved(&mut self, saved: &Unsaved) {
        for (browser, at) in &saved.logouts {
            if let Some(logout) = self.by_browser.get_mut(browser) {
                logout.is_saved = logout.at == *at;
            }
        }
        self.saved_from = saved.valid_from;
    }

    fn keep_bound(&mut self) {
        if self.by_browser.len() <= self.most {
            return;
        }
        let mut times: Vec<_> = self.by_browser.values().map(|logout| logout.at).collect();
        let (_, median, _) = times.select_nth_unstable(self.most / 2);
        let until = *median;
        self.forget_until(until);
    }

    fn forget_until(&mut self, until: SystemTime) {
        self.by_browser.retain(|_, logout| logout.at > until);
        // No cookie of a browser is younger than its logout, to the millisecond.
        self.valid_from = self.valid_from.max(until + Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use chatrooms::UserName;

    use super::*;
    use crate::clock::from_millis;

    fn at(millis: u64) -> SystemTime {
        from_millis(1_700_000_000_000 + millis).unwrap()
    }

    fn browser(number: u8) -> BrowserId {
        BrowserId([number; 16])
    }

    fn visitor(number: u8, issued: u64) -> Visitor {
        let user = UserName::new("ada").unwrap();
        Visitor { browser: browser(number), user, issued: at(issued) }
    }

    #[test]
    fn a_logout_voids_every_cookie_of_that_browser() {
        let mut voided = Voided::new(at(0), 10);
        voided.insert(browser(1), at(5));
        assert!(voided.contains(&visitor(1, 1)));
        assert!(voided.contains(&visitor(1, 5)));
        assert!(!voided.contains(&visitor(2, 1)));
    }

    #[test]
    fn older_cookies_than_the_start_are_void() {
        let voided = Voided::new(at(10), 10);
        assert!(voided.contains(&visitor(1, 9)));
        assert!(!voided.contains(&visitor(1, 10)));
    }

    #[test]
    fn a_flood_of_logouts_is_bounded_and_revives_nobody() {
        let mut voided = Voided::new(at(0), 4);
        for number in 1..=200 {
            voided.insert(browser(number), at(number.into()));
            assert!(voided.by_browser.len() <= 4);
            for before in 1..=number {
                assert!(voided.contains(&visitor(before, before.into())), "{before} at {number}");
            }
        }
        assert!(!voided.contains(&visitor(250, 200)), "who came last need not enter again");
    }

    #[test]
    fn logouts_of_one_moment_are_bounded_too() {
        let mut voided = Voided::new(at(0), 4);
        for number in 1..=200 {
            voided.insert(browser(number), at(7));
            assert!(voided.by_browser.len() <= 4);
            assert!(voided.contains(&visitor(number, 7)));
            assert!(voided.unsaved().is_some(), "be it only from when on cookies are good");
        }
    }

    #[test]
    fn a_logout_is_forgotten_when_its_cookies_have_expired() {
        let mut voided = Voided::new(at(0), 10);
        voided.insert(browser(1), at(5));
        voided.expire(at(4) + Visitor::LIFETIME);
        assert_eq!(voided.by_browser.len(), 1);
        voided.expire(at(5) + Visitor::LIFETIME);
        assert!(voided.by_browser.is_empty());
        assert!(voided.contains(&visitor(1, 5)), "even on a clock that runs backwards");
    }

    #[test]
    fn what_is_saved_is_not_saved_again() {
        let mut voided = Voided::new(at(0), 10);
        voided.restore([(browser(9), at(1))]);
        assert!(voided.contains(&visitor(9, 1)));
        assert_eq!(voided.unsaved(), None);
        voided.insert(browser(1), at(5));
        let unsaved = voided.unsaved().unwrap();
        assert_eq!(unsaved, Unsaved { logouts: vec![(browser(1), at(5))], valid_from: at(0) });
        voided.insert(browser(2), at(6));
        voided.saved(&unsaved);
        assert_eq!(voided.unsaved().unwrap().logouts, [(browser(2), at(6))]);
    }
}
