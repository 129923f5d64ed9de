//! One client of the registry, with a socket behind it or not.

use std::{collections::VecDeque, pin::pin};

use tokio::time::Instant;

use crate::{
    CloseReason, Cork, Data, Draft, Error, Event, Identity, Join, Joined, Members, Nonce, Outbox,
    OwnedOutbox, Page, Passing, Receipt, RoomName, RoomRegistry, Sent, SessionId, UserName,
    cork::Corked,
    effects::end_peer,
    peer::Peer,
    policy::ask,
    sync::{Arc, in_time},
    writer::Author,
    writes::Redact,
};

/// One client: its queue of what it is still to be told, and the rooms it is in.
///
/// Dropping a session leaves all its rooms, at once and wherever it is dropped, inside a runtime or not.
///
/// ```
/// use chatrooms_core::{EventKind, Identity, Join, Post, RoomName, RoomRegistry, UserName};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = RoomRegistry::new();
/// let lobby = RoomName::new("lobby")?;
/// let mut ada = registry.open_session(Identity::new(UserName::new("ada")?))?;
/// ada.join(&lobby, Join::default()).await?;
/// ada.publish(&lobby, Post::new("hello")).await?;
///
/// let joined = ada.next().await.expect("the session is open");
/// assert!(matches!(joined.kind(), EventKind::Joined(_)));
/// let message = ada.next().await.expect("the session is open");
/// assert!(matches!(message.kind(), EventKind::Message(m) if &*m.draft.body == "hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session {
    peer: Arc<Peer>,
    registry: RoomRegistry,
    corked: Corked,
    /// What was taken together with what [`next`](Self::next) has returned.
    unread: VecDeque<Arc<Event>>,
}

/// What somebody wants to say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Post {
    /// The text: at most [`Config::body_bytes`](crate::Config::body_bytes).
    pub body: Arc<str>,
    /// Data beside it: at most [`Config::data_bytes`](crate::Config::data_bytes).
    pub data: Option<Data>,
    /// The sender's mark, which makes sending it again harmless.
    pub nonce: Option<Nonce>,
}

impl Post {
    /// A plain text.
    #[must_use]
    pub fn new(body: impl Into<Arc<str>>) -> Self {
        Self { body: body.into(), data: None, nonce: None }
    }

    /// With data beside it.
    #[must_use]
    pub fn data(mut self, data: Option<Data>) -> Self {
        self.data = data;
        self
    }

    /// With a mark that makes sending it again harmless.
    #[must_use]
    pub fn nonce(mut self, nonce: Option<Nonce>) -> Self {
        self.nonce = nonce;
        self
    }

    /// As said by somebody, or by the host itself.
    pub(crate) fn by(self, who: Option<&Identity>) -> Draft {
        Draft {
            user: who.map(|who| who.user().clone()),
            name: who.and_then(Identity::name).cloned(),
            body: self.body,
            data: self.data,
            nonce: self.nonce,
        }
    }
}

impl Session {
    pub(crate) fn new(peer: Arc<Peer>, registry: RoomRegistry) -> Self {
        registry.shared().metrics.sessions_opened.add(1);
        tracing::debug!(
            name: "session_opened",
            target: "chatrooms_core",
            session = %peer.id(),
            user = ?peer.user(),
            "a session has opened"
        );
        Self { peer, registry, corked: Corked::default(), unread: VecDeque::new() }
    }

    pub(crate) const fn corked(&self) -> &Corked {
        &self.corked
    }

