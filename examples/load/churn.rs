//! People who come and go: connect, join, leave, again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    failure::Failure,
    latency::Latency,
    member::changed,
    run::{Phase, Shared},
    socket::Socket,
};

/// After a failure nobody tries again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// What one of them has met with.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    pub(crate) joined: u64,
    /// From connecting to being in the room.
    pub(crate) latency: Latency,
    /// Those that a limit ended, by name.
    pub(crate) refused: BTreeMap<String, u64>,
    /// What else failed, by name.
    pub(crate) failed: BTreeMap<String, u64>,
}

/// Comes and goes while people talk.
pub(crate) async fn churn(shared: Arc<Shared>, place: usize) -> Visits {
    let mut phase = shared.phase.clone();
    while !matches!(*phase.borrow_and_update(), Phase::Talking(_)) {
        if changed(&mut phase).await == Phase::Over {
            return Visits::default();
        }
    }
    let mut visits = Visits::default();
    let first = shared.options.connections + place;
    for number in (first..).step_by(shared.options.churn) {
        if !matches!(*phase.borrow(), Phase::Talking(_)) {
            break;
        }
        let began = Instant::now();
        let visit = visit(&shared, number, || {
            visits.joined += 1;
            visits.latency.add(began.elapsed());
            shared.counts.visits.add(1);
        });
        if let Err(failure) = visit.await {
            let by_name = if failure.is_limit() { &mut visits.refused } else { &mut visits.failed };
            *by_name.entry(failure.name()).or_default() += 1;
            sleep(PAUSE).await;
        }
    }
    visits
}

async fn visit(shared: &Shared, number: usize, joined: impl FnOnce()) -> Result<(), Failure> {
    let mut socket = Socket::join(&shared.options, &shared.target, number).await?;
    joined();
    let room = shared.options.room_of(number);
    socket.say(&json!({"type": "leave", "id": 1, "room": room})).await?;
    while socket.frame().await?.kind != "left" {}
    socket.close().await;
    Ok(())
}
