//! How fast pages may be asked for and forms be posted.

use std::{hash::Hash, net::IpAddr, time::Duration};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chatrooms::{Allowances, Error};
use metrics::{counter, describe_counter};

use crate::{app::App, visitor::BrowserId, words};

/// Of one browser per second, and at once after a silence: all of its windows when the server comes back.
const OF_BROWSER: (u32, u32) = (10, 100);
/// Of one address, where addresses are known: far above what the browsers of a school do.
const OF_ADDRESS: (u32, u32) = (200, 2000);

const NAME: &str = "full_app_rate_limited_total";

/// What each browser and each address may ask for, beside what the library counts itself.
#[derive(Debug)]
pub(crate) struct Pace {
    browsers: Allowances<BrowserId>,
    addresses: Allowances<IpAddr>,
}

impl Default for Pace {
    fn default() -> Self {
        let ((second, burst), (second_of_address, burst_of_address)) = (OF_BROWSER, OF_ADDRESS);
        Self {
            browsers: Allowances::per_second(second, burst),
            addresses: Allowances::per_second(second_of_address, burst_of_address),
        }
    }
}

impl Pace {
    /// Counts a request. A cookie that has been voided still tells whose it was.
    fn count(&self, browser: Option<BrowserId>, address: Option<IpAddr>) -> Result<(), Error> {
        take(&self.addresses, address, "address")?;
        take(&self.browsers, browser, "browser")
    }
}

fn take<K: Hash + Eq + Clone>(
    allowances: &Allowances<K>,
    whose: Option<K>,
    of: &'static str,
) -> Result<(), Error> {
    let taken = whose.map_or(Ok(()), |whose| allowances.take(&whose));
    taken.inspect_err(|_| counter!(NAME, "of" => of).increment(1))
}

/// Says what the number means, which is there from the start.
pub(crate) fn describe() {
    describe_counter!(NAME, "Pages and forms of full_app that were asked for too fast.");
    for of in ["browser", "address"] {
        counter!(NAME, "of" => of).increment(0);
    }
}

/// Refuses what comes too fast.
pub(crate) async fn keep(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let browser = app.signed_in(&parts.headers).map(|visitor| visitor.browser);
    match app.pace.count(browser, app.address(&parts)) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => refuse(error.retry_after().unwrap_or_default()),
    }
}

fn refuse(retry_after: Duration) -> Response {
    let seconds = retry_after.as_secs().saturating_add(1).to_string();
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)], words::TOO_FAST)
        .into_response()
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const ADA: Option<BrowserId> = Some(BrowserId([1; 16]));
    const EVE: Option<BrowserId> = Some(BrowserId([2; 16]));

    #[tokio::test(start_paused = true)]
    async fn each_browser_and_each_address_has_a_pace() {
        let pace = Pace::default();
        let home = Some([192, 0, 2, 1].into());
        let count = |times: u32, browser, address| {
            (0..times).filter(|_| pace.count(browser, address).is_ok()).count()
        };
        assert_eq!(count(200, EVE, home), 100);
        assert_eq!(count(1, ADA, home), 1);
        assert_eq!(count(5000, None, home), 2000 - 201);
        assert_eq!(count(1, ADA, home), 0, "it comes from there");
        assert_eq!(count(1, ADA, None), 1);
        assert_eq!(count(5000, None, None), 5000, "nobody from nowhere");
        advance(Duration::from_secs(1)).await;
        assert_eq!((count(100, EVE, home), count(300, None, home)), (10, 100));
    }
}
