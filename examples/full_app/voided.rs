//! Which cookies are void although their signature is good.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use crate::{
    visitor::{BrowserId, Visitor},
    void_page::{Page, VoidPage},
};

/// A browser's logout voids every cookie that it was ever given, until the last of them has expired.
///
/// It takes a bit: browsers are numbered one after the other, and those that have logged out are marked on pages of
/// [`NUMBERS`](crate::void_page::NUMBERS). So a flood of logouts revives no cookie, voids no other browser's, and has to be preceded by as many entries as there
/// are numbers on all pages before anything is refused: then it is a logout that would need one page more.
#[derive(Debug)]
pub(crate) struct Voided {
    pages: HashMap<Page, VoidPage>,
    /// Those with logouts that are not known to outlive the process.
    unsaved: HashSet<Page>,
    valid_from: SystemTime,
    /// What is known to outlive the process of `valid_from`.
    saved_from: SystemTime,
    most: usize,
}

/// There are as many pages as can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What has to outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsaved {
    pub(crate) pages: Vec<(Page, VoidPage)>,
    /// Older cookies are void from now on, and pages without younger logouts need not be kept.
    pub(crate) valid_from: Option<SystemTime>,
}

impl Voided {
    /// Cookies from before `valid_from` are void.
    pub(crate) fn new(valid_from: SystemTime, most: usize) -> Self {
        let (pages, unsaved) = (HashMap::new(), HashSet::new());
        Self { pages, unsaved, valid_from, saved_from: valid_from, most }
    }

    /// Takes up the logouts of an earlier process.
    pub(crate) fn restore(&mut self, pages: impl IntoIterator<Item = (Page, VoidPage)>) {
        self.pages.extend(pages);
    }

    pub(crate) fn insert(&mut self, browser: BrowserId, at: SystemTime) -> Result<(), Full> {
        let (page, place) = Page::of(browser);
        if self.pages.len() >= self.most && !self.pages.contains_key(&page) {
            return Err(Full);
        }
        self.pages.entry(page).or_insert_with(|| VoidPage::new(at)).mark(place, at);
        self.unsaved.insert(page);
        Ok(())
    }

    pub(crate) fn contains(&self, visitor: &Visitor) -> bool {
        let (page, place) = Page::of(visitor.browser);
        let is_marked = || self.pages.get(&page).is_some_and(|page| page.is_marked(place));
        visitor.issued < self.valid_from || is_marked()
    }

    /// Forgets logouts whose cookies have all expired.
    pub(crate) fn expire(&mut self, now: SystemTime) {
        let Some(oldest) = now.checked_sub(Visitor::LIFETIME) else { return };
        let before = self.pages.len();
        self.pages.retain(|_, page| page.last > oldest);
        if self.pages.len() < before {
            // No cookie of a browser is younger than its logout, to the millisecond. None is revived by a clock that is put back.
            self.valid_from = self.valid_from.max(oldest + Duration::from_millis(1));
            self.unsaved.retain(|page| self.pages.contains_key(page));
        }
    }

    /// Whether there is anything that has not been saved yet.
    pub(crate) fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty() || self.valid_from != self.saved_from
    }

    /// What has not been saved yet, if anything.
    pub(crate) fn unsaved(&self) -> Option<Unsaved> {
        let page = |at: &Page| Some((*at, self.pages.get(at)?.clone()));
        self.has_unsaved().then(|| Unsaved {
            pages: self.unsaved.iter().filter_map(page).collect(),
            valid_from: (self.valid_from != self.saved_from).then_some(self.valid_from),
        })
    }

    /// These have been saved. What has changed again meanwhile has not.
    pub(crate) fn saved(&mut self, saved: &Unsaved) {
        for (at, page) in &saved.pages {
            if self.pages.get(at).is_none_or(|now| now == page) {
                self.unsaved.remove(at);
            }
        }
        self.saved_from = saved.valid_from.unwrap_or(self.saved_from);
    }
}

#[cfg(test)]
mod tests {
    use chatrooms::UserName;

    use super::*;
    use crate::{clock::from_millis, void_page::NUMBERS};

    fn at(millis: u64) -> SystemTime {
        from_millis(1_700_000_000_000 + millis).unwrap()
    }

