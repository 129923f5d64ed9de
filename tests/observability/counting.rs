//! A recorder of one test's own: what is made on the test's thread counts here and nowhere else.

use std::collections::BTreeMap;

use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

pub(crate) struct Counting {
    numbers: PrometheusHandle,
    _local: LocalRecorderGuard<'static>,
}

impl Counting {
    /// Whatever is made on this thread from now on is counted here.
    pub(crate) fn begin() -> Self {
        let recorder =
            PrometheusBuilder::new().set_buckets(&[1.0]).expect("a bucket").build_recorder();
        let numbers = recorder.handle();
        // A test's few kilobytes, so that no test has to hold the recorder beside its guard.
        let recorder: &'static PrometheusRecorder = Box::leak(Box::new(recorder));
        Self { numbers, _local: metrics::set_default_local_recorder(recorder) }
    }

    /// The page that an operator's Prometheus reads.
    pub(crate) fn page(&self) -> String {
        self.numbers.render()
    }

    /// Every sample by its name and labels, those of the single buckets and the sums of times excepted.
    pub(crate) fn samples(&self) -> BTreeMap<String, u64> {
        let page = self.page();
        let samples = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let counts = samples.filter(|line| !line.contains("_bucket") && !line.contains("_sum"));
        counts.map(sample).collect()
    }

    /// Asserts that exactly these samples are not 0.
    #[track_caller]
    pub(crate) fn assert(&self, expected: &[(&str, u64)]) {
        let mut samples = self.samples();
        samples.retain(|_, value| *value != 0);
        let expected: BTreeMap<_, _> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(samples, expected);
    }
}

fn sample(line: &str) -> (String, u64) {
    let (name, value) = line.rsplit_once(' ').expect("a name and a value");
    (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no count: {line}")))
}
