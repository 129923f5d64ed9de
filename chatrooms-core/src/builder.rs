//! How a registry is made.

use crate::{
    Cluster, Config, MemoryStore, MessageStore, RoomPolicy, RoomRegistry, StoreError,
    cluster::ClusterStore, mourning, opening::take_over, orders, shared::Shared, sync::Arc,
};

/// What a registry is made of. See [`RoomRegistry::builder`].
#[derive(Debug)]
#[must_use]
pub struct RegistryBuilder {
    config: Config,
    store: Arc<dyn MessageStore>,
    policy: Option<Arc<dyn RoomPolicy>>,
    cluster: Option<Arc<dyn Cluster>>,
}

impl Default for RegistryBuilder {
    fn default() -> Self {
        let store = Arc::new(MemoryStore::default());
        Self { config: Config::default(), store, policy: None, cluster: None }
    }
}

impl RegistryBuilder {
    /// Where messages are kept. Default: [`MemoryStore`].
    pub fn store(mut self, store: impl MessageStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Bounds and times. Default: [`Config::default`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The host's rules. Default: everything is allowed.
    pub fn policy(mut self, policy: impl RoomPolicy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// What other nodes share with this one: rooms of the same name are one room on all of them. What is said is kept there too, and not in a
    /// [store](Self::store).
    ///
    /// Whoever is here is told of everything that happens in a room, wherever it does, and what a host does to people and rooms reaches all nodes a moment later. To be said of it:
    ///
    /// - A [`Watch`](crate::Watch) sees the rooms that somebody of this node is in. [`RoomRegistry::rooms_of`], [`RoomRegistry::sessions_of`], [`RoomRegistry::stats`] and
    ///   [`RoomRegistry::end_sessions_where`] are about the sessions of this node.
    /// - Limits of what a user may do in a time, and the wait of slow mode, are each node's own.
    /// - [`Session::leave`](crate::Session::leave), a session that ends and [`RoomRegistry::end_sessions`] are done here at once, and known on other nodes a moment later; [`Session::leave_everywhere`](crate::Session::leave_everywhere) and
    ///   [`RoomRegistry::end_sessions_everywhere`] wait for that.
    /// - With the end of a life that another node has closed, or that the cluster has lost, the policy's [`room_closed`](RoomPolicy::room_closed) is told on the node that closed it, or on none.
    ///
    /// # Rooms of other nodes
    /// It does not matter which node is asked about a room, or told to do something to it: [`rooms`](RoomRegistry::rooms) and [`room`](RoomRegistry::room) are answered by the cluster, and for everything else, such as
    /// [`members`](RoomRegistry::members), [`history`](RoomRegistry::history), [`announce`](RoomRegistry::announce), [`visit`](RoomRegistry::visit) or [`moderation`](RoomRegistry::moderation), a node that nobody of the
    /// room is on *follows* it: it takes part in it for the moment, and for two seconds more, as one whose people are in there does. No member is told of that, nor is a watch, and it neither begins a life nor prolongs one. A room that is
    /// followed counts among those of this node ([`Config::rooms`]), and its [rules](RoomPolicy::open_room) are asked for.
    ///
    /// So what is asked about a room may be answered, beside its own errors, by [`Error::StoreUnavailable`](crate::Error::StoreUnavailable) while the cluster is away,
    /// [`Error::ServerFull`](crate::Error::ServerFull) where this node has as many rooms as it may have, [`Error::ShuttingDown`](crate::Error::ShuttingDown), and what the policy's
    /// [`open_room`](RoomPolicy::open_room) gives. It panics outside of a tokio runtime.
    pub fn cluster(mut self, cluster: impl Cluster) -> Self {
        let cluster: Arc<dyn Cluster> = Arc::new(cluster);
        self.store = Arc::new(ClusterStore(Arc::clone(&cluster)));
        self.cluster = Some(cluster);
        self
    }

    /// Starts the registry. Lives that an earlier process has left behind are purged, or kept for [`Config::linger`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the store cannot say what was left behind.
    ///
    /// # Cancel safety
    /// Dropped before it completes, nothing has happened that another start would not do again.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<RoomRegistry, StoreError> {
        let registry = self.build();
        let shared = registry.shared();
        take_over(shared.store.abandoned().await?, shared).await;
        mourning::mourn(shared);
        orders::begin(shared);
        Ok(registry)
    }

    /// A registry over a store that an earlier process cannot have used.
    pub(crate) fn build(self) -> RoomRegistry {
        RoomRegistry::from_shared(Arc::new(Shared::new(
            self.config,
            self.store,
            self.policy,
            self.cluster,
        )))
    }
}
