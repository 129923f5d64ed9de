//! Which rooms this node takes part in, and as whom.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chatrooms_core::{Bell, ClusterError, RoomName};
use tokio::runtime::Handle;

use crate::{link::BellId, node::Node};

/// The rooms that there are bells for.
#[derive(Debug, Default)]
pub(crate) struct Hosting {
    /// Held for one look, never over an await.
    rooms: Mutex<HashMap<RoomName, Hosted>>,
    bells: AtomicU64,
}

#[derive(Debug, Default)]
struct Hosted {
    /// Whose turn it is to tell Redis about this room: held over awaits, by one task at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
    bells: usize,
    /// Who has said to the cluster that it takes part: this node, as it was called then.
    node: Option<Arc<str>>,
}

impl Hosting {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomName, Hosted>> {
        // Nothing panics under it.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, room: &RoomName) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.rooms().entry(room.clone()).or_default().turn)
    }

    /// As whom this node acts in that room.
    pub(crate) fn node(&self, room: &RoomName) -> Option<Arc<str>> {
        self.rooms().get(room).and_then(|hosted| hosted.node.clone())
    }

    /// The rooms that nobody listens to any more, and that Redis could not be told of.
    pub(crate) fn left_over(&self) -> Vec<RoomName> {
        let rooms = self.rooms();
        let left_over = rooms.iter().filter(|(_, hosted)| hosted.bells == 0);
        left_over.map(|(room, _)| room.clone()).collect()
    }

    fn set_node(&self, room: &RoomName, node: Option<Arc<str>>) {
        self.rooms().entry(room.clone()).or_default().node = node;
    }
}

/// Takes part in a room. A failed try leaves what the next one, or the next round, tidies up.
pub(crate) async fn listen(node: &Arc<Node>, room: &RoomName) -> Result<Bell, ClusterError> {
    let hosting = &node.hosting;
    let id = hosting.bells.fetch_add(1, Ordering::Relaxed);
    // From here on, whatever fails or is dropped, the hold lets go again.
    hosting.rooms().entry(room.clone()).or_default().bells += 1;
    let hold = Hold { node: Arc::clone(node), room: room.clone(), id, runtime: Handle::current() };
    let (ringer, bell) = Bell::new(hold);
    let turn = hosting.turn(room);
    let _turn = turn.lock().await;
    let (name, channel) = (node.name(), node.keys.life(room));
    if hosting.node(room).as_ref() == Some(&name) {
        node.link.subscribe(&channel, id, ringer).await?;
        return Ok(bell);
    }
    // As whom it was said before is another one's business by now: whoever sees to the dead.
    hosting.set_node(room, None);
    let subscribed = node.link.subscribe(&channel, id, ringer);
    tokio::try_join!(node.host(&name, room), subscribed)?;
    hosting.set_node(room, Some(name));
    Ok(bell)
}

/// Lets go of a room when a bell is dropped.
struct Hold {
    node: Arc<Node>,
    room: RoomName,
    id: BellId,
    /// Where that goes on, because a bell may be dropped outside of it.
    runtime: Handle,
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(hosted) = self.node.hosting.rooms().get_mut(&self.room) {
            hosted.bells -= 1;
        }
        let (node, room, id) = (Arc::clone(&self.node), self.room.clone(), self.id);
        self.runtime.spawn(async move {
            let turn = node.hosting.turn(&room);
            let _turn = turn.lock().await;
            node.link.unsubscribe(&node.keys.life(&room), id).await;
            let_go(&node, &room).await;
        });
    }
}

/// Tells Redis that this node takes no part in a room any more, unless it does.
pub(crate) async fn let_go_of_left_over(node: &Arc<Node>, room: &RoomName) {
    let turn = node.hosting.turn(room);
    let _turn = turn.lock().await;
    let_go(node, room).await;
}

async fn let_go(node: &Arc<Node>, room: &RoomName) {
    let hosting = &node.hosting;
    let is_wanted = hosting.rooms().get(room).is_some_and(|hosted| hosted.bells > 0);
    if is_wanted {
        return;
    }
    // Also where it is not known whether it was ever said.
    let name = hosting.node(room).unwrap_or_else(|| node.name());
    if node.let_go(&name, room).await.is_err() {
        return;
    }
    hosting.set_node(room, None);
    // Whoever waits for their turn here has a bell already.
    hosting.rooms().retain(|of, hosted| of != room || hosted.bells > 0);
}
