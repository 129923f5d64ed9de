//! The registry: which rooms there are, and who is connected.

use std::pin::pin;

use crate::{
    CloseReason, Config, Data, Draft, Epoch, Error, Identity, Join, Joined, Order, Post, Purges,
    RegistryBuilder, RoomName, Session, UserName, Visit,
    effects::Effects,
    following::Here,
    peer::Peer,
    policy::ask,
    room::{Arrival, Departure, NoEntry},
    shared::Shared,
    sync::{Arc, in_time},
};

/// All rooms and all sessions of a service. Cloning is cheap; all clones are the same registry.
///
/// A room exists while somebody is connected to it. [`open_session`](Self::open_session) and [`Session::join`] are the usual way in;
/// underneath are [`add_connection`](Self::add_connection) and [`remove_connection`](Self::remove_connection).
#[derive(Clone, Debug)]
pub struct RoomRegistry {
    shared: Arc<Shared>,
}

/// What is going on in a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rooms, those that are being opened or that linger included.
    pub rooms: usize,
    /// Sessions.
    pub sessions: usize,
    /// Purges.
    pub purges: Purges,
}

/// A room as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomSummary {
    /// Which room.
    pub room: RoomName,
    /// Which life of it.
    pub epoch: Epoch,
    /// The newest message's number; 0 where there is none.
    pub seq: u64,
    /// How many users are there.
    pub users: usize,
    /// How many connections they have.
    pub connections: usize,
}

impl RoomSummary {
    /// A room in which nobody is, for whoever counts them.
    #[must_use]
    pub const fn new(room: RoomName, epoch: Epoch) -> Self {
        Self { room, epoch, seq: 0, users: 0, connections: 0 }
    }
}

