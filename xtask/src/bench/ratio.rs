//! Two servers in turn: a machine's speed drifts by minutes, so that only what was measured side by side can be compared.

use super::{options::Options, peer::Peer, row::Row, wsload::Run};

/// What came of a row.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) ours: Figures,
    pub(super) other: Figures,
    /// Of ours to the mean of the others around it, in order of size.
    pub(super) ratios: Vec<f64>,
    /// The greatest share of copies that the other lost.
    pub(super) lost: f64,
    /// What broke a promise, or kept a run from being made.
    pub(super) problems: Vec<String>,
}

/// The medians of all runs against a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// What the row is about.
    pub(super) figure: Option<f64>,
    /// How long a copy was under way, in milliseconds: half of them at most, and 99 of 100.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
}

impl Measured {
    pub(super) fn of(row: &Row, options: &Options) -> Self {
        let mut measured = Self::default();
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        let other = row.other.filter(|other| other.missing().is_none());
        for _ in 0..options.pairs {
            others.push(other.and_then(|other| measured.run(row, other, options)));
            ours.push(measured.run(row, row.ours, options));
        }
        others.push(other.and_then(|other| measured.run(row, other, options)));
        let figures = |runs: &[Option<Figures>]| -> Vec<_> {
            runs.iter().map(|run| run.and_then(|run| run.figure)).collect()
        };
        measured.ratios = ratios(&figures(&ours), &figures(&others));
        measured.ours = Figures::median(&ours);
        measured.other = Figures::median(&others);
        measured
    }

    fn run(&mut self, row: &Row, peer: Peer, options: &Options) -> Option<Figures> {
        match Run::of(peer, &row.arguments(), options.is_quick) {
            Ok(run) => {
                if peer.is_ours() {
                    self.problems.extend(run.broken());
                } else {
                    self.lost = self.lost.max(run.lost());
                }
                let milliseconds = |name| run.figure(name).map(|micros| micros / 1e3);
                Some(Figures {
                    figure: run.figure(row.figure),
                    p50: milliseconds("latency_us.p50"),
                    p99: milliseconds("latency_us.p99"),
                })
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}

impl Figures {
    fn median(runs: &[Option<Self>]) -> Self {
        let of = |figure: fn(&Self) -> Option<f64>| {
            median(runs.iter().map(|run| run.as_ref().and_then(figure)))
        };
        Self { figure: of(|run| run.figure), p50: of(|run| run.p50), p99: of(|run| run.p99) }
    }
}

/// Each of ours over the mean of those before and after it.
fn ratios(ours: &[Option<f64>], others: &[Option<f64>]) -> Vec<f64> {
    let pairs = ours.iter().zip(others.windows(2));
    let mut ratios: Vec<f64> = pairs
        .filter_map(|(ours, around)| {
            let around: Vec<f64> = around.iter().flatten().copied().collect();
            let mean = around.iter().sum::<f64>() / around.len() as f64;
            Some((*ours)? / mean).filter(|ratio| ratio.is_finite())
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios
}

pub(super) fn median(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().flatten().collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().saturating_sub(1) / 2)?, values[values.len() / 2]);
    Some((low + high) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::{median, ratios};

    #[test]
    fn a_ratio_is_to_the_mean_of_those_around_it() {
        let ours = [Some(3.0), Some(9.0), None];
        let others = [Some(2.0), Some(4.0), Some(8.0), None];
        assert_eq!(ratios(&ours, &others), [1.0, 1.5]);
        assert!(ratios(&[Some(1.0)], &[None, None]).is_empty());
    }

    #[test]
    fn a_median_leaves_out_what_is_missing() {
        assert_eq!(median([Some(5.0), None, Some(1.0), Some(2.0)]), Some(2.0));
        assert_eq!(median([Some(1.0), Some(2.0)]), Some(1.5));
        assert_eq!(median([None]), None);
    }
}
