//! What becomes of the rooms of a node that has died, as its survivors see it.

use tokio::time::sleep;

use crate::{
    Exited, RoomEnd,
    hooks::tell_closed,
    shared::Shared,
    steward::SLACK,
    sync::{AbortOnDropHandle, Arc, Handle, lock},
};

/// Notes the lives that ended with another node, and ends those that linger since when their time has come.
pub(crate) fn mourn(shared: &Arc<Shared>) {
    let Some(cluster) = shared.cluster.clone() else { return };
    let by = Arc::downgrade(shared);
    let mourning = Handle::current().spawn(async move {
        while let Some((life, exited)) = cluster.bereaved().await {
            let Some(shared) = by.upgrade() else { return };
            match exited {
                Exited::Ended => tell_closed(life, RoomEnd::Lost, &shared),
                Exited::Lingers(time) => {
                    let (cluster, by) = (Arc::clone(&cluster), by.clone());
                    Handle::current().spawn(async move {
                        sleep(time.saturating_add(SLACK)).await;
                        // Where it fails, the life goes by itself: it has an end in the cluster.
                        let ended = cluster.expire(&life).await.unwrap_or(false);
                        if let Some(shared) = by.upgrade().filter(|_| ended) {
                            tell_closed(life, RoomEnd::Expired, &shared);
                        }
                    });
                }
                Exited::Gone => {}
            }
        }
    });
    lock(&shared.mourning).push(AbortOnDropHandle::new(mourning));
}