impl Default for RoomRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl RoomRegistry {
    /// A registry that keeps messages in memory, with the default bounds and without a policy.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A registry to be made to measure.
    ///
    /// ```
    /// # use chatrooms_core::{Config, MemoryStore, RoomRegistry, StoreError};
    /// # async fn start() -> Result<RoomRegistry, StoreError> {
    /// let registry = RoomRegistry::builder().store(MemoryStore::default()).config(Config::default()).start().await?;
    /// # Ok(registry)
    /// # }
    /// ```
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    pub(crate) const fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The bounds and times in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Lets a client in. It is in no room yet.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`], [`Error::TooManySessions`], [`Error::ServerFull`].
    pub fn open_session(&self, identity: Identity) -> Result<Session, Error> {
        let (requests, backlog) =
            (self.shared.rates.of_session(), Arc::clone(&self.shared.backlog));
        let peer = Arc::new(Peer::new(identity, self.config(), requests, backlog));
        self.shared.add_session(&peer)?;
        Ok(Session::new(peer, self.clone()))
    }

    /// Whether a session of this user would be let in right now.
    ///
    /// # Errors
    /// As [`open_session`](Self::open_session).
    pub fn may_open_session(&self, user: &UserName) -> Result<(), Error> {
        if self.is_stopping() {
            return Err(Error::ShuttingDown);
        }
        if self.sessions_of(user) >= self.config().sessions_per_user {
            return Err(Error::TooManySessions);
        }
        if self.shared.session_count() >= self.config().sessions {
            return Err(Error::ServerFull);
        }
        Ok(())
    }

    /// Adds a connection: this session to that room. The room is opened where nobody is in it. Joining and leaving one room are
    /// linearizable, and a session that has ended never gets in, however late its join runs.
    ///
    /// # Errors
    /// [`Error::AlreadyInRoom`], [`Error::RoomFull`], [`Error::TooManyRooms`], [`Error::ServerFull`], [`Error::Banned`],
    /// [`Error::TooLarge`] for the `meta`, [`Error::RateLimited`] for the joins of a user and for the rooms that they open, [`Error::StoreUnavailable`], [`Error::OutcomeUnknown`],
    /// [`Error::SessionEnded`], [`Error::ShuttingDown`], and what the host's policy gives.
    ///
    /// # Cancel safety
    /// Dropped before it completes, the session is either not in the room or in it like after a join; removing the connection is
    /// safe in either case.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn add_connection(
        &self,
        room: &RoomName,
        session: &Session,
        join: Join,
    ) -> Result<Arc<Joined>, Error> {
        let limit = self.config().meta_bytes;
        if join.meta.as_ref().is_some_and(|meta| meta.as_str().len() > limit) {
            return Err(Error::TooLarge { what: "meta", limit });
        }
        // Asked again under the room's lock; here so that a join that must fail costs nobody anything.
        session.peer().may_enter(room, self.config().rooms_per_session)?;
        let user = session.identity().user();
        self.shared.rates.joins.take(user)?;
        self.may_join(session.identity(), room).await?;
        loop {
            let arrival = self.shared.arrive(room, Some(user))?;
            if arrival.room.desk.is_some() {
                match Box::pin(self.enter_shared(arrival, session.peer(), &join)).await {
                    Ok(joined) => return Ok(joined),
                    Err(NoEntry::Refused(error)) => return Err(error),
                    Err(NoEntry::Over) => continue,
                }
            }
            // The opening gives itself up in time, unless its runtime has ended.
            let opened = in_time(self.shared.patience(), pin!(arrival.opened())).await;
            opened.unwrap_or(Err(Error::StoreUnavailable))?;
            match arrival.enter(session.peer(), &join) {
                Ok(joined) => return Ok(joined),
                Err(NoEntry::Refused(error)) => return Err(error),
                Err(NoEntry::Over) => {}
            }
        }
    }

    /// The same where the room is one of a cluster.
    async fn enter_shared(
        &self,
        arrival: Arrival<'_>,
        peer: &Arc<Peer>,
        join: &Join,
    ) -> Result<Arc<Joined>, NoEntry> {
        let entering = pin!(arrival.enter_shared(peer, join));
        // Whoever has waited for too long may still get in: their client finds itself there already.
        in_time(self.shared.patience(), entering)
            .await
            .unwrap_or(Err(NoEntry::Refused(Error::StoreUnavailable)))
    }

    /// Removes a connection; says whether it was there. Where it was the room's last one, the room's life ends with it: at once, whatever
    /// the store takes to remove its messages.
    pub fn remove_connection(&self, room: &RoomName, session: &Session) -> bool {
        let Some(live) = session.peer().room(room) else { return false };
        let mut effects = Effects::default();
        let removed = live.exit(session.peer(), Departure::Left, &self.shared, &mut effects);
        effects.run(&self.shared);
        removed
    }

    async fn may_join(&self, who: &Identity, room: &RoomName) -> Result<(), Error> {
        let Some(policy) = &self.shared.policy else { return Ok(()) };
        ask(&self.shared, "may_join", async { policy.may_join(who, room).await }).await
    }

    /// What a user may see and do in a room without being connected to it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nobody is in the room, [`Error::Banned`], what the host's policy gives, and those of [following](RegistryBuilder::cluster) over a cluster.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn visit(&self, who: &Identity, room: &RoomName) -> Result<Visit<'_>, Error> {
        // Whoever may not join is not told either whether there is such a room.
        self.may_join(who, room).await?;
        let room = self.occupied(room).await?;
        if room.ask(|live| live.sanctions.bans.holds(who.user()))? {
            return Err(Error::Banned);
        }
        Ok(Visit::new(self, who.clone(), room))
    }

    /// The room of that name, where somebody is in it.
    pub(crate) async fn occupied(&self, name: &RoomName) -> Result<Here<'_>, Error> {
        let room = self.shared.here(name).await?;
        room.ask(|_| ())?;
        Ok(room)
    }

    /// The same for somebody who asks how things stand: as they were on all nodes when this was called.
    pub(crate) async fn occupied_as_of_now(&self, name: &RoomName) -> Result<Here<'_>, Error> {
        let room = self.occupied(name).await?;
        room.catch_up(&self.shared).await;
        Ok(room)
    }

    /// What becomes of a post when the bounds and the host's policy have had their say.
    pub(crate) async fn draft(
        &self,
        who: &Identity,
        room: &RoomName,
        post: Post,
    ) -> Result<Draft, Error> {
        let draft = post.by(Some(who));
        self.check_size(&draft)?;
        let Some(policy) = &self.shared.policy else { return Ok(draft) };
        // Boxed because every message is as large as what waits for a policy where there is one.
        let asked = async { policy.before_publish(who, room, draft).await };
        let draft = Box::pin(ask(&self.shared, "before_publish", asked)).await?;
        self.check_size(&draft)?;
        Ok(draft)
    }

    pub(crate) fn check_size(&self, draft: &Draft) -> Result<(), Error> {
        let config = self.config();
        if draft.body.len() > config.body_bytes {
            return Err(Error::TooLarge { what: "body", limit: config.body_bytes });
        }
        if draft.data.as_ref().is_some_and(|data| data.as_str().len() > config.data_bytes) {
            return Err(Error::TooLarge { what: "data", limit: config.data_bytes });
        }
        Ok(())
    }

    /// Something passing has its name and its data in the bound of the data.
    pub(crate) fn check_signal(&self, name: &str, data: Option<&Data>) -> Result<(), Error> {
        let limit = self.config().data_bytes;
        let size = name.len() + data.map_or(0, |data| data.as_str().len());
        if size > limit { Err(Error::TooLarge { what: "data", limit }) } else { Ok(()) }
    }

    /// The rooms where somebody is, by name, after a name; and whether there are more. Where there are more than a thousand, one that is new is there within a second: their
    /// order is found out once in a second at most, so that asking for it costs nobody else anything.
    ///
    /// Over a [cluster](RegistryBuilder::cluster) these are the rooms of all nodes, as the cluster knows them.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] while a cluster is away; without one there are none.
    ///
    /// # Cancel safety
    /// Nothing happens by dropping it.
    pub async fn rooms(
        &self,
        after: Option<&RoomName>,
        limit: usize,
    ) -> Result<(Vec<RoomSummary>, bool), Error> {
        if let Some(cluster) = &self.shared.cluster {
            return self.shared.asked(None, async { cluster.rooms(after, limit).await }).await;
        }
        let names = self.shared.listed();
        let first = after.map_or(0, |after| names.partition_point(|name| name <= after));
        let here = names[first..].iter().filter_map(|name| self.shared.find(name));
        let mut occupied = here.filter_map(|room| room.summary().ok());
        let page = occupied.by_ref().take(limit).collect();
        Ok((page, occupied.next().is_some()))
    }

    /// Ends all sessions of a user, in all rooms; says how many. When it returns, all their connections have ended.
    ///
    /// Those on other nodes of a [cluster](RegistryBuilder::cluster) end a moment later, and are not counted: [`end_sessions_everywhere`](Self::end_sessions_everywhere) waits for that.
    pub fn end_sessions(&self, user: &UserName, reason: &CloseReason) -> usize {
        let ended = self.end_sessions_where(user, reason, |_| true);
        // Said as soon as it can be: whoever wants to wait for that asks otherwise.
        self.shared.order(|| Order::EndSessions { user: user.clone(), reason: reason.clone() });
        ended
    }

    /// Ends all sessions of a user, in all rooms and on all nodes of a [cluster](RegistryBuilder::cluster); says how many. When it returns, all their connections have ended wherever they were, and every
    /// node knows. Without a cluster it is the same as [`end_sessions`](Self::end_sessions).
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`]: all sessions here have ended, and it is not known within [`Config::store_timeout`](crate::Config::store_timeout) that all others have: the cluster is away, or a node does not answer, such as one that has died
    /// just now. The sessions there end as soon as their node hears of it, and those of a dead node after its lease.
    ///
    /// # Cancel safety
    /// Dropped, it may or may not have been done; once it was polled it will be done, on all nodes.
    pub async fn end_sessions_everywhere(
        &self,
        user: &UserName,
        reason: &CloseReason,
    ) -> Result<usize, Error> {
        self.shared.end_sessions_everywhere(user, reason).await
    }

    /// Ends those sessions of a user whose identity is meant, in all rooms; says how many. When it returns, all their connections have ended.
    ///
    /// It is how one device is logged out and not the others: an authenticator puts what tells them apart into the
    /// [claims](Identity::claims). It is about the sessions of this node alone: over a [cluster](RegistryBuilder::cluster) nobody but the node that a session is on knows its claims, and what is asked here cannot be
    /// asked there. A host that logs a device out has its own nodes know, such as by the credentials that an authenticator is asked for again.
    pub fn end_sessions_where(
        &self,
        user: &UserName,
        reason: &CloseReason,
        is_meant: impl FnMut(&Identity) -> bool,
    ) -> usize {
        self.shared.end_sessions(user, reason, is_meant).sessions
    }

    /// How many sessions of a user there are.
    #[must_use]
    pub fn sessions_of(&self, user: &UserName) -> usize {
        self.shared.sessions_of(user).len()
    }

    /// What is going on.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            rooms: self.shared.room_count(),
            sessions: self.shared.session_count(),
            purges: self.shared.sweeper.purges(),
        }
    }

    /// Runs a task of an adapter, such as a session's loop, and has a shutdown wait for it.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(task);
    }

    /// Counts a request that a client's own words got refused: what an adapter answers with an error, whoever found it.
    #[doc(hidden)]
    pub fn count_refusal(&self, code: &str) {
        self.shared.metrics.refused(code);
    }

    /// Counts a session that an adapter ends because its client has broken a rule of the socket, whichever that is.
    #[doc(hidden)]
    pub fn count_offence(&self, of: &'static str) {
        self.shared.metrics.offences.count(of);
    }

    /// Whether an adapter is to warn of a user's abuse: not every time.
    #[doc(hidden)]
    #[must_use]
    pub fn is_abuse_told(&self, user: &UserName) -> bool {
        self.shared.rates.is_abuse_told(user)
    }

    /// Whether a shutdown has begun.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shared.is_stopping()
    }
}
