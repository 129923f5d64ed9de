//! What the host itself says and does in rooms.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Data, Draft, Error, Event, EventKind, Identity, Outgoing, Post, Removal, RoomName,
    RoomRegistry, Sent, UserName, effects::Effects, sync::Arc, writes::Redact,
};

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
        self.say(room, post.nonce(None).by(None)).await
    }

    /// Says something in a room as a user who need not be connected to it, such as one on the other side of a bridge. It is the host's word: neither
    /// the policy nor the limits of the user are asked. [`visit`](Self::visit) is the way for what users ask for themselves.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], and those of
    /// [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; sending it again with the same nonce never doubles it.
    pub async fn publish_as(
        &self,
        who: &Identity,
        room: &RoomName,
        post: Post,
    ) -> Result<Sent, Error> {
        self.say(room, post.by(Some(who))).await
    }

    async fn say(&self, room: &RoomName, draft: Draft) -> Result<Sent, Error> {
        self.check_size(&draft)?;
        outside(self.occupied(room)?.submit(None, draft, self.shared())?.wait().await)
    }

    /// Tells a user something on all of their sessions, whatever rooms they are in; says how many sessions that were. It is never kept:
    /// who has no session is not told. Sessions are given [`EventKind::Notice`].
    ///
    /// # Errors
    /// [`Error::TooLarge`]: name and data have at most [`Config::data_bytes`](crate::Config::data_bytes) together.
    pub fn notify(&self, user: &UserName, name: &str, data: Option<Data>) -> Result<usize, Error> {
        self.check_signal(name, data.as_ref())?;
        let event = Event::outside(EventKind::Notice { name: name.into(), data });
        let peers = self.shared().sessions_of(user);
        let mut effects = Effects::default();
        for peer in &peers {
            effects.pushed(peer, peer.outbox.push([Outgoing::Event(Arc::clone(&event))]));
        }
        effects.run(self.shared());
        Ok(peers.len())
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