    fn browser(number: u128) -> BrowserId {
        BrowserId(number.to_be_bytes())
    }

    fn visitor(number: u128, issued: u64) -> Visitor {
        let user = UserName::new("ada").unwrap();
        Visitor { browser: browser(number), user, issued: at(issued) }
    }

    #[test]
    fn a_logout_voids_every_cookie_of_that_browser() {
        let mut voided = Voided::new(at(0), 10);
        voided.insert(browser(1), at(5)).unwrap();
        assert!(voided.contains(&visitor(1, 1)));
        assert!(voided.contains(&visitor(1, 5)));
        assert!(!voided.contains(&visitor(2, 1)));
        assert!(!voided.contains(&visitor(1 + NUMBERS, 1)), "the same place of another page");
    }

    #[test]
    fn older_cookies_than_the_start_are_void() {
        let voided = Voided::new(at(10), 10);
        assert!(voided.contains(&visitor(1, 9)));
        assert!(!voided.contains(&visitor(1, 10)));
    }

    #[test]
    fn a_flood_of_logouts_is_a_few_pages_revives_nobody_and_voids_nobody_else() {
        let mut voided = Voided::new(at(0), 100);
        let flood = 1..200_000;
        for number in flood.clone().filter(|number| number % 1000 != 0) {
            voided.insert(browser(number), at(7)).unwrap();
        }
        for number in flood {
            assert_eq!(voided.contains(&visitor(number, 7)), number % 1000 != 0, "{number}");
        }
        assert!(!voided.contains(&visitor(0, 1)), "who came before them all");
        assert_eq!(voided.pages.len() as u128, 200_000 / NUMBERS + 1);
    }

    #[test]
    fn beyond_all_pages_a_logout_is_refused_and_what_is_void_stays_so() {
        let mut voided = Voided::new(at(0), 2);
        for page in 0..2 {
            voided.insert(browser(page * NUMBERS), at(1)).unwrap();
        }
        assert_eq!(voided.insert(browser(2 * NUMBERS), at(2)), Err(Full));
        assert!(!voided.contains(&visitor(2 * NUMBERS, 1)), "nor is anybody told otherwise");
        voided.insert(browser(1), at(2)).unwrap();
        for number in [0, 1, NUMBERS] {
            assert!(voided.contains(&visitor(number, 1)), "{number}");
        }
        voided.expire(at(1) + Visitor::LIFETIME);
        voided.insert(browser(2 * NUMBERS), at(3)).unwrap();
    }

    #[test]
    fn logouts_are_forgotten_when_their_cookies_have_expired() {
        let mut voided = Voided::new(at(0), 10);
        voided.insert(browser(1), at(5)).unwrap();
        voided.insert(browser(2), at(7)).unwrap();
        voided.expire(at(6) + Visitor::LIFETIME);
        assert_eq!((voided.pages.len(), voided.valid_from), (1, at(0)));
        voided.expire(at(7) + Visitor::LIFETIME);
        assert!(voided.pages.is_empty());
        assert!(voided.contains(&visitor(1, 5)), "even on a clock that runs backwards");
        let unsaved = voided.unsaved().expect("from when on cookies are good");
        assert_eq!((unsaved.pages.len(), unsaved.valid_from), (0, Some(at(8))));
        voided.saved(&unsaved);
        assert_eq!(voided.unsaved(), None);
    }

    #[test]
    fn what_is_saved_is_not_saved_again() {
        let mut earlier = VoidPage::new(at(1));
        earlier.mark(9, at(1));
        let mut voided = Voided::new(at(0), 10);
        voided.restore([(Page::of(browser(9)).0, earlier)]);
        assert!(voided.contains(&visitor(9, 1)));
        assert_eq!(voided.unsaved(), None);
        voided.insert(browser(1), at(5)).unwrap();
        let unsaved = voided.unsaved().unwrap();
        assert_eq!(unsaved.pages.len(), 1);
        voided.insert(browser(2), at(6)).unwrap();
        voided.saved(&unsaved);
        let again = voided.unsaved().expect("changed meanwhile");
        voided.saved(&again);
        assert_eq!(voided.unsaved(), None);
        let page = &again.pages[0].1;
        assert!([1, 2, 9].iter().all(|place| page.is_marked(*place)) && page.last == at(6));
    }
}
