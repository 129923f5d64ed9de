//! What one member has of one sender: numbers that come once each, in order.

/// How far back a repeat is told from a late one.
const KEPT: u32 = 64;

/// The highest number so far, and which of those before it have come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Track {
    highest: u32,
    seen: u64,
}

/// What a copy is to the one who gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copy {
    InOrder,
    Late,
    Repeated,
}

impl Track {
    #[inline]
    pub(super) fn take(&mut self, number: u32) -> Copy {
        if number > self.highest {
            let ahead = number - self.highest;
            self.seen = if ahead >= KEPT { 1 } else { self.seen << ahead | 1 };
            self.highest = number;
            return Copy::InOrder;
        }
        let behind = self.highest - number;
        if behind >= KEPT {
            return Copy::Late;
        }
        let bit = 1 << behind;
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        if is_new { Copy::Late } else { Copy::Repeated }
    }
}

#[cfg(test)]
mod tests {
    use super::{Copy, Track};

    #[test]
    fn late_and_repeated_copies_are_told_apart() {
        let mut track = Track::default();
        let taken = [1, 3, 2, 2, 3, 4, 400, 400, 5].map(|number| track.take(number));
        let (ok, late, twice) = (Copy::InOrder, Copy::Late, Copy::Repeated);
        assert_eq!(taken, [ok, ok, late, twice, twice, ok, ok, twice, late]);
    }
}
