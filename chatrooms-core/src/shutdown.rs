//! How a registry stops.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::{
    CloseReason, RoomRegistry,
    effects::end_peer,
    sync::{after, millis},
};

/// How a shutdown went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Sessions that had not ended in time and were cut off.
    pub cut_off: usize,
    /// Purges that are left for the next start.
    pub unfinished_purges: usize,
    /// Rooms that are kept for the next process, where it is not known whether the store has taken the newest of their bans, mutes and slow mode.
    pub unkept_sanctions: usize,
}

impl RoomRegistry {
    /// Stops: lets nobody in any more, tells every session when to return, waits until they have been told, cuts off what is
    /// left, and waits until purges are done and the store has ended; all of that within `time`, of which the sessions have three quarters.
    /// Rooms are purged, or kept for the next process where [`Config::linger`](crate::Config::linger) says so.
    ///
    /// # Cancel safety
    /// Dropped half-way, the registry stays shut, and calling it again goes on where it was.
    pub async fn shutdown(&self, time: Duration) -> ShutdownReport {
        let (sessions_by, purges_by, end_by) =
            (after(time / 4 * 3), after(time / 8 * 7), after(time));
        let shared = self.shared();
        shared.stop();
        let stats = self.stats();
        tracing::info!(
            name: "shutdown_begun",
            target: "chatrooms_core",
            sessions = stats.sessions,
            rooms = stats.rooms,
            time_ms = millis(time),
            "the rooms are shutting down"
        );
        self.say_goodbye();
        // From here on nobody gets in, so that no linger may run out: those who return find the next process.
        shared.kept.leave();
        for room in shared.rooms() {
            room.wait_on(shared);
        }
        let _ = timeout_at(sessions_by, shared.all_gone()).await;
        let cut_off = self.cut_off();
        // Writers are tasks too: what has been sent is stored before its room is put away.
        let _ = timeout_at(purges_by, shared.tasks.wait()).await;
        let unkept_sanctions = shared.rooms().iter().filter(|room| room.put_away(shared)).count();
        // The policy is told of that, too.
        let _ = timeout_at(purges_by, shared.tasks.wait()).await;
        let _ = timeout_at(purges_by, shared.sweeper.idle()).await;
        shared.watchers.close();
        self.end_store(end_by).await;
        let unfinished_purges = shared.sweeper.purges().pending;
        tracing::info!(
            name: "shutdown_ended",
            target: "chatrooms_core",
            cut_off,
            unfinished_purges,
            unkept_sanctions,
            "the rooms have shut down"
        );
        ShutdownReport { cut_off, unfinished_purges, unkept_sanctions }
    }

    fn say_goodbye(&self) {
        let window = self.config().return_window;
        for peer in self.shared().peers() {
            peer.outbox.close(CloseReason::ShuttingDown { after: jitter(window) });
        }
    }

    fn cut_off(&self) -> usize {
        let left = self.shared().peers();
        for peer in &left {
            end_peer(peer, CloseReason::Gone, self.shared());
        }
        left.len()
    }

    async fn end_store(&self, by: Instant) {
        if timeout_at(by, self.shared().store.shutdown()).await.is_err() {
            self.shared().store_timed_out("shutdown", None);
        }
    }
}

/// A random part of the window, so that not everybody returns at once.
fn jitter(window: Duration) -> Duration {
    Duration::from_millis(crate::life::random() % millis(window).saturating_add(1))
}
