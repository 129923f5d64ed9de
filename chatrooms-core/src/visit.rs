//! A room for somebody who is not connected to it, such as the sender of a plain HTTP request.

use crate::{
    Error, Identity, Members, Page, Post, RoomRegistry, RoomSummary, Sent, following::Here,
    host::outside, writer::Author,
};

/// What somebody may see and do in a room without being connected to it. See [`RoomRegistry::visit`]. It keeps no room alive.
#[derive(Debug)]
pub struct Visit<'a> {
    registry: &'a RoomRegistry,
    who: Identity,
    room: Here<'a>,
}

impl<'a> Visit<'a> {
    pub(crate) const fn new(registry: &'a RoomRegistry, who: Identity, room: Here<'a>) -> Self {
        Self { registry, who, room }
    }

    /// Waits until everything is known here that had happened in the room on other nodes of a [cluster](crate::RegistryBuilder::cluster) when this was called, for
    /// [`Config::store_timeout`](crate::Config::store_timeout) at most. Without a cluster there is nothing to wait for.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn catch_up(&self) {
        self.room.catch_up(self.registry.shared()).await;
    }

    /// The room as a list shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more.
    pub fn summary(&self) -> Result<RoomSummary, Error> {
        self.room.summary()
    }

    /// The first members, by user.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more.
    pub fn members(&self) -> Result<Members, Error> {
        let bytes = self.registry.config().whole_reply();
        self.room.ask(|live| live.roster.page(None, None, bytes))
    }

    /// The messages before `before` (exclusive), or the newest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more, [`Error::RateLimited`] where too many of the user's [wait](crate::Config::reads_per_user), [`Error::StoreUnavailable`].
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<Page, Error> {
        self.room.history_for(self.who.user(), before, limit, self.registry.shared()).await
    }

    /// Says something and waits until it is kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is there any more, [`Error::Banned`], [`Error::Muted`], [`Error::SlowMode`], [`Error::TooLarge`], [`Error::RateLimited`], [`Error::Busy`], what the host's
    /// policy gives, and those of [`Receipt::wait`](crate::Receipt::wait).
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; sending it again with the same nonce never doubles it.
    pub async fn publish(&self, post: Post) -> Result<Sent, Error> {
        self.registry.shared().rates.sends.take(self.who.user())?;
        let author = Author::Visitor(self.who.user());
        self.room.may_speak(author, post.nonce.as_ref())?;
        let draft = self.registry.draft(&self.who, self.room.name(), post).await?;
        outside(self.room.submit(author, draft, self.registry.shared())?.wait().await)
    }
}
