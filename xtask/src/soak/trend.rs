//! Whether something grows over time.

/// The straight line that is nearest to some points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trend {
    /// By how much the line goes up for each step to the right.
    pub(super) slope: f64,
    /// The mean of all values.
    pub(super) mean: f64,
    /// From the first point to the last.
    pub(super) length: f64,
}

impl Trend {
    /// By least squares; none where there is no line.
    pub(super) fn of(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (across, up) = (mean(|(x, _)| *x), mean(|(_, y)| *y));
        let spread: f64 = points.iter().map(|(x, _)| (x - across).powi(2)).sum();
        let together: f64 = points.iter().map(|(x, y)| (x - across) * (y - up)).sum();
        let length = points.last()?.0 - points.first()?.0;
        (spread > 0.0).then(|| Self { slope: together / spread, mean: up, length })
    }

    /// By how much the line has gone up from its first point to its last.
    pub(super) fn growth(&self) -> f64 {
        self.slope * self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let points: Vec<_> = (0..10).map(|x| (f64::from(x), 5.0 + 2.0 * f64::from(x))).collect();
        let trend = Trend::of(&points).expect("a line");
        assert!((trend.slope - 2.0).abs() < 1e-9 && (trend.mean - 14.0).abs() < 1e-9);
        assert!((trend.growth() - 18.0).abs() < 1e-9);
    }

    #[test]
    fn what_goes_up_and_down_does_not_grow() {
        let saw = |x: u32| 50.0 + f64::from(x % 10);
        let points: Vec<_> = (0..1000).map(|x| (f64::from(x), saw(x))).collect();
        let growth = Trend::of(&points).expect("a line").growth();
        assert!(growth.abs() < 0.1, "{growth}");
    }

    #[test]
    fn a_point_is_no_line() {
        assert_eq!(Trend::of(&[]), None);
        assert_eq!(Trend::of(&[(1.0, 2.0)]), None);
    }
}
