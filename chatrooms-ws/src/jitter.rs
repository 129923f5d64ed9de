//! What many would do at the same time, spread over time.

use std::time::Duration;

/// A random part of this time, but half of it at least.
pub(crate) fn second_half(time: Duration) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let least = millis / 2;
    let random = getrandom::u64().unwrap_or_default() % (millis - least).saturating_add(1);
    Duration::from_millis(least + random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spread_over_the_second_half() {
        let time = Duration::from_secs(10);
        let times: Vec<_> = (0..1000).map(|_| second_half(time)).collect();
        assert!(times.iter().all(|one| (time / 2..=time).contains(one)));
        assert!(times.iter().any(|one| *one < time * 6 / 10));
        assert!(times.iter().any(|one| *one > time * 9 / 10));
        assert_eq!(second_half(Duration::ZERO), Duration::ZERO);
    }
}
