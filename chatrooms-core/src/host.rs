//! What the host says and asks, without being in a room.

use std::collections::BTreeSet;

use crate::{
    Data, Draft, Error, Identity, Members, Order, Page, Post, RoomName, RoomRegistry, RoomSummary,
    Sent, UserName, room::Room, sync::Arc, writer::Author, writes::Redact,
};

impl RoomRegistry {
    /// Says something in a room as the host itself. A nonce is not looked at.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], those of
    /// [following](crate::RegistryBuilder::cluster) over a cluster, and those of [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; it is never half sent.
    pub async fn announce(&self, room: &RoomName, post: Post) -> Result<Sent, Error> {
        let room = self.occupied(room).await?;
        self.say(&room, post.nonce(None).by(None)).await
    }

    /// Says something in a room as a user who need not be connected to it, such as one on the other side of a bridge. It is the host's word: neither
    /// the policy nor the limits of the user are asked. [`visit`](Self::visit) is the way for what users ask for themselves.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::TooLarge`], [`Error::Busy`], those of
    /// [following](crate::RegistryBuilder::cluster) over a cluster, and those of [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; sending it again with the same nonce never doubles it.
    pub async fn publish_as(
        &self,
        who: &Identity,
        room: &RoomName,
        post: Post,
    ) -> Result<Sent, Error> {
        let room = self.occupied(room).await?;
        self.say(&room, post.by(Some(who))).await
    }

    pub(crate) async fn say(&self, room: &Arc<Room>, draft: Draft) -> Result<Sent, Error> {
        self.check_size(&draft)?;
        outside(room.submit(Author::Host, draft, self.shared())?.wait().await)
    }

    /// Tells a user something on all of their sessions, whatever rooms they are in; says how many sessions that were. It is never kept:
    /// who has no session is not told. Sessions are given [`EventKind::Notice`](crate::EventKind::Notice). Those on other nodes of a [cluster](crate::RegistryBuilder::cluster) are told too, and not counted.
    ///
    /// # Errors
    /// [`Error::TooLarge`]: name and data have at most [`Config::data_bytes`](crate::Config::data_bytes) together.
    pub fn notify(&self, user: &UserName, name: &str, data: Option<Data>) -> Result<usize, Error> {
        self.check_signal(name, data.as_ref())?;
        let name: Arc<str> = name.into();
        let (said, beside) = (Arc::clone(&name), data.clone());
        self.shared().order(|| Order::Notify { user: user.clone(), name: said, data: beside });
        Ok(self.shared().notify(user, name, data))
    }

    /// Takes a message back as the host itself.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Busy`], those of [following](crate::RegistryBuilder::cluster) over a cluster, and those of [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been taken back.
    pub async fn redact(&self, room: &RoomName, seq: u64) -> Result<(), Error> {
        let redact = Redact { seq, author: None, by: None };
        let room = self.occupied(room).await?;
        let receipt = room.submit_redaction(Author::Host, redact, self.shared())?;
        outside(receipt.wait().await)
    }

    /// The room as it stands, where somebody is in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::StoreUnavailable`] where it is one of other nodes and the cluster is away.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn room(&self, room: &RoomName) -> Result<RoomSummary, Error> {
        let here = match self.shared().find(room) {
            Some(here) => {
                here.catch_up(self.shared()).await;
                here.summary()
            }
            None => Err(Error::NotFound),
        };
        match (here, &self.shared().cluster) {
            (Err(_), Some(cluster)) => {
                let asking = async { cluster.room(room).await };
                self.shared().asked(Some(room), asking).await?.ok_or(Error::NotFound)
            }
            (here, _) => here,
        }
    }

    /// Who is in a room right now, by user, after a user. A page has as many as an answer on the wire may hold.
    ///
    /// It is the truth of this moment, where members of a large room are told of each other from time to time.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, and those of [following](crate::RegistryBuilder::cluster) over a cluster.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn members(
        &self,
        room: &RoomName,
        after: Option<&UserName>,
    ) -> Result<Members, Error> {
        let bytes = self.config().whole_reply();
        self.occupied_as_of_now(room).await?.ask(|live| live.roster.present(after, bytes))
    }

    /// The connections of a user to a room; 0 where they are not there.
    ///
    /// # Errors
    /// Those of [following](crate::RegistryBuilder::cluster) over a cluster; without one there are none.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn connections(&self, room: &RoomName, user: &UserName) -> Result<usize, Error> {
        match self.occupied_as_of_now(room).await {
            Ok(room) => Ok(room.live(|live| live.roster.connections_of(user)).unwrap_or(0)),
            Err(Error::NotFound) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// The rooms that a user is in, by name; over a cluster, by the sessions of this node.
    #[must_use]
    pub fn rooms_of(&self, user: &UserName) -> Vec<RoomName> {
        let sessions = self.shared().sessions_of(user);
        let rooms: BTreeSet<_> = sessions.iter().flat_map(|session| session.rooms()).collect();
        rooms.into_iter().collect()
    }

    /// The messages of a room before `before` (exclusive), or the newest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there, [`Error::StoreUnavailable`], and those of [following](crate::RegistryBuilder::cluster) over a cluster.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn history(
        &self,
        room: &RoomName,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.occupied_as_of_now(room).await?.history(before, limit, self.shared()).await
    }
}

/// For somebody who is in no room, one that has ended is one that is not there.
pub(crate) fn outside<T>(outcome: Result<T, Error>) -> Result<T, Error> {
    match outcome {
        Err(Error::NotInRoom) => Err(Error::NotFound),
        outcome => outcome,
    }
}
