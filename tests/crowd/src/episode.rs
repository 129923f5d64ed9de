//! What happens in a house from the first one who comes to the last one who goes.

use std::{sync::Arc, time::Duration};

use chatrooms_core::oracle::Recorder;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{counts::Counts, director::Director, guest::Guest, plan::Plan, storm::Storm};

/// Rooms in a house.
pub(crate) const ROOMS: usize = 4;

/// Where it is played.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) plan: Arc<Plan>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) house: usize,
    /// Of the episode.
    pub(crate) number: u64,
    pub(crate) storm: Storm,
}

impl Stage {
    pub(crate) fn room(&self, place: usize) -> String {
        format!("house {} room {place}", self.house)
    }

    /// The place of a room.
    pub(crate) fn place(&self, room: &str) -> Option<usize> {
        (0..ROOMS).find(|place| self.room(*place) == room)
    }

    pub(crate) fn called(&self) -> String {
        format!("house {}, episode {}", self.house, self.number)
    }
}

/// What everybody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// As they like.
    Living,
    /// Nothing but listen, to the last word in each of their rooms.
    Resting,
    /// Go.
    Going,
}

/// How far everybody is with resting.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rest {
    /// Those who rest.
    pub(crate) resting: usize,
    /// Their connections to each room.
    pub(crate) connections: [usize; ROOMS],
    /// Those of them who have heard all there is.
    pub(crate) have_heard: usize,
}

/// What those know who take part.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) stage: Stage,
    pub(crate) run: Recorder,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) rest: watch::Sender<Rest>,
    /// When all are to rest.
    pub(crate) ends: Instant,
}

#[derive(Debug)]
pub(crate) struct Episode {
    shared: Arc<Shared>,
    phases: watch::Sender<Phase>,
}

impl Episode {
    /// One that lasts so long before everybody rests.
    pub(crate) fn begin(stage: Stage, time: Duration) -> Self {
        let run = Recorder::new();
        run.complete();
        let (phases, phase) = watch::channel(Phase::Living);
        let rest = watch::Sender::new(Rest::default());
        let ends = Instant::now() + time;
        Self { shared: Arc::new(Shared { stage, run, phase, rest, ends }), phases }
    }

    /// Lets them live, rest and go; hands out what all of them have seen, to the end of the rooms.
    pub(crate) async fn play(self) -> Result<Recorder, String> {
        let stage = &self.shared.stage;
        let mut guests = JoinSet::new();
        for number in 0..stage.plan.guests {
            guests.spawn(Guest::new(Arc::clone(&self.shared), number).live());
        }
        sleep_until(self.shared.ends).await;
        self.phases.send_replace(Phase::Resting);
        let rest = self.until(|rest| rest.resting == stage.plan.guests).await;
        let mut director = Director::enter(&self.shared).await?;
        director.finds(&rest.connections).await?;
        director.has_the_last_word().await?;
        self.until(|rest| rest.have_heard == rest.resting).await;
        self.phases.send_replace(Phase::Going);
        while guests.join_next().await.is_some() {}
        director.finds(&[0; ROOMS]).await?;
        director.sees_the_rooms_end().await?;
        Ok(self.shared.run.clone())
    }

    async fn until(&self, condition: impl FnMut(&Rest) -> bool + Send) -> Rest {
        let mut rest = self.shared.rest.subscribe();
        let reached = rest.wait_for(condition).await;
        *reached.expect("this holds the sender")
    }
}
