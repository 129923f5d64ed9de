//! The ids of browsers that come for the first time.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::visitor::BrowserId;

/// Numbers browsers one after the other, so that those who have logged out are easily noted. What goes before the number is random: no other process, be it
/// one with the same key, gives the same id.
#[derive(Debug)]
pub(crate) struct Numbering {
    process: [u8; 8],
    next: AtomicU64,
}

impl Numbering {
    pub(crate) fn start() -> Result<Self, getrandom::Error> {
        let mut process = [0; 8];
        getrandom::fill(&mut process)?;
        Ok(Self { process, next: AtomicU64::new(0) })
    }

    pub(crate) fn next(&self) -> BrowserId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.process);
        id[8..].copy_from_slice(&number.to_be_bytes());
        BrowserId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::void_page::Page;

    #[test]
    fn browsers_of_one_process_share_pages_and_those_of_two_share_none() {
        let [one, other] = [(); 2].map(|()| Numbering::start().unwrap());
        let (first, second, stranger) = (one.next(), one.next(), other.next());
        assert_ne!(first, second);
        assert_eq!(Page::of(first).0, Page::of(second).0);
        assert_ne!(Page::of(first).0, Page::of(stranger).0);
    }
}
