//! Everybody vanishes at the same moment and is back within two seconds, as when a router is restarted.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{counts::Counts, plan::Plan};

const FIRST: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(120);
/// No one comes so shortly before the end.
const BEFORE_THE_END: Duration = Duration::from_secs(15);

/// How many there have been, for all who are told of the next one.
pub(crate) type Storm = watch::Receiver<u32>;

#[derive(Debug)]
pub(crate) struct Storms {
    told: watch::Sender<u32>,
    ends: Instant,
}

impl Storms {
    pub(crate) fn of(plan: &Plan) -> (Self, Storm) {
        let (told, storm) = watch::channel(0);
        let ends = Instant::now() + plan.time.saturating_sub(BEFORE_THE_END);
        (Self { told, ends }, storm)
    }

    pub(crate) async fn come(&self, counts: &Counts) {
        sleep(FIRST).await;
        while Instant::now() < self.ends {
            self.told.send_modify(|storms| *storms += 1);
            counts.add("storms");
            sleep(PAUSE).await;
        }
    }
}
