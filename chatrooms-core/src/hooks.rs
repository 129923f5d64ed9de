//! The host's policy is told of the first who comes into a room and of the end of its life.

use tokio::sync::SetOnce;

use crate::{
    Epoch, Identity, Life, RoomEnd,
    policy::ask,
    room::Room,
    shared::Shared,
    sync::{Arc, Handle},
};

/// Something to tell the host's policy, in a task of its own: nobody waits for it.
#[derive(Debug)]
pub(crate) struct Hook {
    room: Arc<Room>,
    epoch: Epoch,
    what: What,
    /// Set once the policy has been told of the beginning: of the end it is told after that.
    opened: Arc<SetOnce<()>>,
}

#[derive(Debug)]
enum What {
    Opened(Identity),
    Closed(RoomEnd),
}

/// Tells the policy of the end of a life that nobody of this node was in.
pub(crate) fn tell_closed(life: Life, reason: RoomEnd, shared: &Arc<Shared>) {
    let room = Arc::new(Room::new(life.room, Handle::current()));
    let opened = Arc::new(SetOnce::new_with(Some(())));
    Hook::closed(&room, life.epoch, reason, opened).run(shared);
}

impl Hook {
    /// The first one has come; the second part goes to the hook of the end.
    pub(crate) fn opened(room: &Arc<Room>, epoch: Epoch, by: Identity) -> (Self, Arc<SetOnce<()>>) {
        let opened = Arc::new(SetOnce::new());
        let room = Arc::clone(room);
        (Self { room, epoch, what: What::Opened(by), opened: Arc::clone(&opened) }, opened)
    }

    pub(crate) fn closed(
        room: &Arc<Room>,
        epoch: Epoch,
        reason: RoomEnd,
        opened: Arc<SetOnce<()>>,
    ) -> Self {
        Self { room: Arc::clone(room), epoch, what: What::Closed(reason), opened }
    }

    pub(crate) fn run(self, shared: &Arc<Shared>) {
        let runtime = self.room.runtime.clone();
        shared.tasks.spawn_on(self.tell(Arc::clone(shared)), &runtime);
    }

    async fn tell(self, shared: Arc<Shared>) {
        let Some(policy) = &shared.policy else { return };
        let room = self.room.name();
        // What goes wrong has been logged, and nobody waits for an answer.
        let _ = match self.what {
            What::Opened(by) => {
                let told = async {
                    policy.room_opened(&by, room, self.epoch).await;
                    Ok(())
                };
                let outcome = ask(&shared, "room_opened", told).await;
                let _ = self.opened.set(());
                outcome
            }
            What::Closed(reason) => {
                self.opened.wait().await;
                let told = async {
                    policy.room_closed(room, self.epoch, reason).await;
                    Ok(())
                };
                ask(&shared, "room_closed", told).await
            }
        };
    }
}
