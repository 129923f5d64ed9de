//! What the host itself says and does in rooms.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, Post, Removal, RoomName, RoomRegistry, Sent, UserName, writes::Redact};

impl RoomRegistry {
    /// Says something in a room as the host itself. A nonce is not looked at.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], and those of
    /// [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; it is never half sent.
    pub async fn announce(&self, room: &RoomName, post: Post) -> Result<Sent, Error> {
        let draft = post.nonce(None).by(None);
        self.check_size(&draft)?;
        outside(self.occupied(room)?.submit(None, draft, self.shared())?.wait().await)
    }

    /// Takes a message back as the host itself.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`], and those of [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been taken back.
    pub async fn redact(&self, room: &RoomName, seq: u64) -> Result<(), Error> {
        let redact = Redact { seq, author: None, by: None };
        let receipt = self.occupied(room)?.submit_redaction(None, redact, self.shared())?;
        outside(receipt.wait().await)
    }

    /// Removes a user from a room; says how many connections that were. They may come again.
    pub fn kick(&self, room: &RoomName, user: &UserName, reason: Option<&str>) -> usize {
        self.remove(room, Some(user), Removal::Kicked, reason)
    }

    /// Keeps a user out of a room for so long, or for the rest of its life, and removes them; says how many connections that were.
    ///
    /// A ban belongs to the life of a room that is there, also while it lingers: where there is none, nobody is banned.
    pub fn ban(
        &self,
        room: &RoomName,
        user: &UserName,
        time: Option<Duration>,
        reason: Option<&str>,
    ) -> usize {
        let until = time.and_then(|time| Instant::now().checked_add(time));
        if let Some(live) = self.shared().find(room) {
            live.live(|live| live.ban(user.clone(), until));
        }
        self.remove(room, Some(user), Removal::Banned, reason)
    }

    /// Ends a room's life, whether somebody is in it or it lingers; says how many connections that were.
    pub fn close_room(&self, room: &RoomName, reason: Option<&str>) -> usize {
        self.remove(room, None, Removal::RoomClosed, reason)
    }

    fn remove(
        &self,
        room: &RoomName,
        user: Option<&UserName>,
        code: Removal,
        reason: Option<&str>,
    ) -> usize {
        let Some(room) = self.shared().find(room) else { return 0 };
        room.remove(user, code, reason.map(Into::into), self.shared())
    }
}

/// For somebody who is in no room, one that has ended is one that is not there.
pub(crate) fn outside<T>(outcome: Result<T, Error>) -> Result<T, Error> {
    match outcome {
        Err(Error::NotInRoom) => Err(Error::NotFound),
        outcome => outcome,
    }
}
