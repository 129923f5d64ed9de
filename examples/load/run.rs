//! A run: everybody joins, people talk, what is under way arrives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    churn,
    failure::Failure,
    member::{Member, Outcome},
    options::Options,
    progress::Progress,
    report::Report,
    socket::Socket,
    target::Target,
};

const TICK: Duration = Duration::from_millis(50);
/// How long to look for duplicates when everything has come.
const AFTERMATH: Duration = Duration::from_millis(300);

/// What all tasks know.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) target: Target,
    pub(crate) began: Instant,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) counts: Counts,
}

/// Where the run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Joining,
    /// Since then.
    Talking(Instant),
    Draining,
    Over,
}

/// What has happened so far, in all tasks.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Messages sent, and those that the server has answered.
    pub(crate) asked: Count,
    pub(crate) answered: Count,
    /// Copies that accepted messages make, and those that have come, each once.
    pub(crate) expected: Count,
    pub(crate) copies: Count,
    pub(crate) visits: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// How long the run had been going on then.
    pub(crate) fn nanoseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }

    /// How many are meant to be in the room of the connection with this number.
    pub(crate) fn listeners(&self, number: usize) -> u64 {
        let room = number % self.options.rooms;
        (room..self.options.connections).step_by(self.options.rooms).count() as u64
    }
}

/// Runs it all.
///
/// # Errors
///
/// Where not even the first connection is let in.
pub(crate) async fn run(options: Options) -> Result<Report, Failure> {
    let target = Target::new(&options)?;
    let (phases, phase) = watch::channel(Phase::Joining);
    let counts = Counts::default();
    let shared = Arc::new(Shared { options, target, began: Instant::now(), phase, counts });
    let mut report = Report::new(&shared.options);
    // What is wrong with the first is wrong with all, and can be said at once.
    Socket::join(&shared.options, &shared.target, 0).await?.close().await;

    let mut members = JoinSet::new();
    join_all(&shared, &mut members, &mut report).await;
    let mut visitors = JoinSet::new();
    for place in 0..shared.options.churn {
        visitors.spawn(churn::churn(Arc::clone(&shared), place));
    }
    let began = Instant::now();
    phases.send_replace(Phase::Talking(began));
    talk(&shared, began).await;
    report.seconds = began.elapsed().as_secs_f64();
    phases.send_replace(Phase::Draining);
    drain(&shared).await;
    phases.send_replace(Phase::Over);
    report.take_members(members.join_all().await);
    report.take_visits(visitors.join_all().await);
    Ok(report)
}

async fn join_all(shared: &Arc<Shared>, members: &mut JoinSet<Outcome>, report: &mut Report) {
    let progress = Progress::over(shared.options.connections).called("joining");
    let places = Arc::new(Semaphore::new(shared.options.opening));
    let mut joining = JoinSet::new();
    for number in 0..shared.options.connections {
        let (shared, places) = (Arc::clone(shared), Arc::clone(&places));
        joining.spawn(async move {
            let _place = places.acquire_owned().await;
            let began = Instant::now();
            let joined = Socket::join(&shared.options, &shared.target, number).await;
            (number, joined, began.elapsed())
        });
    }
    // Each begins to read at once: nobody is a slow reader while others still join.
    while let Some(joined) = joining.join_next().await {
        progress.step();
        match joined {
            Ok((number, Ok(socket), took)) => {
                report.joining.add(took);
                members.spawn(Member::new(Arc::clone(shared), number).stay(socket));
            }
            Ok((_, Err(failure), _)) => report.refuse(&failure),
            Err(error) => report.refuse(&Failure::Other(error.to_string())),
        }
    }
}

async fn talk(shared: &Shared, began: Instant) {
    let whole = shared.options.warm_up + shared.options.duration;
    let progress = Progress::over(whole.as_secs() as usize).called("talking");
    while began.elapsed() < whole {
        sleep(TICK.min(whole.saturating_sub(began.elapsed()))).await;
        progress.tell(began.elapsed(), shared);
    }
}

async fn drain(shared: &Shared) {
    let (began, counts) = (Instant::now(), &shared.counts);
    let is_all_here = || {
        counts.answered.get() >= counts.asked.get() && counts.copies.get() >= counts.expected.get()
    };
    while !is_all_here() && began.elapsed() < shared.options.drain {
        sleep(TICK).await;
    }
    sleep(AFTERMATH).await;
}
