//! Chance that can be had again.

/// A small generator of its own for each client, so that a run can be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll<T: Copy>(&mut self, sides: &[T]) -> T {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sides[(self.0 >> 33) as usize % sides.len()]
    }
}
