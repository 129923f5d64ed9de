//! What a node is told about the cluster.

use std::time::Duration;

use crate::{ConnectError, RedisCluster};

/// How a node takes part in a cluster. See [`RedisCluster::options`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisOptions {
    pub(crate) prefix: String,
    pub(crate) lease: Duration,
    pub(crate) timeout: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        let (lease, timeout) = (Duration::from_secs(10), Duration::from_secs(2));
        Self { prefix: "chatrooms".to_owned(), lease, timeout }
    }
}

impl RedisOptions {
    /// What all keys begin with: the same on all nodes of a cluster, another one for each cluster that shares a Redis. Default `chatrooms`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a node has to be silent, while Redis answers, before the others see to its people: the same on all nodes. Default 10 seconds, at least 200 milliseconds.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long Redis may take to answer a call. Default 2 seconds.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Joins the cluster as a new node.
    ///
    /// # Errors
    /// Each [`ConnectError`] for what it says.
    ///
    /// # Cancel safety
    /// Dropped before it completes, a node may have joined that the others declare dead after its lease.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn connect(self, url: &str) -> Result<RedisCluster, ConnectError> {
        RedisCluster::start(url, self.sound()?).await
    }

    fn sound(self) -> Result<Self, ConnectError> {
        if self.prefix.contains(['{', '}']) {
            return Err(ConnectError::Setting("a prefix has no braces"));
        }
        if self.lease < Duration::from_millis(200) {
            return Err(ConnectError::Setting("a lease lasts 200 milliseconds at least"));
        }
        if self.timeout.is_zero() {
            return Err(ConnectError::Setting("redis needs some time to answer"));
        }
        Ok(self)
    }
}
