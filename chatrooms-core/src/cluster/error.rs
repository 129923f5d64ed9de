//! Why the cluster did not do what it was asked.

use std::error::Error;

use crate::{StoreError, sync::Arc};

/// Why a [`Cluster`](crate::Cluster) did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The life has ended.
    #[error("the life has ended")]
    Over,
    /// The cluster does not have any more what this node knows of the life, or what it would have to know next: nobody can go on from there.
    #[error("the cluster cannot go on from what this node knows")]
    Lost,
    /// This node was declared dead: its people in this room have gone.
    #[error("this node was declared dead")]
    Fenced,
    /// The room has as many connections as it may have.
    #[error("the room is full")]
    Full,
    /// The user is banned from that room.
    #[error("banned from that room")]
    Banned,
    /// Nothing has happened and nothing will; a later try may succeed.
    #[error("{cluster} is unavailable")]
    Unavailable {
        /// The cluster's own name, such as `redis`.
        cluster: &'static str,
        /// What it says itself.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// It had begun and may have happened, or may still.
    #[error("{cluster} cannot tell whether it happened")]
    OutcomeUnknown {
        /// The cluster's own name, such as `redis`.
        cluster: &'static str,
        /// What it says itself.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl ClusterError {
    /// Wraps a cluster's own error that left nothing behind.
    pub fn unavailable(
        cluster: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { cluster, source: Arc::from(source.into()) }
    }

    /// Wraps a cluster's own error that leaves it open what happened.
    pub fn outcome_unknown(
        cluster: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::OutcomeUnknown { cluster, source: Arc::from(source.into()) }
    }
}

/// For the calls that are a store's.
impl From<ClusterError> for StoreError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Unavailable { cluster: store, source } => {
                Self::Unavailable { store, source }
            }
            ClusterError::OutcomeUnknown { cluster: store, source } => {
                Self::OutcomeUnknown { store, source }
            }
            // Whoever is fenced has nobody in that life any more, and writes to it no more than to one that is over.
            _ => Self::Closed,
        }
    }
}
