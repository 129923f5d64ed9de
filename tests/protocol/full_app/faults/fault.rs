//! What befalls a cluster.

use std::time::Duration;

use tokio::time::sleep;

use crate::kit::{Cluster, Moments, eventually, signal};

use super::{
    ALIVE, MORTAL,
    guest::{Mood, Stage},
};

/// How long something lasts at the most that has an end.
const LONGEST: Duration = Duration::from_secs(1);
/// So many answers everybody has had in a storm.
const STORM: usize = 40;
/// So often in a row.
const DEAF: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// A node is killed, and another one started.
    Crash,
    /// Redis is killed, and started again with what it has kept.
    Outage,
    /// The same with nothing of it.
    Loss,
    /// A node stands still until the others have taken it for dead, and goes on after that.
    Freeze,
    /// One node after the other is ended in order, with another one in its place.
    Rolling,
    /// All connections end over which nodes hear of news.
    Deafness,
    /// Everybody joins and leaves one room as fast as they can.
    Storm,
}

impl Fault {
    pub(super) const ALL: [Self; 7] = [
        Self::Crash,
        Self::Outage,
        Self::Loss,
        Self::Freeze,
        Self::Rolling,
        Self::Deafness,
        Self::Storm,
    ];

    /// So many of them by chance: each once before any comes again.
    pub(super) fn schedule(rounds: usize, moments: &mut Moments) -> Vec<Self> {
        let mut schedule = Vec::new();
        while schedule.len() < rounds {
            let mut all = Self::ALL.to_vec();
            while !all.is_empty() {
                schedule.push(all.swap_remove(moments.choice(all.len())));
            }
        }
        schedule.truncate(rounds);
        schedule
    }

    /// Has it happen; done when it is over.
    pub(super) async fn strike(self, cluster: &mut Cluster, stage: &Stage, moments: &mut Moments) {
        match self {
            Self::Crash => {
                let place = moments.choice(cluster.nodes.len());
                cluster.nodes[place].kill().await;
                drop(cluster.replace(place, &MORTAL).await);
            }
            Self::Outage => {
                cluster.redis.kill();
                sleep(moments.next(LONGEST)).await;
                cluster.redis.restart().await;
            }
            Self::Loss => {
                cluster.redis.kill();
                sleep(moments.next(LONGEST)).await;
                cluster.redis.restart_without().await;
            }
            Self::Freeze => {
                let node = cluster.nodes[moments.choice(cluster.nodes.len())].id();
                signal(node, "STOP");
                let others = (cluster.nodes.len() - 1).to_string();
                eventually("the others take it for dead", async || {
                    cluster.redis.ask(&["HLEN", ALIVE]) == others
                })
                .await;
                sleep(moments.next(LONGEST)).await;
                signal(node, "CONT");
            }
            Self::Rolling => {
                for place in 0..cluster.nodes.len() {
                    let old = cluster.replace(place, &MORTAL).await;
                    old.terminate();
                    assert!(old.exited().await.success(), "{}", old.log());
                }
            }
            Self::Deafness => {
                for _ in 0..DEAF {
                    cluster.redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
                    sleep(moments.next(LONGEST / 4)).await;
                }
            }
            Self::Storm => {
                stage.mood.set(Mood::Storm);
                stage.everybody_is_at_it(STORM).await;
            }
        }
    }
}
