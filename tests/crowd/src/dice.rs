//! Chance, the same for the same seed.

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Those of somebody with a number.
    pub(crate) const fn new(seed: u64, who: u64) -> Self {
        Self(seed ^ who.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    /// SplitMix64.
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) const fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub(crate) const fn one_of<T: Copy>(&mut self, sides: &[T]) -> T {
        sides[self.below(sides.len())]
    }

    /// Whether what happens so often of a hundred times happens now.
    pub(crate) const fn in_a_hundred(&mut self, times: usize) -> bool {
        self.below(100) < times
    }

    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        least + most.saturating_sub(least).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_for_a_seed_and_another_for_everybody() {
        let rolled = |seed, who| {
            let mut dice = Dice::new(seed, who);
            (0..20).map(|_| dice.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(rolled(1, 2), rolled(1, 2));
        assert_ne!(rolled(1, 2), rolled(1, 3));
        assert_ne!(rolled(1, 2), rolled(2, 2));
    }

    #[test]
    fn times_lie_between() {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(3));
        let mut dice = Dice::new(1, 1);
        let times: Vec<_> = (0..1_000).map(|_| dice.between(least, most)).collect();
        assert!(times.iter().all(|time| (least..=most).contains(time)));
        let all = times.iter().sum::<Duration>();
        assert!((1_900..2_100).contains(&(all / 1_000).as_millis()));
    }
}
