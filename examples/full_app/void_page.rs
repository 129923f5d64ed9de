//! A page of browsers that have logged out.

use std::time::SystemTime;

use crate::visitor::BrowserId;

/// How many browsers there are on a page.
pub(crate) const NUMBERS: u128 = 1 << 12;
const BYTES: usize = NUMBERS as usize / 8;

/// Which page: that of all browsers that differ in the last digits of their numbers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Page(u128);

impl Page {
    /// Where a browser stands.
    pub(crate) const fn of(browser: BrowserId) -> (Self, usize) {
        let number = u128::from_be_bytes(browser.0);
        (Self(number / NUMBERS), (number % NUMBERS) as usize)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

/// One bit for each browser of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoidPage {
    marks: Box<[u8; BYTES]>,
    /// When the last of them logged out.
    pub(crate) last: SystemTime,
}

impl VoidPage {
    pub(crate) fn new(last: SystemTime) -> Self {
        Self { marks: Box::new([0; BYTES]), last }
    }

    /// As it was written down; `None` where it was not.
    pub(crate) fn read(marks: Vec<u8>, last: SystemTime) -> Option<Self> {
        let marks = marks.into_boxed_slice().try_into().ok()?;
        Some(Self { marks, last })
    }

    pub(crate) fn marks(&self) -> &[u8] {
        &self.marks[..]
    }

    pub(crate) fn mark(&mut self, place: usize, at: SystemTime) {
        self.marks[place / 8] |= 1 << (place % 8);
        self.last = self.last.max(at);
    }

    pub(crate) fn is_marked(&self, place: usize) -> bool {
        self.marks[place / 8] & (1 << (place % 8)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_browser_has_a_place_of_its_own_and_a_page_is_read_as_it_was_written() {
        let first = u128::from(u64::MAX) * NUMBERS;
        let mut page = VoidPage::new(SystemTime::UNIX_EPOCH);
        for number in first..first + NUMBERS {
            let (at, place) = Page::of(BrowserId(number.to_be_bytes()));
            assert_eq!(at, Page::of(BrowserId(first.to_be_bytes())).0);
            assert_eq!(at, Page::from_bytes(at.to_bytes()));
            assert!(!page.is_marked(place));
            page.mark(place, SystemTime::UNIX_EPOCH);
            assert!(page.is_marked(place));
            let read = VoidPage::read(page.marks().to_vec(), page.last);
            assert_eq!(read.as_ref(), Some(&page));
        }
        assert_eq!(VoidPage::read(vec![0; BYTES - 1], page.last), None);
    }
}
