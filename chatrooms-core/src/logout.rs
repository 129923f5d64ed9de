//! Ending all sessions of a user: here, and on every node of a cluster.

use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{sleep, timeout};

use crate::{
    CloseReason, Cluster, ClusterError, Error, Identity, Order, OrderId, UserName,
    effects::end_peer,
    room::Room,
    shared::Shared,
    sync::{Arc, guarded},
};

/// How soon it is asked whether all others have done it, and then how much later at most.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(50);

/// Sessions that were ended here.
pub(crate) struct LoggedOut {
    pub(crate) sessions: usize,
    /// Where they were, or were about to be.
    rooms: Vec<Arc<Room>>,
}

impl LoggedOut {
    /// Waits until the other nodes can know that they have left.
    async fn settle(&self) {
        // One that will not be answered is about nobody any more.
        join_all(self.rooms.iter().filter_map(|room| room.settled())).await;
    }
}

impl Shared {
    /// Ends those sessions of a user here that are meant.
    pub(crate) fn end_sessions(
        self: &Arc<Self>,
        user: &UserName,
        reason: &CloseReason,
        mut is_meant: impl FnMut(&Identity) -> bool,
    ) -> LoggedOut {
        let mut peers = self.sessions_of(user);
        peers.retain(|peer| is_meant(peer.identity()));
        let sessions = peers.len();
        let rooms = peers.iter().flat_map(|peer| end_peer(peer, reason.clone(), self)).collect();
        LoggedOut { sessions, rooms }
    }

    /// Ends all sessions of a user, on all nodes; says how many once that is done.
    pub(crate) async fn end_sessions_everywhere(
        self: &Arc<Self>,
        user: &UserName,
        reason: &CloseReason,
    ) -> Result<usize, Error> {
        let here = self.end_sessions(user, reason, |_| true);
        let order = || Order::EndSessions { user: user.clone(), reason: reason.clone() };
        let (Some(cluster), Some(said)) = (&self.cluster, self.order(order)) else {
            return Ok(here.sessions);
        };
        let there = async { sessions_elsewhere(cluster, &said.await.ok()?).await };
        let both = timeout(self.config.store_timeout, join(here.settle(), there)).await;
        match both {
            Ok(((), Some(there))) => Ok(here.sessions + there),
            Ok(((), None)) | Err(_) => Err(Error::StoreUnavailable),
        }
    }

    /// Ends the sessions of a user because another node has said so, and tells that one when it is done.
    pub(crate) fn log_out_for(
        self: &Arc<Self>,
        id: OrderId,
        user: &UserName,
        reason: &CloseReason,
    ) -> impl Future<Output = ()> + Send + 'static {
        let ended = self.end_sessions(user, reason, |_| true);
        let (cluster, patience) = (self.cluster.clone(), self.config.store_timeout);
        async move {
            let Some(cluster) = cluster else { return };
            let done = async {
                ended.settle().await;
                let mut look = FIRST_LOOK;
                while let Some(Err(_)) = guarded(cluster.obey(&id, ended.sessions)).await {
                    next(&mut look).await;
                }
            };
            // Nobody waits for it for longer.
            let _ = timeout(patience, done).await;
        }
    }
}

/// Waits until all other nodes have done it; says for how many sessions. `None` where that will not be known.
async fn sessions_elsewhere(cluster: &Arc<dyn Cluster>, order: &OrderId) -> Option<usize> {
    let mut look = FIRST_LOOK;
    loop {
        match guarded(cluster.obeyed(order)).await? {
            Ok(Some(sessions)) => return Some(sessions),
            Ok(None) | Err(ClusterError::Unavailable { .. }) => next(&mut look).await,
            Err(_) => return None,
        }
    }
}

async fn next(look: &mut Duration) {
    sleep(*look).await;
    *look = (*look * 2).min(LAST_LOOK);
}
