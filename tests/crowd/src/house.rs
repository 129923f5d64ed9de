//! A few rooms, and the people who go from one to the other.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chatrooms_core::Epoch;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    counts::Counts,
    dice::Dice,
    episode::{Episode, Stage},
    judge::Judge,
    plan::Plan,
    storm::Storm,
};

/// An episode lasts so long, before everybody rests.
const EPISODE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(50));
/// No episode is begun that would be shorter.
const SHORTEST: Duration = Duration::from_secs(10);
/// After this, whatever is waited for, with the silent ones, a database that is locked and a machine that sleeps, will not come.
const PATIENCE: Duration = Duration::from_secs(400);
/// All houses are filled within this time.
const FILLED: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct House {
    plan: Arc<Plan>,
    number: usize,
    counts: Arc<Counts>,
    judge: Arc<Judge>,
    storm: Storm,
    dice: Dice,
    /// Of all lives that its rooms have had.
    lives: HashSet<Epoch>,
}

impl House {
    pub(crate) fn new(
        plan: Arc<Plan>,
        number: usize,
        counts: Arc<Counts>,
        judge: Arc<Judge>,
        storm: Storm,
    ) -> Self {
        let dice = Dice::new(plan.seed, number as u64);
        Self { plan, number, counts, judge, storm, dice, lives: HashSet::new() }
    }

    /// One episode after the other, until the time is over.
    pub(crate) async fn keep(mut self) {
        let ends = Instant::now() + self.plan.time;
        sleep(self.dice.between(Duration::ZERO, FILLED)).await;
        for number in 0.. {
            let left = ends.saturating_duration_since(Instant::now());
            if left < SHORTEST {
                return;
            }
            let time = self.dice.between(EPISODE.0, EPISODE.1).min(left);
            let stage = Stage {
                plan: Arc::clone(&self.plan),
                counts: Arc::clone(&self.counts),
                house: self.number,
                number,
                storm: self.storm.clone(),
            };
            let called = stage.called();
            match timeout(time + PATIENCE, Episode::begin(stage, time).play()).await {
                Ok(Ok(run)) => self.judge.judge(run, &called, &mut self.lives).await,
                Ok(Err(problem)) => return self.counts.problem(format!("{called}: {problem}")),
                Err(_) => return self.counts.problem(format!("{called}: it does not end")),
            }
        }
    }
}