    pub(crate) const fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// This session's own mark.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.peer.id()
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.peer.identity()
    }

    /// The registry it belongs to.
    #[must_use]
    pub const fn registry(&self) -> &RoomRegistry {
        &self.registry
    }

    /// What it is still to be told. Whoever drives a socket takes from here; everybody else uses [`next`](Self::next).
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.peer.outbox
    }

    /// The same for somebody who may outlast this session.
    #[must_use]
    pub fn owned_outbox(&self) -> OwnedOutbox {
        OwnedOutbox::new(&self.peer)
    }

    /// Counts a request of this session's client, whatever it asks for. Whoever drives a session does so before acting on each, and refuses it where this does.
    ///
    /// # Errors
    /// [`Error::RateLimited`]: more than [`Config::requests_per_second`](crate::Config::requests_per_second).
    pub fn count_request(&self) -> Result<(), Error> {
        self.peer.requests.check()
    }

    /// The rooms it is in, by name.
    #[must_use]
    pub fn rooms(&self) -> Vec<RoomName> {
        self.peer.rooms()
    }

    /// The next thing that happened in one of its rooms; `None` once the session has ended and nothing waits any more.
    ///
    /// What was told together is taken out of the [outbox](Self::outbox) together and kept here until it is asked for: whoever takes from there as well finds
    /// later things before earlier ones.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        let mut batch = Vec::with_capacity(1);
        while self.unread.is_empty() {
            self.peer.outbox.take(&mut batch, 1).await.ok()?;
            self.peer.outbox.meter().progress();
            for item in batch.drain(..) {
                self.unread.extend(item.events().iter().cloned());
            }
        }
        self.unread.pop_front()
    }

    /// Joins a room. What is returned is also the first [`Event`] of that room; what follows are the changes from there, without a gap.
    ///
    /// # Errors
    /// As [`RoomRegistry::add_connection`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, the session is either not in the room or in it like after a join; leaving it is safe in
    /// either case.
    pub async fn join(&self, room: &RoomName, join: Join) -> Result<Arc<Joined>, Error> {
        self.registry.add_connection(room, self, join).await
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// [`Error::NotInRoom`].
    pub fn leave(&self, room: &RoomName) -> Result<(), Error> {
        if self.registry.remove_connection(room, self) { Ok(()) } else { Err(Error::NotInRoom) }
    }

    /// Leaves a room as seen from all nodes of a [cluster](crate::RegistryBuilder::cluster): what happened on others before is told first, and when this returns they know, so that whoever does
    /// something there next finds them gone. It waits for [`Config::store_timeout`](crate::Config::store_timeout) at most, while the cluster is away too, after which it leaves all the same, and the others
    /// are told as soon as that is possible: then what was accepted on other nodes just before need not have been told. Without a cluster it is the same as [`leave`](Self::leave).
    ///
    /// # Errors
    /// [`Error::NotInRoom`].
    ///
    /// # Cancel safety
    /// Dropped, it may or may not have left; if it has, the others will be told.
    pub async fn leave_everywhere(&self, room: &RoomName) -> Result<(), Error> {
        let entered = self.peer.room(room).ok_or(Error::NotInRoom)?;
        if let Some(left) = entered.left(&self.peer)
            && let Some(Ok(())) = in_time(self.registry.config().store_timeout, pin!(left)).await
        {
            return Ok(());
        }
        self.leave(room)
    }

    /// Waits until everything has been told that had happened in a room on other nodes of a [cluster](crate::RegistryBuilder::cluster) when this was called, for
    /// [`Config::store_timeout`](crate::Config::store_timeout) at most, while the cluster is away too. Without a cluster there is nothing to wait for.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn catch_up(&self, room: &RoomName) {
        if let Some(live) = self.peer.room(room) {
            live.catch_up(self.registry.shared()).await;
        }
    }

    /// Says something in a room and waits until it is kept.
    ///
    /// # Errors
    /// As [`send`](Self::send) and [`Receipt::wait`].
    ///
    /// # Cancel safety
    /// Dropped, the message may or may not have been sent; it is never half sent. Sending it again with the same nonce never doubles it.
    pub async fn publish(&self, room: &RoomName, post: Post) -> Result<Sent, Error> {
        self.send(room, post).await?.wait().await
    }

    /// Says something in a room. Once this returns the message has its turn, behind all that were sent before, and the
    /// receipt tells what became of it.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Muted`], [`Error::SlowMode`], [`Error::TooLarge`], [`Error::RateLimited`], [`Error::Busy`], and what the host's
    /// policy gives.
    ///
    /// # Cancel safety
    /// Dropped before it completes, the message has not been sent.
    pub async fn send(&self, room: &RoomName, post: Post) -> Result<Receipt<Sent>, Error> {
        let live = self.peer.room(room).ok_or(Error::NotInRoom)?;
        self.registry.shared().rates.sends.take(self.identity().user())?;
        // Asked again when the policy has had its say; here so that it is not asked in vain.
        live.may_speak(self.author(), post.nonce.as_ref())?;
        let draft = self.registry.draft(self.identity(), room, post).await?;
        live.submit(self.author(), draft, self.registry.shared())
    }

    fn author(&self) -> Author<'_> {
        Author::Session(self)
    }

    /// Holds back what this session [sends](Self::send) from now on until the cork is dropped; then it goes to the store, and to everybody in the
    /// room, together. For whoever has several things to send at once: they cost far less so than one by one.
    ///
    /// Everybody's messages to the same rooms may wait with them, so nothing else is to be awaited meanwhile. A second cork holds no longer than the
    /// first.
    ///
    /// ```
    /// use chatrooms_core::{Identity, Join, Post, RoomName, RoomRegistry, UserName};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = RoomRegistry::new();
    /// # let lobby = RoomName::new("lobby")?;
    /// # let ada = registry.open_session(Identity::new(UserName::new("ada")?))?;
    /// # ada.join(&lobby, Join::default()).await?;
    /// let cork = ada.cork();
    /// let first = ada.send(&lobby, Post::new("one")).await?;
    /// let second = ada.send(&lobby, Post::new("two")).await?;
    /// drop(cork);
    /// assert_eq!([first.wait().await?.seq, second.wait().await?.seq], [1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cork(&self) -> Cork<'_> {
        Cork::new(self)
    }

    /// Takes a message back: one's own, or with the host's leave another's.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::RateLimited`], [`Error::Busy`], and through the receipt [`Error::NotFound`] and
    /// [`Error::Forbidden`] besides those of [`Receipt::wait`].
    ///
    /// # Cancel safety
    /// Dropped before it completes, nothing has been asked for.
    pub async fn redact(&self, room: &RoomName, seq: u64) -> Result<Receipt<()>, Error> {
        let live = self.peer.room(room).ok_or(Error::NotInRoom)?;
        self.registry.shared().rates.sends.take(self.identity().user())?;
        let user = self.identity().user().clone();
        let author = if self.may_redact(room, seq).await { None } else { Some(user.clone()) };
        let redact = Redact { seq, author, by: Some(user) };
        live.submit_redaction(self.author(), redact, self.registry.shared())
    }

    /// Whether the host lets this user take back what somebody else wrote.
    async fn may_redact(&self, room: &RoomName, seq: u64) -> bool {
        let shared = self.registry.shared();
        let Some(policy) = &shared.policy else { return false };
        let asked = async { policy.may_redact(self.identity(), room, seq).await };
        ask(shared, "may_redact", asked).await.is_ok()
    }

    /// Relays something passing to all other sessions in a room. It is never kept, and dropped first where a session is slow.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::Muted`], [`Error::TooLarge`], [`Error::RateLimited`].
    pub fn signal(&self, room: &RoomName, name: &str, data: Option<Data>) -> Result<(), Error> {
        let live = self.peer.room(room).ok_or(Error::NotInRoom)?;
        self.registry.check_signal(name, data.as_ref())?;
        self.registry.shared().rates.sends.take(self.identity().user())?;
        let user = self.identity().user().clone();
        let passing = Passing { user, name: name.into(), data };
        live.signal(self.id(), &passing, self.registry.shared())
    }

    /// The messages of a room before `before` (exclusive), or the newest: at most `limit` of them, from 1 to [`Config::history`](crate::Config::history), what is
    /// below or above counting as that. In a cluster the newest are those of which this node has heard: [`catch_up`](Self::catch_up) before has them be all.
    ///
    /// # Errors
    /// [`Error::NotInRoom`], [`Error::RateLimited`] where too many of the user's [wait](crate::Config::reads_per_user), [`Error::StoreUnavailable`].
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn history(
        &self,
        room: &RoomName,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, Error> {
        let live = self.peer.room(room).ok_or(Error::NotInRoom)?;
        let (user, shared) = (self.identity().user(), self.registry.shared());
        live.history_for(user, before, limit, shared).await.map_err(inside)
    }

    /// The members of a room after a user, by user. Others may come and go before this is looked at: whoever keeps a list
    /// takes [`ask_members`](Self::ask_members).
    ///
    /// # Errors
    /// [`Error::NotInRoom`].
    pub fn members(&self, room: &RoomName, after: Option<&UserName>) -> Result<Members, Error> {
        let live = self.peer.room(room).ok_or(Error::NotInRoom)?;
        let bytes = self.registry.config().whole_reply();
        let viewer = self.identity().user();
        live.ask(|live| live.roster.page(after, Some(viewer), bytes)).map_err(inside)
    }

    /// Asks for the members of a room after a user, by user. They come as [`EventKind::Members`](crate::EventKind::Members), in one order with everything else that
    /// is told of the room: what follows it are the changes from there.
    ///
    /// # Errors
    /// [`Error::NotInRoom`].
    pub fn ask_members(
        &self,
        room: &RoomName,
        after: Option<&UserName>,
        tag: Option<u64>,
    ) -> Result<(), Error> {
        let live = self.peer.room(room).ok_or(Error::NotInRoom)?;
        live.tell_members(&self.peer, after, tag, self.registry.shared())
    }

    /// Ends the session: it leaves all its rooms, for good and at once. What waits already can still be taken. The first reason stands.
    pub fn close(&self, reason: CloseReason) {
        let shared = self.registry.shared();
        end_peer(&self.peer, reason, shared);
    }

    /// When the credentials end, on the clock that timers use.
    #[must_use]
    pub fn expires(&self) -> Option<Instant> {
        let at = self.identity().expiry()?;
        let left = at.duration_since(std::time::SystemTime::now()).unwrap_or_default();
        Instant::now().checked_add(left)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close(CloseReason::Gone);
        let shared = self.registry.shared();
        shared.forget_session(&self.peer);
        let reason = self.outbox().closed().unwrap_or(CloseReason::Gone);
        shared.metrics.sessions_ended.count(reason.name());
        tracing::debug!(
            name: "session_ended",
            target: "chatrooms_core",
            session = %self.id(),
            user = ?self.identity().user(),
            reason = reason.name(),
            "a session has ended"
        );
    }
}

/// For somebody who was in a room, one that is not there has ended.
fn inside(error: Error) -> Error {
    if error == Error::NotFound { Error::NotInRoom } else { error }
}
