//! Holds back what one session sends, so that it goes to the store and to everybody together.

use std::fmt;

use crate::{
    Session,
    room::Room,
    shared::Shared,
    sync::{Arc, Mutex, lock},
};

/// Holds back what a session sends for as long as it is held; then all of it goes to the store and to everybody in the room in one step, which
/// costs far less than one step each. See [`Session::cork`].
#[must_use = "what is sent is held back only while this is held"]
pub struct Cork<'s>(&'s Session);

impl<'s> Cork<'s> {
    pub(crate) fn new(session: &'s Session) -> Self {
        session.corked().hold();
        Self(session)
    }
}

impl Drop for Cork<'_> {
    fn drop(&mut self) {
        self.0.corked().let_go(self.0.registry().shared());
    }
}

impl fmt::Debug for Cork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cork").finish_non_exhaustive()
    }
}

/// The rooms whose writer would have begun, while somebody holds a cork.
#[derive(Debug, Default)]
pub(crate) struct Corked(Mutex<Option<Vec<Arc<Room>>>>);

impl Corked {
    fn hold(&self) {
        lock(&self.0).get_or_insert_default();
    }

    fn let_go(&self, shared: &Arc<Shared>) {
        let held = lock(&self.0).take();
        for room in held.into_iter().flatten() {
            room.write(shared);
        }
    }

    /// Has the room's writer begin, now or when the cork is let go.
    pub(crate) fn begin(&self, room: &Arc<Room>, shared: &Arc<Shared>) {
        if let Some(held) = &mut *lock(&self.0) {
            return held.push(Arc::clone(room));
        }
        room.write(shared);
    }
}
