//! How the store is told what is imposed in a room, so that it holds after a restart too.
//!
//! Nothing waits for it: what is imposed holds at once, and the store is asked again until it has taken the newest of it.

use std::time::Duration;

use tokio::{sync::oneshot, time::sleep};

use crate::{
    Life, StoreError,
    room::Room,
    sanctions::Sanctions,
    shared::Shared,
    steward::{Awaited, Errand},
    sync::{Arc, in_a_task},
};

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

impl Room {
    /// Changes what is imposed here, and has the store keep it; where the room is one of a cluster, the second part is what that is to say of it. `None` where the room is not open.
    pub(crate) fn impose<T>(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        change: impl FnOnce(&mut Sanctions) -> T,
    ) -> Option<(T, Option<Awaited>)> {
        let (changed, start) = self.live(|live| {
            let changed = change(&mut live.sanctions);
            (changed, self.desk.is_none() && live.sanctions.begin_noting())
        })?;
        let awaited = self.desk.as_ref().map(|desk| {
            let (answer, answered) = oneshot::channel();
            desk.give(Errand::Impose { answer });
            answered
        });
        if start {
            shared.run_detached(&self.runtime, note(Arc::clone(self), Arc::clone(shared)));
        }
        Some((changed, awaited))
    }

    fn next_note(&self) -> Option<(Life, String)> {
        self.live(|live| Some((live.life.clone(), live.sanctions.next_note()?))).flatten()
    }
}

/// Notes what is imposed, until that has been kept or the life is over.
async fn note(room: Arc<Room>, shared: Arc<Shared>) {
    let mut retry = FIRST_RETRY;
    while let Some((life, note)) = room.next_note() {
        match shared.store.note(&life, &note).await {
            Ok(()) | Err(StoreError::Closed) => retry = FIRST_RETRY,
            Err(_) => {
                room.live(|live| live.sanctions.is_not_noted());
                in_a_task().await;
                Box::pin(sleep(retry)).await;
                retry = (retry * 2).min(LAST_RETRY);
            }
        }
    }
}
